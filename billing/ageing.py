"""What customers owe, by how long it has been due; every currency by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Sum
from django.db.models.expressions import Case, F, Value, When
from django.db.models.fields import IntegerField
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from billing.models import Invoice
from packages.desk.cells import badge, list_url, state
from packages.money import Money

# The last day overdue that a bucket holds; the first bucket is not due yet, the last has no end.
LIMITS = (0, 30, 60, 90)
NAMES: Sequence[str | Promise] = (
    _("not due yet"),
    _("1 to 30 days"),
    _("31 to 60 days"),
    _("61 to 90 days"),
    _("over 90 days"),
)
DUE = F("total_minor") - F("paid_minor") - F("credited_minor") - F("written_off_minor")


@dataclass(frozen=True, slots=True)
class Bucket:
    """The open invoices of one age; `url` lists exactly these."""

    name: str | Promise
    count: int
    due: Money
    url: str
    overdue: bool


def state_of(invoice: Invoice, on: date) -> SafeString:
    """Return the invoice's state as icon and word; what is overdue on that day is not just open."""
    is_open = invoice.state == Invoice.State.OPEN and bool(invoice.due)
    late = is_open and invoice.due_on is not None and invoice.due_on < on
    return badge("warn", _("overdue")) if late else state(invoice)


def of(on: date) -> dict[str, list[Bucket]]:
    """Return the buckets of each currency in which something is owed on that day; one query."""
    bucket = Case(
        *(
            When(due_on__gte=on - timedelta(days=most), then=Value(nth))
            for nth, most in enumerate(LIMITS)
        ),
        default=Value(len(LIMITS)),
        output_field=IntegerField(),
    )
    found: dict[str, dict[int, tuple[int, int]]] = {}
    rows = Invoice.objects.filter(state=Invoice.State.OPEN).annotate(bucket=bucket).order_by()
    sums = rows.values("currency", "bucket").annotate(count=Count("id"), minor=Sum(DUE))
    for row in sums:
        of_currency = found.setdefault(row["currency"], {})
        of_currency[row["bucket"]] = (row["count"], row["minor"])
    return {code: _buckets(code, found[code], on) for code in sorted(found)}


def _buckets(code: str, found: dict[int, tuple[int, int]], on: date) -> list[Bucket]:
    return [
        Bucket(name, *_summed(found.get(nth), code), _url(code, nth, on), nth > 0)
        for nth, name in enumerate(NAMES)
    ]


def _summed(found: tuple[int, int] | None, code: str) -> tuple[int, Money]:
    count, minor = found or (0, 0)
    return count, Money(minor, code)


def _url(code: str, nth: int, on: date) -> str:
    filters = {"state__exact": "open", "currency__exact": code}
    if nth < len(LIMITS):
        filters["due_on__gte"] = str(on - timedelta(days=LIMITS[nth]))
    if nth > 0:
        filters["due_on__lt"] = str(on - timedelta(days=LIMITS[nth - 1]))
    return list_url(Invoice, **filters)
