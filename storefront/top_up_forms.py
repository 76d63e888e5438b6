"""How much credit, how it is paid, what is agreed to. The amount is checked by the flow again."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.gateways import offered
from billing.models import TopUpTerms
from packages.money import Money
from storefront.templatetags.money import money_filter


def amount_field(terms: TopUpTerms, **more: Any) -> forms.DecimalField:
    """Return the field for an amount of this currency, as people write it."""
    typed = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    return forms.DecimalField(**{"max_digits": 12, "localize": True, "widget": typed, **more})


def money_of(value: Decimal, currency: str) -> Money:
    """Return what was typed; raise ValidationError when the currency has no such digits."""
    try:
        return Money.of_decimal(value, currency)
    except ValueError:
        raise forms.ValidationError(_("Please enter whole cents.")) from None


class AmountForm(forms.Form):
    """How much; from the service's page."""

    def __init__(self, data: Any, terms: TopUpTerms) -> None:
        super().__init__(data)
        self.terms = terms
        words = {"least": money_filter(terms.smallest), "most": money_filter(terms.largest)}
        label = _("Amount in %(currency)s") % {"currency": terms.currency}
        hint = _("From %(least)s to %(most)s.") % words
        self.fields["amount"] = amount_field(terms, label=label, help_text=hint)

    def clean_amount(self) -> Money:
        amount = money_of(self.cleaned_data["amount"], self.terms.currency)
        words = {
            "least": money_filter(self.terms.smallest),
            "most": money_filter(self.terms.largest),
        }
        if amount < self.terms.smallest:
            raise forms.ValidationError(_("The smallest top-up is %(least)s.") % words)
        if self.terms.largest < amount:
            raise forms.ValidationError(
                _("One top-up is at most %(most)s. You can buy several.") % words
            )
        return amount


class TopUpForm(AmountForm):
    """Everything that an order of credit needs from somebody whose address is known."""

    gateway = forms.ChoiceField(label=gettext_lazy("Payment"), widget=forms.RadioSelect)
    terms_agreed = forms.BooleanField()
    early_start = forms.BooleanField(required=False)
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(
        self, data: Any, terms: TopUpTerms, *, consents: dict[str, str], private: bool
    ) -> None:
        """`consents` are the sentences beside the boxes, by name; they are stored as agreed to."""
        super().__init__(data, terms)
        self.gateways = offered()
        choice = self.fields["gateway"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [(each.code, each.name) for each in self.gateways]
        choice.error_messages["required"] = _("Please choose a payment method.")
        self.fields["terms_agreed"].label = consents["terms"]
        self.fields["terms_agreed"].error_messages["required"] = _("Please agree to the terms.")
        early = self.fields["early_start"]
        early.label, early.required = consents["early_start"], private
        early.error_messages["required"] = _(
            "Without this we may not start before 14 days are over."
        )
