"""What the calendar's next run will find, as sums of rows; `days.preview` works it out in full."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.models import Invoice, Subscription
from packages.desk.cells import list_url
from packages.money import Money


@dataclass(frozen=True, slots=True)
class Item:
    """One kind of work: how many rows, which sums in each currency, and their list."""

    label: str | Promise
    count: int
    sums: list[Money]
    url: str


def of(on: date) -> list[Item]:
    """Return what a run on that day would look at; three queries."""
    due = {"state__exact": "active", "next_invoice_on__lte": str(on)}
    dunned = {"state__exact": "open", "next_step_on__lte": str(on)}
    ending = {"state__in": ",".join(Subscription.LIVING), "ends_on__lte": str(on)}
    services, owed = Subscription.objects, Invoice.objects
    return [
        _item(
            _("services to invoice"),
            services.filter(state="active", next_invoice_on__lte=on),
            "amount_minor",
            list_url(Subscription, **due),
        ),
        _item(
            _("invoices that dunning looks at"),
            owed.filter(state="open", next_step_on__lte=on),
            "total_minor",
            list_url(Invoice, **dunned),
        ),
        _item(
            _("cancelled services that end"),
            services.filter(Q(state__in=Subscription.LIVING), ends_on__lte=on),
            "amount_minor",
            list_url(Subscription, **ending),
        ),
    ]


def _item(label: str | Promise, rows: QuerySet[Any], field: str, url: str) -> Item:
    sums = rows.order_by("currency").values_list("currency").annotate(Count("id"), Sum(field))
    found = list(sums)
    count = sum(row[1] for row in found)
    return Item(label, count, [Money(int(minor), code) for code, _count, minor in found], url)
