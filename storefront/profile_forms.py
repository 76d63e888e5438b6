"""Forms of the client area: who is billed, and a new password for the dialler."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.validators import MaxLengthValidator, RegexValidator
from django.utils.translation import gettext_lazy as _

from billing.models import Customer, User
from packages import countries
from storefront import addresses

VISIBLE = RegexValidator(
    r"\A[\x21-\x7e]*\Z", _("Use letters, digits and signs of an ordinary keyboard, no spaces.")
)
LONGEST_PASSWORD = 64

# Django's own form classes take no parameters while running.
if TYPE_CHECKING:
    CustomerForm = forms.ModelForm[Customer]
else:
    CustomerForm = forms.ModelForm


class ProfileForm(CustomerForm):
    """The party that invoices are addressed to; issued invoices keep the address they had."""

    country = forms.ChoiceField(label=_("Country"))
    language = forms.ChoiceField(
        label=_("Language"),
        choices=settings.LANGUAGES,
        help_text=_("For these pages, invoices and e-mails."),
    )

    class Meta:
        model = Customer
        fields = (
            *("name", "company", "is_business", "vat_id", "email", "phone"),
            *("street", "extra", "postcode", "city", "country", "language"),
        )
        labels = {
            "name": _("Your name"),
            "is_business": _("I buy as a business"),
            "vat_id": _("VAT number"),
            "email": _("E-mail for invoices"),
        }
        help_texts = {"vat_id": _("For example DE136695976. Businesses in the EU only.")}
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
            "company": forms.TextInput(attrs={"autocomplete": "organization"}),
            "email": forms.EmailInput(attrs={"autocomplete": "email"}),
            "phone": forms.TextInput(attrs={"autocomplete": "tel", "type": "tel"}),
            "street": forms.TextInput(attrs={"autocomplete": "address-line1"}),
            "extra": forms.TextInput(attrs={"autocomplete": "address-line2"}),
            "postcode": forms.TextInput(attrs={"autocomplete": "postal-code"}),
            "city": forms.TextInput(attrs={"autocomplete": "address-level2"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        country = self.fields["country"]
        assert isinstance(country, forms.ChoiceField)
        country.choices = countries.named()
        country.widget.attrs["autocomplete"] = "country"
        for field in ("street", "postcode", "city"):
            self.fields[field].required = True

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("vat_id"):
            try:
                data["vat_id"] = addresses.vat_id(data["vat_id"], data.get("country", ""))
            except forms.ValidationError as error:
                self.add_error("vat_id", error)
        return data


class PasswordForm(forms.Form):
    """A password of one's own choice for the dialler."""

    password = forms.CharField(
        label=_("New password"),
        strip=False,
        help_text=_("At least 12 characters, and none that you use elsewhere."),
        validators=[VISIBLE, MaxLengthValidator(LONGEST_PASSWORD)],
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("The same again"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        validate_password(password, self.user)
        return password

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if {"password", "again"} <= data.keys() and data["password"] != data["again"]:
            self.add_error("again", _("The two passwords are not the same."))
        return data
