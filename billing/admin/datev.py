"""The sheet "DATEV export", and the rows that say which of our books is which account there."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import datev, gateways
from billing.admin.gateway_names import called
from billing.admin.reports import MONTH
from billing.models import DatevAccount, DatevSettings, LedgerAccount, current_brand
from packages import clock
from packages.desk import downloads
from packages.desk.cells import EMPTY, percent
from packages.desk.pages import Page
from packages.desk.sheets import Sheet, register
from packages.desk.single import OnlyRow
from packages.desk.sums import ModelForm
from packages.desk.sums import percent as percent_of
from packages.periods import add_months, business_day


class StackForm(forms.Form):
    month = forms.DateField(label=gettext_lazy("Month"), input_formats=["%Y-%m"], widget=MONTH)
    currency = forms.ChoiceField(label=gettext_lazy("Currency"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        books = LedgerAccount.objects.order_by("currency").values_list("currency", flat=True)
        codes = [(code, code) for code in books.distinct()] or [("EUR", "EUR")]
        # An accountant in Germany keeps books in euros, so these come first.
        choices = sorted(codes, key=lambda code: code[0] != "EUR")
        self.fields["currency"].choices = choices  # type: ignore[attr-defined]


@register
class DatevExport(Sheet):
    code = "datev"
    label = gettext_lazy("DATEV export")
    right = "billing.view_report"
    template = "admin/datev.html"

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Show what can be had; give the file of the month that is asked for."""
        form, settings = _asked(request), DatevSettings.objects.first()
        if settings is None or not form.is_valid():
            return super().answer(request)
        try:
            given = form.cleaned_data
            return _file(request, settings, given["month"], given["currency"])
        except datev.Incomplete as error:
            words = {"what": str(error)}
            messages.error(request, _("No account in the chart for: %(what)s. Add it.") % words)
            return HttpResponseRedirect(request.path)

    def told(self, request: HttpRequest) -> dict[str, Any]:
        return {
            "form": _asked(request),
            "settings": DatevSettings.objects.first(),
            "accounts": DatevAccount.objects.all(),
        }


@admin.register(DatevSettings)
class DatevSettingsPage(OnlyRow):
    fields = (("consultant", "client"), "chart", "digits", "year_begins", "first_debtor")

    def save_model(self, request: HttpRequest, obj: DatevSettings, form: Any, change: bool) -> None:
        obj.pk = 1
        super().save_model(request, obj, form, change)
        datev.fill_in(obj.chart)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return not DatevSettings.objects.exists() and super().has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _gateways() -> list[tuple[str, str]]:
    """Those with an account here, and those that the chart names from before."""
    kept = DatevAccount.objects.exclude(gateway="").values_list("gateway", flat=True)
    return [("", "---------"), *((code, called(code)) for code in {*gateways.codes(), *kept})]


class AccountForm(ModelForm):
    tax_bp = percent_of(gettext_lazy("VAT in percent"), required=False)
    gateway = forms.ChoiceField(label=gettext_lazy("Gateway"), required=False, choices=_gateways)

    class Meta:
        model = DatevAccount
        fields = "__all__"


@admin.register(DatevAccount)
class DatevAccountPage(Page):
    form = AccountForm
    list_display = ("book", "at_gateway", "region", "rate", "account", "tax_key")
    list_filter = ("book",)
    fields = ("book", "gateway", "region", "tax_bp", ("account", "tax_key"))

    @admin.display(description=gettext_lazy("gateway"), ordering="gateway")
    def at_gateway(self, row: DatevAccount) -> str:
        return called(row.gateway) if row.gateway else EMPTY

    @admin.display(description=gettext_lazy("VAT"), ordering="tax_bp")
    def rate(self, row: DatevAccount) -> str:
        return EMPTY if row.tax_bp is None else percent(row.tax_bp)


def _file(
    request: HttpRequest, settings: DatevSettings, month: date, currency: str
) -> HttpResponse:
    zone = current_brand().zone
    content = datev.stack(settings, month, currency, zone=zone, at=clock.now())
    name = f"EXTF_Buchungsstapel_{month:%Y-%m}_{currency}.csv"
    downloads.note(request, name, datev.bookings(content))
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type="text/csv; charset=windows-1252", headers=headers)


def _asked(request: HttpRequest) -> StackForm:
    return StackForm(request.GET if "month" in request.GET else None, initial=_usual())


def _usual() -> dict[str, Any]:
    """The month that is over."""
    on = business_day(clock.now(), current_brand().zone)
    return {"month": add_months(on.replace(day=1), -1)}
