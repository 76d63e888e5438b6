"""What each step of the way to an open shop asks for."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.admin.brand import BrandForm
from billing.demo import TOP_UPS
from billing.models import TopUpTerms
from packages import countries
from packages.money import Money
from provisioning.admin.servers import ServerForm

if TYPE_CHECKING:
    TermsForm = forms.ModelForm[TopUpTerms]
else:
    TermsForm = forms.ModelForm


class BrandStep(BrandForm):
    class Meta(BrandForm.Meta):
        fields: Any = ("name", "tagline_en", "tagline_de", "accent", "support_email", "mail_sender")


class CompanyStep(BrandForm):
    """Who sells. With it come the tax rates of the member states, where they are missing."""

    country = forms.ChoiceField(label=gettext_lazy("Country"), choices=countries.named)

    class Meta(BrandForm.Meta):
        fields: Any = (
            *("company", "street", "postcode", "city", "country", "vat_id", "tax_number"),
            *("small_business", "prices_include_tax", "currencies", "zone"),
            *("bank_holder", "iban", "bic", "invoice_footer_en", "invoice_footer_de"),
        )


class DiallerStep(ServerForm):
    """The least that a server needs; everything else has its page."""

    mapping: Any = None
    trusts_role: Any = None
    simulator = forms.BooleanField(
        label=gettext_lazy("It is the simulator that comes with the shop"),
        required=False,
        help_text=gettext_lazy("For training. A real server has the names of its profile."),
    )

    class Meta(ServerForm.Meta):
        fields: Any = ("name", "base_url", "login_url", "currency", "profile", "auth", "username")
        widgets: ClassVar[dict[str, Any]] = {}


# A new customer's month is half a largest top-up: what a stolen card can take stays small.
FIRST_LIMITS = TOP_UPS | {
    "new_day_minor": 200_00,
    "new_month_minor": 500_00,
    "new_balance_minor": 500_00,
}


def _sum(label: Any, help_text: Any = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        min_value=0,
        max_digits=12,
        decimal_places=2,
        help_text=help_text,
        localize=True,
    )


class TopUpStep(TermsForm):
    """The limits of one currency's top-ups, in whole money; a new row begins with usual ones."""

    min_minor = _sum(gettext_lazy("Smallest top-up"))
    max_minor = _sum(gettext_lazy("Largest top-up"))
    balance_minor = _sum(gettext_lazy("Most credit of an account"))
    new_day_minor = _sum(gettext_lazy("New customers: top-ups of 24 hours"))
    new_month_minor = _sum(gettext_lazy("New customers: top-ups of 30 days"))
    new_balance_minor = _sum(gettext_lazy("New customers: most credit of an account"))
    low_minor = _sum(
        gettext_lazy("Low balance"),
        gettext_lazy("Below it the customer gets a mail, unless they chose another sum. Zero: no."),
    )
    field_order = (
        *("currency", "min_minor", "max_minor", "balance_minor", "low_minor"),
        *("new_days", "new_day_minor", "new_month_minor", "new_balance_minor"),
    )

    class Meta:
        model = TopUpTerms
        fields = ("currency", *TOP_UPS, "new_days")
        widgets: ClassVar[dict[str, Any]] = {"currency": forms.HiddenInput}

    def __init__(self, data: Any, currency: str) -> None:
        terms = TopUpTerms.objects.filter(currency=currency).first()
        terms = terms or TopUpTerms(currency=currency, **FIRST_LIMITS)
        sums = {name: Money(getattr(terms, name), currency).decimal for name in TOP_UPS}
        super().__init__(data, instance=terms, initial=sums)

    def clean_currency(self) -> str:
        """Keep the row's own: which row is written was said before anything was typed."""
        return self.instance.currency

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        for name in TOP_UPS.keys() & given.keys():
            try:
                given[name] = Money.of_decimal(given[name], self.instance.currency).minor
            except ValueError as error:
                self.add_error(name, str(error))
        if not self.errors and not (
            0 < given["min_minor"] <= given["max_minor"] <= given["balance_minor"]
        ):
            raise forms.ValidationError(
                _(
                    "The smallest top-up is more than nothing, the largest no less than it, and "
                    "an account may hold the largest one."
                )
            )
        return given
