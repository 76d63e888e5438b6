"""Forms for whoever may look and not change: what rows keep, as the fields would show it."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.utils.formats import localize
from django.utils.text import capfirst

from packages.desk.cells import EMPTY, amount_of, structure
from packages.desk.sums import Scaled, SumsForm

Shown = Callable[[Any], Any]


def readable(
    names: Iterable[Any], form: type[forms.BaseForm], row: Any, named: dict[str, dict[Any, Any]]
) -> list[Any]:
    """Return the fields as a page names them, with those replaced whose value is not for people.

    `named` says what codes mean, by the field. What the form asks for and the row does not keep is
    left out.
    """
    shown = [
        tuple(readable(each, form, row, named))
        if isinstance(each, list | tuple)
        else _one(each, form, row, named)
        for each in names
    ]
    return [each for each in shown if each not in (None, ())]


def _one(
    name: str, form: type[forms.BaseForm], row: Any, named: dict[str, dict[Any, Any]]
) -> str | Shown | None:
    field: Any = getattr(form, "declared_fields", {}).get(name)
    if issubclass(form, SumsForm) and name in form.sums:
        code = form.currency_of(row)
        return _telling(name, field, lambda row: amount_of(getattr(row, name), code))
    if isinstance(field, forms.JSONField):
        return _telling(name, field, lambda row: structure(getattr(row, name)))
    if isinstance(field, Scaled):
        return _telling(name, field, lambda row: localize(field.prepare_value(getattr(row, name))))
    if isinstance(field, forms.MultipleChoiceField):
        choices: Any = field.choices
        words = dict(choices)
        return _telling(name, field, lambda row: _listed(getattr(row, name), words))
    if name in named:
        label = row._meta.get_field(name).verbose_name
        words = named[name]
        return _telling(name, label, lambda row: words.get(getattr(row, name), EMPTY))
    return None if field is not None and not hasattr(row, name) else name


def _listed(values: Iterable[Any], words: dict[Any, Any]) -> str:
    return ", ".join(str(words.get(each, each)) for each in values or ()) or EMPTY


def _telling(name: str, label: Any, tell: Shown) -> Shown:
    """Return a column of Django's admin that says what `tell` makes of a row."""

    def told(row: Any) -> Any:
        return tell(row)

    # Not the column's own name: with it comes what the form says of filling it in.
    told.__name__ = f"{name}_told"
    text = getattr(label, "label", None) or label
    told.short_description = capfirst(str(text))  # type: ignore[attr-defined]
    return told
