"""Filters of lists whose rows hold codes or nothing, by the names that readers know."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from packages.countries import sort_key
from packages.desk.pages import CODES

Kind = type[admin.FieldListFilter]


def titled(kind: Kind, title: str | Promise) -> Kind:
    """Return the filter under another title than the column's name."""

    class Titled(kind):  # type: ignore[valid-type,misc]
        def __init__(self, *given: Any, **more: Any) -> None:
            super().__init__(*given, **more)
            self.title = title

    return Titled


def named(name: Callable[[str], str]) -> Kind:
    """Return a filter over the codes that occur, each by its name."""

    class Named(admin.AllValuesFieldListFilter):
        def choices(self, changelist: Any) -> Iterator[Any]:
            codes: Any = self.lookup_choices
            for choice in super().choices(changelist):
                # Behind the code may stand how many rows there are.
                code, gap, count = str(choice["display"]).partition(" (")
                yield {**choice, "display": name(code) + gap + count} if code in codes else choice

    return Named


class Choices(admin.ChoicesFieldListFilter):
    """Rows of one choice of a column, written as in the column: with a capital."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": capfirst(str(choice["display"]))}


admin.FieldListFilter.register(lambda field: bool(field.flatchoices), Choices, take_priority=True)


class YesNo(admin.EmptyFieldListFilter):
    """Rows in which a column says something, and those in which it does not."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice, word in zip(
            super().choices(changelist), ("", gettext("No"), gettext("Yes")), strict=True
        ):
            shown, gap, count = str(choice["display"]).partition(" (")
            yield {**choice, "display": (word or shown) + gap + count}


def called(model: type[Model]) -> str:
    return capfirst(str(model._meta.verbose_name))


class DayFilter(admin.DateFieldListFilter):
    """Rows of a stretch of days; that some have none yet is no question to ask."""

    def __init__(self, field: Any, *given: Any, **more: Any) -> None:
        super().__init__(field, *given, **more)
        if field.null:
            self.links = self.links[:-2]


class CodeFilter(admin.AllValuesFieldListFilter):
    """Rows of one country or one language, by its name."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        every, *some = super().choices(changelist)
        yield every
        yield from sorted(map(self._named, some), key=lambda one: sort_key(one["display"]))

    def _named(self, choice: Any) -> Any:
        # Behind the code may stand how many rows there are.
        code, gap, count = str(choice["display"]).partition(" (")
        return {**choice, "display": self.name_of(code) + gap + count}

    def name_of(self, code: str) -> str:
        return {code: str(name) for code, name in CODES[self.field.name]()}.get(code, code)


class ModelFilter(CodeFilter):
    """Rows about one kind of row, whose label they keep."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("about")

    def name_of(self, code: str) -> str:
        return str(apps.get_model(code)._meta.verbose_name) if "." in code else code


class KeptFilter(admin.EmptyFieldListFilter):
    """Rows that keep nothing in a field, and those that keep something; in words of their own."""

    empty: ClassVar[Promise]
    kept: ClassVar[Promise]

    def choices(self, changelist: Any) -> Iterator[Any]:
        words = (None, self.empty, self.kept)
        for choice, word in zip(super().choices(changelist), words, strict=True):
            yield {**choice, "display": capfirst(str(word or choice["display"]))}
