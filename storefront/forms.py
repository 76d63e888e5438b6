"""The checkout's form: who buys, how it is paid, what is agreed to. Prices are never among it."""

from typing import Any

import phonenumbers
from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.gateways import offered
from packages import countries
from storefront import addresses

PRIVATE, BUSINESS = "private", "business"


class CheckoutForm(forms.Form):
    kind = forms.ChoiceField(
        label=gettext_lazy("You buy as"),
        choices=[
            (PRIVATE, gettext_lazy("Private customer")),
            (BUSINESS, gettext_lazy("Business")),
        ],
        widget=forms.RadioSelect,
    )
    name = forms.CharField(label=gettext_lazy("First and last name"), max_length=120)
    company = forms.CharField(label=gettext_lazy("Company"), max_length=120, required=False)
    vat_id = forms.CharField(
        label=gettext_lazy("VAT number"),
        max_length=20,
        required=False,
        help_text=gettext_lazy("With its country code, e.g. DE136695976. Empty if you have none."),
    )
    street = forms.CharField(label=gettext_lazy("Street and number"), max_length=120)
    extra = forms.CharField(label=gettext_lazy("Address line 2"), max_length=120, required=False)
    postcode = forms.CharField(label=gettext_lazy("Postcode"), max_length=12)
    city = forms.CharField(label=gettext_lazy("City"), max_length=80)
    country = forms.ChoiceField(label=gettext_lazy("Country"))
    phone = forms.CharField(
        label=gettext_lazy("Phone"),
        max_length=30,
        required=False,
        help_text=gettext_lazy("Only for questions about your order."),
    )
    gateway = forms.ChoiceField(label=gettext_lazy("Payment"), widget=forms.RadioSelect)
    keep_method = forms.BooleanField(required=False)
    terms = forms.BooleanField()
    early_start = forms.BooleanField(required=False)

    AUTOCOMPLETE = {
        "name": "name",
        "company": "organization",
        "street": "address-line1",
        "extra": "address-line2",
        "postcode": "postal-code",
        "city": "address-level2",
        "country": "country",
        "phone": "tel",
    }

    # What only an order needs; a pro forma is for whoever the other fields name.
    BINDING = ("gateway", "terms")

    def __init__(
        self,
        *args: Any,
        consents: dict[str, str],
        currency: str,
        binding: bool = True,
        **kwargs: Any,
    ) -> None:
        """`consents` are the sentences beside the boxes, by name; they are stored as agreed to."""
        super().__init__(*args, **kwargs)
        self.binding = binding
        self.gateways = offered(currency)
        self.keeps_methods = any(each.keeps_methods for each in self.gateways)
        self._choice("gateway").choices = [(each.code, each.name) for each in self.gateways]
        self._choice("country").choices = countries.named()
        self.fields["company"].required = self["kind"].value() == BUSINESS
        for name, sentence in consents.items():
            self.fields[name].label = sentence
        for name in self.BINDING:
            self.fields[name].required = binding
        self.fields["terms"].error_messages["required"] = _("Please agree to the terms.")
        for name, words in self.AUTOCOMPLETE.items():
            self.fields[name].widget.attrs["autocomplete"] = words
        self.fields["phone"].widget.input_type = "tel"

    def clean_vat_id(self) -> str:
        """Check the id's own arithmetic, offline; whether it is registered is asked elsewhere."""
        text = str(self.cleaned_data["vat_id"])
        if not text or self.data.get("kind") != BUSINESS:
            return ""
        return addresses.vat_id(text, self.data.get("country", ""))

    def clean_phone(self) -> str:
        """Return the number in its international form; a national one is read in the country's."""
        text = self.cleaned_data["phone"]
        if not text:
            return ""
        try:
            number = phonenumbers.parse(text, self.data.get("country") or None)
        except phonenumbers.NumberParseException:
            number = None
        if number is None or not phonenumbers.is_possible_number(number):
            raise forms.ValidationError(
                _("This is not a phone number. Please begin with the country code, e.g. +49 30 …")
            )
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        values["is_business"] = values.get("kind") == BUSINESS
        if not values["is_business"]:
            values["company"] = ""
            if self.binding and not values.get("early_start", True):
                self.add_error(
                    "early_start", _("Without this we may not start before 14 days are over.")
                )
        return values

    def _choice(self, name: str) -> forms.ChoiceField:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        return field
