"""The operator's brand, and the texts the law asks for."""

from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from stdnum import iban
from stdnum.exceptions import ValidationError as NumberError

from billing import colours, invoice_days, legal_texts, numbers
from billing.models import Brand, Invoice, LegalText, brand_if_any
from packages import clock
from packages.desk.cells import EMPTY, badge
from packages.desk.pages import Page
from packages.desk.sums import Scaled
from packages.periods import business_day

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Brand]
else:
    ModelForm = forms.ModelForm


class BrandForm(ModelForm):
    telecom_floor_minor = Scaled(
        parts=100,
        label=gettext_lazy("Least arrears"),
        help_text=gettext_lazy("In euros; what is contested or paid does not count."),
    )

    class Meta:
        model = Brand
        fields = "__all__"
        widgets = {"accent": forms.TextInput(attrs={"type": "color"})}

    def clean_accent(self) -> str:
        """Ask for a colour that can be read on white, and white on it: mails and papers use it."""
        accent: str = self.cleaned_data["accent"]
        ratio = colours.contrast(accent, colours.WHITE)
        if ratio < colours.AA:
            raise forms.ValidationError(
                _(
                    "Text in %(accent)s has a contrast of %(ratio)s : 1 on white; 4.5 : 1 is "
                    "needed to be read by everybody (WCAG AA). The nearest colour that has it is "
                    "%(nearest)s."
                )
                % {
                    "accent": accent,
                    "ratio": f"{ratio:.1f}",
                    "nearest": colours.palette(accent).accent,
                }
            )
        return accent

    def clean_zone(self) -> str:
        zone: str = self.cleaned_data["zone"]
        if zone not in available_timezones():
            raise forms.ValidationError(_("Enter a time zone's name, e.g. Europe/Berlin."))
        return zone

    def clean_currencies(self) -> str:
        codes: str = self.cleaned_data["currencies"].upper().replace(",", " ")
        if not codes.split() or any(len(c) != 3 or not c.isalpha() for c in codes.split()):
            raise forms.ValidationError(_("Enter currencies of three letters, e.g. EUR USD."))
        return " ".join(codes.split())

    def clean_credit_prefix(self) -> str:
        prefix: str = self.cleaned_data["credit_prefix"]
        if prefix == self.cleaned_data.get("invoice_prefix"):
            raise forms.ValidationError(_("Invoices and credit notes need different prefixes."))
        return prefix

    def clean_country(self) -> str:
        return str(self.cleaned_data["country"]).upper()

    def clean_iban(self) -> str:
        given: str = self.cleaned_data["iban"]
        try:
            return iban.format(iban.validate(given)) if given else ""
        except NumberError as error:
            raise forms.ValidationError(
                _("This is no valid IBAN; check it digit by digit.")
            ) from error


@admin.register(Brand)
class BrandPage(Page):
    guarded = True
    form = BrandForm
    readonly_fields = ("next_numbers",)
    fieldsets = (
        (None, {"fields": ("name", "tagline_en", "tagline_de", "logo", "accent")}),
        (gettext_lazy("Mail"), {"fields": (("support_email", "mail_sender"), "login_by")}),
        (
            gettext_lazy("Company, as on invoices"),
            {
                "fields": (
                    "company",
                    "street",
                    ("postcode", "city", "country"),
                    ("vat_id", "tax_number"),
                )
            },
        ),
        (gettext_lazy("Bank"), {"fields": ("bank_holder", ("iban", "bic"))}),
        (
            gettext_lazy("Invoice footer"),
            {
                "fields": ("invoice_footer_en", "invoice_footer_de"),
                "description": gettext_lazy(
                    "On invoices, credit notes and pro formas, below company and bank, in the "
                    "document's language; without a German text the English one. What is issued "
                    "keeps the text of its day."
                ),
            },
        ),
        (
            gettext_lazy("Numbers of invoices and credit notes"),
            {
                "fields": (
                    ("invoice_prefix", "credit_prefix"),
                    ("numbers_by_year", "number_digits"),
                    "next_numbers",
                )
            },
        ),
        (
            gettext_lazy("Selling"),
            {
                "fields": (
                    ("currencies", "zone"),
                    ("prices_include_tax", "small_business"),
                    ("due_days", "terms_version"),
                    "one_invoice",
                    "pro_forma",
                    "cancel_now",
                )
            },
        ),
        (
            gettext_lazy("Renewals are invoiced ahead"),
            {
                "fields": (
                    ("lead_monthly", "lead_quarterly", "lead_half_yearly"),
                    ("lead_yearly", "lead_two_yearly"),
                    "price_notice_days",
                ),
                "description": gettext_lazy(
                    "So many days before its period begins, and falls due, an invoice is sent. A "
                    "change moves the invoices that are still to come."
                ),
            },
        ),
        (
            gettext_lazy("Consumers"),
            {
                "fields": (
                    "german_consumers",
                    "suspends_disputed",
                    "telecom_floor",
                    ("telecom_floor_minor", "telecom_notice_days"),
                )
            },
        ),
    )

    @admin.display(description=gettext_lazy("the next ones"))
    def next_numbers(self, row: Brand) -> str:
        """Show what the saved settings will print; changing them never gives a number twice."""
        if row._state.adding:
            return EMPTY
        on = business_day(clock.now(), row.zone)
        series = (Invoice.SERIES, Invoice.CREDIT_SERIES)
        return ", ".join(numbers.upcoming(row, code, on=on) for code in series)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """There is one brand, so its list is its form."""
        brand = Brand.objects.first()
        if brand is not None:
            return HttpResponseRedirect(reverse("admin:billing_brand_change", args=[brand.pk]))
        return super().changelist_view(request, extra_context)

    def save_model(self, request: HttpRequest, obj: Brand, form: Any, change: bool) -> None:
        before = Brand.objects.filter(pk=1).first()
        obj.pk = 1
        super().save_model(request, obj, form, change)
        moved = invoice_days.move(before, obj) if before else 0
        if moved:
            text = ngettext(
                "%(count)s coming invoice has another day now.",
                "%(count)s coming invoices have another day now.",
                moved,
            )
            messages.info(request, text % {"count": moved})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return not Brand.objects.exists() and super().has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(LegalText)
class LegalTextPage(Page):
    list_display = ("page", "english", "german")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, str | list[str]]:
        """Begin the information on withdrawal from the law's model."""
        initial = super().get_changeform_initial_data(request)
        brand = brand_if_any()
        if initial.get("page") == LegalText.Page.WITHDRAWAL and brand is not None:
            for code, _language in settings.LANGUAGES:
                initial.setdefault(f"body_{code}", legal_texts.model(code, brand))
        return initial

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Each page has one text, so nobody adds one when all are there."""
        written = LegalText.objects.count() >= len(LegalText.Page)
        return not written and super().has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("English"))
    def english(self, row: LegalText) -> str:
        return _there(row.body_en)

    @admin.display(description=gettext_lazy("German"))
    def german(self, row: LegalText) -> str:
        return _there(row.body_de)


def _there(text: str) -> str:
    return badge("ok", _("written")) if text else EMPTY
