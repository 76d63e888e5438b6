"""The sheet "Reports": tables of some months, each also as a file; for owner and billing."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import report_tables
from billing.models import current_brand
from billing.report_tables import Span, end_of_month
from packages import clock
from packages.desk import downloads
from packages.desk.sheets import Sheet, register
from packages.desk.tables import Table, as_csv
from packages.periods import business_day

MOST_MONTHS = 36
MONTH = forms.DateInput(attrs={"type": "month"}, format="%Y-%m")


class SpanForm(forms.Form):
    """Two months, the second not before the first."""

    first = forms.DateField(label=gettext_lazy("From"), input_formats=["%Y-%m"], widget=MONTH)
    last = forms.DateField(label=gettext_lazy("Until"), input_formats=["%Y-%m"], widget=MONTH)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        first, last = given.get("first"), given.get("last")
        if first and last:
            months = (last.year - first.year) * 12 + last.month - first.month
            if not 0 <= months < MOST_MONTHS:
                raise forms.ValidationError(
                    _("Choose three years at most, and the second month not before the first.")
                )
        return given


@register
class Reports(Sheet):
    code = "reports"
    label = gettext_lazy("Reports")
    right = "billing.view_report"
    template = "admin/reports.html"

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Show the tables, or give the one that is asked for as a file."""
        wanted = request.GET.get("file")
        if wanted is None:
            return super().answer(request)
        for table in self.told(request).get("tables", []):
            if table.code == wanted:
                months = f"{request.GET.get('first', '')}-{request.GET.get('last', '')}".strip("-")
                name = f"{wanted}-{months}" if months else wanted
                downloads.note(request, f"{name}.csv", len(table.rows))
                return as_csv(table, name=name)
        raise Http404

    def told(self, request: HttpRequest) -> dict[str, Any]:
        at, zone = clock.now(), current_brand().zone
        on = business_day(at, zone)
        form = SpanForm(request.GET if "first" in request.GET else None, initial=_usual(on))
        if form.is_bound and not form.is_valid():
            return {"form": form}
        given = form.cleaned_data if form.is_bound else _usual(on)
        span = Span(given["first"], end_of_month(given["last"]), zone)
        chosen = {"first": f"{span.first_on:%Y-%m}", "last": f"{span.last_on:%Y-%m}"}
        return {"form": form, "tables": self.tables(span, on=on, at=at), "chosen": chosen}

    def tables(self, span: Span, *, on: date, at: datetime) -> list[Table]:
        return report_tables.all_of(span, on=on, at=at)


def _usual(on: date) -> dict[str, date]:
    return {"first": on.replace(month=1, day=1), "last": on.replace(day=1)}
