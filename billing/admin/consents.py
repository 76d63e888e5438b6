"""The sheet "Consents": the register by months, or a customer's; also as a file."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import consents
from billing.admin.reports import Reports
from billing.consents import Consent
from billing.models import Customer
from billing.report_tables import Span
from packages.desk.cells import moment, row_url
from packages.desk.sheets import register
from packages.desk.tables import Cell, Table
from packages.periods import start_of_day


@register
class Consents(Reports):
    code = "consents"
    label = gettext_lazy("Consents")
    right = "billing.view_customer"

    def told(self, request: HttpRequest) -> dict[str, Any]:
        """Return the register of the chosen months, or all of one customer's."""
        asked = request.GET.get("customer", "")
        if not asked:
            return super().told(request)
        customer = Customer.objects.filter(pk=asked).first() if asked.isdecimal() else None
        if customer is None:
            raise Http404
        told = super().told(request)
        chosen = {**told.get("chosen", {}), "customer": customer.pk}
        return {**told, "chosen": chosen, "tables": [_table(consents.of(customer))]}

    def tables(self, span: Span, *, on: date, at: datetime) -> list[Table]:
        start = start_of_day(span.first_on, span.zone)
        end = start_of_day(span.last_on + timedelta(days=1), span.zone)
        return [_table(consents.between(start, end))]


def _table(found: Sequence[Consent]) -> Table:
    rows = [
        [
            Cell(moment(each.at)),
            Cell(str(each.customer), row_url(each.customer)),
            Cell(capfirst(str(each.purpose)), row_url(each.row)),
            Cell(each.version),
            Cell(each.text),
        ]
        for each in found
    ]
    head = (_("when"), _("customer"), _("agreed to"), _("version"), _("text"))
    return Table("consents", _("Consents"), head, rows)
