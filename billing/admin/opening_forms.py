"""What each step of the way to an open shop asks for."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy

from billing.admin.brand import BrandForm
from billing.admin.top_ups import TermsForm
from billing.demo import TOP_UPS
from billing.models import TopUpTerms
from packages import countries
from provisioning.admin.servers import ServerForm


class BrandStep(BrandForm):
    telecom_floor_minor: Any = None

    class Meta(BrandForm.Meta):
        fields: Any = ("name", "tagline_en", "tagline_de", "accent", "support_email", "mail_sender")


class CompanyStep(BrandForm):
    """Who sells. With it come the tax rates of the member states, where they are missing."""

    country = forms.ChoiceField(label=gettext_lazy("Country"), choices=countries.named)
    telecom_floor_minor: Any = None

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


class TopUpStep(TermsForm):
    """The limits of one currency's top-ups, in whole money; a new row begins with usual ones."""

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
        super().__init__(data, instance=terms)

    def clean_currency(self) -> str:
        """Keep the row's own: which row is written was said before anything was typed."""
        return self.currency_of(self.instance)
