"""What is left of the time a customer has paid for, and the credit notes that give it back."""

from dataclasses import dataclass
from datetime import date, datetime

from billing import credit_notes, proration
from billing.models import Exchange, Invoice, InvoiceLine, Subscription, SubscriptionPeriod
from packages.money import Money, total
from packages.periods import Period

Kind = InvoiceLine.Kind


@dataclass(frozen=True, slots=True)
class Paper:
    """An invoice that paid for the time, one of its lines, and what may be credited of it."""

    invoice: Invoice
    line: InvoiceLine
    left: Money


@dataclass(frozen=True, slots=True)
class Remainder:
    """The unused days of the running period: their worth, in the invoices' price mode."""

    period: Period
    on: date
    worth: Money
    papers: tuple[Paper, ...]

    @property
    def days(self) -> int:
        return proration.days_left(self.period, self.on)

    def share(self, amount: Money) -> Money:
        """Return what the unused days are worth at that amount for a whole period."""
        return proration.unused(amount, self.period, self.on)


def of(subscription: Subscription, *, on: date) -> Remainder | None:
    """Return what is left from that day on; None where no paid period runs (a trial, or unpaid).

    Worth is what was paid, after discounts and earlier credit notes: for the whole period, or from
    the day of its last exchange on.
    """
    running = subscription.periods.filter(index__gte=0, start_on__lte=on, end_on__gt=on).first()
    if running is None:
        return None
    first = _invoice_of(subscription, running)
    if first is None:
        return None
    exchanges = list(
        Exchange.objects.filter(
            subscription=subscription,
            mode=Exchange.Mode.NOW,
            state=Exchange.State.DONE,
            end_on=running.end_on,
            on__gte=running.start_on,
        ).select_related("order_line__order__invoice")
    )
    later = [each.order_line.order.invoice for each in exchanges if each.order_line is not None]
    papers = tuple(_paper(invoice, subscription) for invoice in (*later, first))
    left = total((paper.left for paper in papers), subscription.currency)
    stretch = Period(running.start_on, running.end_on)
    worth = proration.unused(left, stretch, on)
    if exchanges:
        last = exchanges[0]
        charged = Money(last.rest_minor, subscription.currency)
        worth = min(left, proration.unused(charged, Period(last.on, running.end_on), on))
    return Remainder(stretch, on, worth, papers)


def planned(remainder: Remainder, amount: Money) -> list[credit_notes.Draft]:
    """Return the credit notes over an amount, at most all that is left; the latest invoice first.

    The amount is in the invoices' price mode. Raises credit_notes.NotCreditable.
    """
    return [
        credit_notes.draft(paper.invoice, {paper.line.pk: part})
        for paper, part in _parts(remainder, amount)
    ]


def credit(
    remainder: Remainder, amount: Money, *, reason: str, at: datetime, actor: str
) -> list[Invoice]:
    """Issue the credit notes that `planned` shows. Needs the locks of the invoices."""
    return [
        credit_notes.issue(paper.invoice, {paper.line.pk: part}, reason=reason, at=at, actor=actor)
        for paper, part in _parts(remainder, amount)
    ]


def _parts(remainder: Remainder, amount: Money) -> list[tuple[Paper, Money]]:
    parts = []
    for paper in remainder.papers:
        part = min(amount, paper.left)
        if part:
            parts.append((paper, part))
            amount -= part
    if amount:
        raise credit_notes.NotCreditable("more than was paid for the period")
    return parts


def _invoice_of(subscription: Subscription, running: SubscriptionPeriod) -> Invoice | None:
    """Return the paid invoice of a period; an order's line does not know its days yet."""
    lines = InvoiceLine.objects.filter(
        subscription=subscription,
        kind=Kind.RECURRING,
        corrects=None,
        invoice__state=Invoice.State.PAID,
    ).select_related("invoice")
    line = lines.filter(period_start_on=running.start_on).first()
    if line is None:
        line = lines.filter(period_start_on=None).order_by("-pk").first()
    return line.invoice if line else None


def _paper(invoice: Invoice, subscription: Subscription) -> Paper:
    """Read what is left of the lines that charge or reduce the service's time."""
    timely = (Kind.RECURRING, Kind.DISCOUNT, Kind.EXCHANGE)
    left = {
        line: rest
        for line, rest in credit_notes.left_of(invoice).items()
        if line.subscription_id == subscription.pk and line.kind in timely
    }
    largest = max(left, key=lambda line: (line.unit_minor, -line.position))
    currency = invoice.currency
    return Paper(
        invoice,
        largest,
        max(
            Money.zero(currency),
            min(total(left.values(), currency), left[largest], _left_of_all(invoice)),
        ),
    )


def _left_of_all(invoice: Invoice) -> Money:
    """Return what is left of the whole invoice, in its price mode."""
    mode = "total_minor" if invoice.prices_include_tax else "net_minor"
    credited = sum(invoice.credit_notes.values_list(mode, flat=True))
    return Money(getattr(invoice, mode) - credited, invoice.currency)
