"""What is left of the time a customer has paid for, and the credit notes that give it back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from billing import credit_notes, proration, rests
from billing.models import Exchange, Invoice, InvoiceLine, Subscription, SubscriptionPeriod
from packages.money import Money, total
from packages.periods import Period

Kind = InvoiceLine.Kind


@dataclass(frozen=True, slots=True)
class Paper:
    """An invoice that paid for the time, and what is left of its lines once the later ones are
    credited.
    """

    invoice: Invoice
    lines: Mapping[InvoiceLine, Money]

    @property
    def left(self) -> Money:
        """Return what may be credited, in the price mode: never below zero."""
        zero = Money.zero(self.invoice.currency)
        lines = total(self.lines.values(), self.invoice.currency)
        return max(zero, min(lines, _left_of_all(self.invoice)))

    @property
    def charges(self) -> list[InvoiceLine]:
        """Return its lines above zero, the largest first."""
        lines = [line for line, rest in self.lines.items() if rest.minor > 0]
        return sorted(lines, key=lambda line: (-self.lines[line].minor, line.position))

    def amounts(self, part: Money) -> dict[int, Money]:
        """Share a part of what is left over the lines; all of it takes the lines below zero too."""
        if part == total(self.lines.values(), part.currency):
            return {line.pk: rest for line, rest in self.lines.items() if rest}
        amounts = {}
        for line in self.charges:
            taken = min(part, self.lines[line])
            if taken:
                amounts[line.pk] = taken
                part -= taken
        return amounts


@dataclass(frozen=True, slots=True)
class Remainder:
    """The unused days of the running period: their worth, in the invoices' price mode.

    `papers` are the invoices that paid for them, the latest first.
    """

    period: Period
    on: date
    worth: Money
    papers: tuple[Paper, ...]

    @property
    def days(self) -> int:
        return proration.days_left(self.period, self.on)

    @property
    def line(self) -> InvoiceLine | None:
        """Return the line that the unused days were charged by; None when nothing is left of any.

        The last exchange moved their worth to its own invoice. When that one was credited in full,
        they are on the one before again.
        """
        return next((paper.charges[0] for paper in self.papers if paper.left), None)

    def share(self, amount: Money) -> Money:
        """Return what the unused days are worth at that amount for a whole period."""
        return proration.unused(amount, self.period, self.on)


def of(subscription: Subscription, *, on: date) -> Remainder | None:
    """Return what is left from that day on; None where no paid period runs (a trial, or unpaid).

    Worth is what was paid, after discounts and earlier credit notes: for the whole period, or from
    the day of its last exchange on.
    """
    periods = subscription.periods.filter(index__gte=0, given_back_on=None)
    running = periods.filter(start_on__lte=on, end_on__gt=on).first()
    if running is None:
        return None
    first = invoice_of(subscription, running)
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
    invoices = papers([*later, first], subscription)
    stretch = Period(running.start_on, running.end_on)
    left = total((paper.left for paper in invoices), subscription.currency)
    worth = proration.unused(left, stretch, on)
    if exchanges:
        charged = Money(exchanges[0].rest_minor, subscription.currency)
        worth = proration.unused(charged, Period(exchanges[0].on, running.end_on), on)
    of_line = (paper.lines[paper.charges[0]] for paper in invoices if paper.left)
    return Remainder(stretch, on, min(left, next(of_line, left), worth), invoices)


def planned(remainder: Remainder, amount: Money) -> list[credit_notes.Draft]:
    """Return the credit notes over an amount, at most all that is left; the latest invoice first.

    The amount is in the invoices' price mode. Raises credit_notes.NotCreditable.
    """
    drafts, undone = [], set[int]()
    for paper, part in parts(remainder, amount):
        drafts.append(
            credit_notes.draft(paper.invoice, paper.amounts(part), undone=frozenset(undone))
        )
        # Only what is taken back in full leaves something to the one before.
        undone.add(paper.invoice.pk)
    return drafts


def credit(
    remainder: Remainder, amount: Money, *, reason: str, at: datetime, actor: str
) -> list[Invoice]:
    """Issue the credit notes that `planned` shows. Needs the locks of the invoices."""
    return [
        credit_notes.issue(paper.invoice, paper.amounts(part), reason=reason, at=at, actor=actor)
        for paper, part in parts(remainder, amount)
    ]


def parts(remainder: Remainder, amount: Money) -> list[tuple[Paper, Money]]:
    """Share an amount over the invoices, the latest first. Raises credit_notes.NotCreditable."""
    shares = []
    for paper in remainder.papers:
        part = min(amount, paper.left)
        if part:
            shares.append((paper, part))
            amount -= part
    if amount:
        raise credit_notes.NotCreditable("more than was paid for the period")
    return shares


def invoice_of(subscription: Subscription, running: SubscriptionPeriod) -> Invoice | None:
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


def papers(invoices: Sequence[Invoice], subscription: Subscription) -> tuple[Paper, ...]:
    """Read what is left of the lines that charge or reduce the service's time, the latest first."""
    timely = (Kind.RECURRING, Kind.DISCOUNT, Kind.EXCHANGE)
    read, later = [], list[int]()
    for invoice in invoices:
        left = rests.left_of(invoice, undone=tuple(later))
        of_service = {
            line: rest
            for line, rest in left.items()
            if line.subscription_id == subscription.pk and line.kind in timely
        }
        read.append(Paper(invoice, of_service))
        later.append(invoice.pk)
    return tuple(read)


def _left_of_all(invoice: Invoice) -> Money:
    """Return what is left of the whole invoice, in its price mode."""
    mode = "total_minor" if invoice.prices_include_tax else "net_minor"
    credited = sum(invoice.credit_notes.values_list(mode, flat=True))
    return Money(getattr(invoice, mode) - credited, invoice.currency)
