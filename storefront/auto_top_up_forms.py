"""When credit is bought by itself, and when a mail says that it runs low."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from billing.models import AutoTopUp, TopUpTerms
from packages.money import Money
from storefront.templatetags.money import money_filter
from storefront.top_up_forms import amount_field, money_of


class StandingForm(forms.Form):
    """The three sums of a standing order for credit."""

    def __init__(self, data: Any, terms: TopUpTerms, auto: AutoTopUp | None) -> None:
        known = {name: getattr(auto, name).decimal() for name in NAMES} if auto else {}
        super().__init__(data, initial=known)
        self.terms = terms
        words = {"least": money_filter(terms.smallest), "most": money_filter(terms.largest)}
        hint = _("From %(least)s to %(most)s.") % words
        cycle = _("Not less than one top-up.")
        for name, label, help_text in (
            ("below", _("When the credit falls below"), ""),
            ("amount", _("Buy credit of"), hint),
            ("month", _("At most in a calendar month"), cycle),
        ):
            self.fields[name] = amount_field(terms, label=label, help_text=help_text)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        for name in NAMES:
            if name in given:
                self._read(name, given)
        amount, month = given.get("amount"), given.get("month")
        if amount and not self.terms.smallest <= amount <= self.terms.largest:
            words = {"least": self.terms.smallest, "most": self.terms.largest}
            shown = {name: money_filter(money) for name, money in words.items()}
            self.add_error("amount", _("From %(least)s to %(most)s.") % shown)
        elif amount and month and month < amount:
            self.add_error("month", _("This is less than one top-up."))
        return given

    def _read(self, name: str, given: dict[str, Any]) -> None:
        try:
            given[name] = money_of(given[name], self.terms.currency)
        except forms.ValidationError as error:
            self.add_error(name, error)
            return
        if given[name].minor <= 0:
            self.add_error(name, _("Please enter a sum above zero."))


NAMES = ("below", "amount", "month")


class AgreeForm(forms.Form):
    """What is agreed to before anything is bought by itself."""

    standing = forms.BooleanField()
    terms = forms.BooleanField()
    early_start = forms.BooleanField(required=False)

    def __init__(self, data: Any, *, consents: dict[str, str], private: bool) -> None:
        """`consents` are the sentences beside the boxes, by name; they are stored as agreed to."""
        super().__init__(data)
        for name, sentence in consents.items():
            self.fields[name].label = sentence
            self.fields[name].error_messages["required"] = _("Please agree to this.")
        self.fields["early_start"].required = private


class LowForm(forms.Form):
    """Below which balance a mail is sent; empty is the shop's sum."""

    def __init__(self, data: Any, terms: TopUpTerms, chosen: Money | None) -> None:
        super().__init__(data, initial={"low": chosen.decimal() if chosen else None})
        self.terms = terms
        usual = money_filter(Money(terms.low_minor, terms.currency))
        self.fields["low"] = amount_field(
            terms,
            required=False,
            min_value=0,
            label=_("Write to me when the credit falls below"),
            help_text=_("Empty: %(usual)s. Zero: never.") % {"usual": usual},
        )

    def clean_low(self) -> Money | None:
        value = self.cleaned_data["low"]
        return None if value is None else money_of(value, self.terms.currency)
