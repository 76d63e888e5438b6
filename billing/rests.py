"""What is left of an invoice to be credited: neither taken back before, nor set off elsewhere."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.models import Invoice, InvoiceLine
from packages.money import Money


def left_of(invoice: Invoice, *, undone: Collection[int] = ()) -> dict[InvoiceLine, Money]:
    """Return what may still be credited of each line, in the invoice's price mode; three queries.

    What credit notes took back is gone, and so is what an exchange has set off on an invoice of its
    own: that comes back with a credit note of that one. `undone` are ids of invoices that are
    taken to be credited in full.
    """
    taken = _set_off(invoice, undone)
    for row in InvoiceLine.objects.filter(corrects__invoice=invoice):
        taken[row.corrects_id or 0] += row.unit_minor * row.quantity
    return {
        line: line.amount - Money(taken[line.pk], invoice.currency) for line in invoice.lines.all()
    }


def with_credited(lines: QuerySet[InvoiceLine]) -> Any:
    """Add to each line whether it was `credited_in_full`, by however many credit notes."""
    whole = Q(back__gt=0, back=F("unit_minor") * F("quantity"))
    return lines.annotate(back=_credited()).annotate(credited_in_full=whole)


def kept(lines: QuerySet[InvoiceLine]) -> Any:
    """Leave out the lines that were credited in full: nobody owes or gets anything for them."""
    return with_credited(lines).filter(credited_in_full=False)


def set_off_by(invoice: Invoice) -> list[Invoice]:
    """Return the invoices of exchanges that have taken over unused days of this one's charges."""
    standing = {row.invoice_id for row in _set_offs(invoice) if row.standing}
    return list(Invoice.objects.filter(pk__in=standing).order_by("pk"))


def _set_off(invoice: Invoice, undone: Collection[int]) -> dict[int, int]:
    """Return how much of each line exchanges have set off, in minor units by the line's id."""
    taken: dict[int, int] = defaultdict(int)
    for row in _set_offs(invoice).exclude(invoice__in=undone):
        taken[row.sets_off_id or 0] += row.standing
    return taken


def _set_offs(invoice: Invoice) -> Any:
    """Return the lines of exchanges that set charges of this invoice off; what of each is
    `standing` was not credited itself. An exchange that was written off never happened.
    """
    lines = InvoiceLine.objects.filter(sets_off__invoice=invoice)
    lines = lines.exclude(invoice__state=Invoice.State.WRITTEN_OFF)
    return lines.annotate(standing=_credited() - F("unit_minor") * F("quantity"))


def _credited() -> Coalesce:
    """What credit notes took back of a line, in minor units. Asked for row by row, by the index:
    joined and grouped, a thousand lines took minutes where the planner had not seen them yet.
    """
    notes = InvoiceLine.objects.filter(corrects=OuterRef("pk")).order_by().values("corrects")
    back = notes.annotate(back=Sum(F("unit_minor") * F("quantity"))).values("back")
    return Coalesce(Subquery(back), 0)
