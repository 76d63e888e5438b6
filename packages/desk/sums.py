"""Numbers as people write them, in forms of rows that keep whole numbers of small units."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from packages.money import Money

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Any]
else:
    ModelForm = forms.ModelForm


class Scaled(forms.DecimalField):
    """A number of which the row keeps so many parts: 7.7 % are 770, a price of 0.024 is 24000."""

    def __init__(self, *, parts: int, **options: Any) -> None:
        self.parts = parts
        options.setdefault("decimal_places", len(str(parts)) - 1)
        super().__init__(**{"min_value": 0, "max_digits": 14, "localize": True, **options})

    def prepare_value(self, value: Any) -> Any:
        """Return what stands in the field: what the row keeps as people write it."""
        return _short(Decimal(value) / self.parts) if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        given = super().clean(value)
        return None if given is None else int(given * self.parts)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


def percent(label: Any, **options: Any) -> Scaled:
    """Return a field of hundredths of a percent."""
    options = {"max_value": 100, **options}
    return Scaled(parts=100, label=label, **options)


def money(label: Any, **options: Any) -> forms.DecimalField:
    """Return a field of an amount; its form must be one of `SumsForm`."""
    options = {"min_value": 0, "max_digits": 12, "decimal_places": 3, "localize": True, **options}
    return forms.DecimalField(label=label, **options)


class SumsForm(ModelForm):
    """A form whose fields named in `sums` are amounts, of which the row keeps minor units."""

    sums: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        kept = self.currency_of(self.instance)
        for name in self.sums:
            value = getattr(self.instance, name)
            # What is given for a new row is an amount already.
            if kept and value is not None and name not in (options.get("initial") or {}):
                self.initial[name] = Money(value, kept).decimal()

    @staticmethod
    def currency_of(row: Any) -> str:
        """Return the currency of the row's amounts; empty while that is not known."""
        code: str = row.currency
        return code

    def currency_given(self, given: dict[str, Any]) -> str:
        """Return the currency in which the amounts were given, empty if none was."""
        code: str = given.get("currency") or self.currency_of(self.instance)
        return code

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        code = self.currency_given(given)
        for name in self.sums:
            amount = given.get(name)
            if amount is not None and code:
                try:
                    given[name] = Money.of_decimal(amount, code).minor
                except ValueError:
                    self.add_error(name, _("This is finer than the currency's smallest coin."))
        return given


def _short(number: Decimal) -> Decimal:
    """Return it without zeros at its end."""
    return number.normalize() + 0
