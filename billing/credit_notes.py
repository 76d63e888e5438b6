"""Credit notes: take an issued invoice back, in part or in full. The invoice never changes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from billing import coupons, emails, invoices, ledger, numbers, rests, subscriptions
from billing.locks import Held, take_for_invoice
from billing.models import Invoice, InvoiceLine, InvoiceTax, Order, current_brand
from packages.money import Money, total
from packages.periods import business_day


class NotCreditable(Exception):
    """The invoice cannot be credited so: more than is left of a line, or nothing at all."""


class Changed(Exception):
    """The invoice was credited in the meantime; nothing was done."""


@dataclass(frozen=True, slots=True)
class Part:
    """How much of a line is taken back; `amount` is net or gross by the invoice's price mode."""

    line: InvoiceLine
    amount: Money
    net: Money


@dataclass(frozen=True, slots=True)
class Group:
    """The sums of one rate that are taken back."""

    rate_bp: int
    net: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything a credit note will say about money; nothing is stored yet."""

    invoice: Invoice
    nth: int
    parts: tuple[Part, ...]
    groups: tuple[Group, ...]

    @property
    def net(self) -> Money:
        return total((group.net for group in self.groups), self.invoice.currency)

    @property
    def tax(self) -> Money:
        return total((group.tax for group in self.groups), self.invoice.currency)

    @property
    def total(self) -> Money:
        return self.net + self.tax


def draft(
    invoice: Invoice,
    amounts: Mapping[int, Money] | None = None,
    *,
    undone: Collection[int] = (),
) -> Draft:
    """Work out a credit note without storing anything; the staff's preview is this too.

    `amounts` are by the line's id, in the invoice's price mode; None takes back all that is left.
    What is left is never exceeded, per line and per rate; when nothing is left of a rate, the
    group is exactly the rest, so that all credit notes together are the invoice, to the cent.
    Whoever takes back all that a service is charged takes its discounts and set-offs back with it.
    `undone` is as in `rests.left_of`. Raises NotCreditable.
    """
    if invoice.is_credit_note or invoice.number is None:
        raise NotCreditable("only an issued invoice is credited")
    if invoice.state == Invoice.State.WRITTEN_OFF:
        raise NotCreditable("what was written off is not credited any more")
    left = rests.left_of(invoice, undone=undone)
    asked = _asked(left, amounts)
    if not asked:
        raise NotCreditable("nothing is left to credit")
    parts: list[Part] = []
    groups: list[Group] = []
    for row in invoice.taxes.all():
        lines = [line for line in asked if line.tax_bp == row.tax_bp]
        if lines:
            group = _group(invoice, row, asked)
            groups.append(group)
            parts += _parts(lines, asked, group=group, gross=invoice.prices_include_tax)
    parts.sort(key=lambda part: part.line.position)
    made = Draft(invoice, _count(invoice) + 1, tuple(parts), tuple(groups))
    if not Money.zero(invoice.currency) <= made.total <= _total_left(invoice):
        raise NotCreditable("a credit note never charges, nor gives back more than is left")
    return made


def issue(
    invoice: Invoice,
    amounts: Mapping[int, Money] | None = None,
    *,
    reason: str,
    at: datetime,
    actor: str,
    seen: int | None = None,
) -> Invoice:
    """Store, book, number and mail a credit note, in one transaction with the invoice's locks.

    What was due on the invoice shrinks; what was paid becomes the customer's credit. An open
    invoice of which nothing is left is cancelled with its order if nothing was paid on it, else
    it is paid. `seen` is the `nth` of the draft that was agreed to: asked again with it, Changed
    is raised and nothing done. A service goes on past a period of which nothing is left to pay.
    Raises NotCreditable.
    """
    with transaction.atomic():
        held = take_for_invoice(invoice)
        locked = held.invoices[invoice.pk]
        made = draft(locked, amounts)
        if seen not in (None, made.nth):
            raise Changed(f"{locked} was credited in the meantime")
        note = _store(made, reason=reason, at=at)
        off_due = min(locked.due, made.total) if _is_open(locked) else Money.zero(note.currency)
        ledger.book_credit_note(note, off_due=off_due, at=at)
        locked.credited_minor += off_due.minor
        locked.save(update_fields=["credited_minor"])
        if _is_open(locked) and not locked.due:
            _finish(locked, held, at=at, actor=actor)
        for subscription in held.subscriptions.values():
            subscriptions.go_on(subscription, at=at, actor=actor)
        _number(note, at=at, actor=actor)
        emails.credit_note(note, at=at)
    return note


def _asked(
    left: Mapping[InvoiceLine, Money], amounts: Mapping[int, Money] | None
) -> dict[InvoiceLine, Money]:
    """Return what is taken back of each line; a line is never overdrawn and keeps its sign."""
    if amounts is None:
        return {line: rest for line, rest in left.items() if rest}
    if unknown := set(amounts) - {line.pk for line in left}:
        raise NotCreditable(f"no line of this invoice: {sorted(unknown)}")
    asked = {line: amounts[line.pk] for line in left if amounts.get(line.pk)}
    for line, amount in asked.items():
        low, high = sorted((Money.zero(amount.currency), left[line]))
        if not low <= amount <= high:
            raise NotCreditable(f"more than is left of line {line.position}")
    return {**asked, **_rest_of_services(asked, left)}


def _rest_of_services(
    asked: Mapping[InvoiceLine, Money], left: Mapping[InvoiceLine, Money]
) -> dict[InvoiceLine, Money]:
    """Return every line of the services of which all is asked: a discount falls with its charge."""
    whole: dict[InvoiceLine, Money] = {}
    for service in {line.subscription_id for line in asked if line.subscription_id is not None}:
        lines = {line: rest for line, rest in left.items() if line.subscription_id == service}
        of_service = [amount for line, amount in asked.items() if line in lines]
        currency = of_service[0].currency
        if total(of_service, currency) == total(lines.values(), currency):
            whole |= {line: rest for line, rest in lines.items() if rest}
    return whole


def _group(
    invoice: Invoice,
    row: InvoiceTax,
    asked: Mapping[InvoiceLine, Money],
) -> Group:
    """Sum a rate's lines by the invoice's price mode, within what is left of the group."""
    rate_bp, currency = row.tax_bp, invoice.currency
    net_left, tax_left = _group_left(invoice, row)
    amount = total((each for line, each in asked.items() if _has(line, rate_bp)), currency)
    rest = net_left + tax_left if invoice.prices_include_tax else net_left
    if amount == rest:
        return Group(rate_bp, net_left, tax_left)
    if not _between(Money.zero(currency), amount, rest):
        raise NotCreditable("more than is left of the lines with this rate")
    if not invoice.prices_include_tax:
        tax = _clamped(amount.percent(rate_bp), Money.zero(currency), tax_left)
        return Group(rate_bp, amount, tax)
    # Neither the tax nor the net may exceed its rest, and their sum is what was asked.
    tax = _clamped(amount.included_percent(rate_bp), Money.zero(currency), tax_left)
    net = _clamped(amount - tax, Money.zero(currency), net_left)
    return Group(rate_bp, net, amount - net)


def _group_left(invoice: Invoice, row: InvoiceTax) -> tuple[Money, Money]:
    earlier = list(InvoiceTax.objects.filter(invoice__corrects=invoice, tax_bp=row.tax_bp))
    net = row.net_minor - sum(each.net_minor for each in earlier)
    tax = row.tax_minor - sum(each.tax_minor for each in earlier)
    return Money(net, invoice.currency), Money(tax, invoice.currency)


def _parts(
    lines: Sequence[InvoiceLine],
    asked: Mapping[InvoiceLine, Money],
    *,
    group: Group,
    gross: bool,
) -> list[Part]:
    """Share a group's net over its lines: a whole line by its own net, odd cents on the largest."""
    nets = {line: _net(line, asked[line], gross=gross) for line in lines}
    odd = group.net - total(nets.values(), group.net.currency)
    largest = max(lines, key=lambda line: (abs(asked[line].minor), -line.position))
    nets[largest] += odd
    return [Part(line, asked[line], nets[line]) for line in lines]


def _net(line: InvoiceLine, amount: Money, *, gross: bool) -> Money:
    if not gross:
        return amount
    if amount.minor == line.unit_minor * line.quantity:
        return Money(line.net_minor, amount.currency)
    return amount - amount.included_percent(line.tax_bp)


def _store(made: Draft, *, reason: str, at: datetime) -> Invoice:
    """Write the draft of the credit note: the invoice's parties and words, today's date."""
    invoice = made.invoice
    on = business_day(at, invoice.seller.get("zone", settings.TIME_ZONE))
    note = Invoice.objects.create(
        kind=Invoice.Kind.CREDIT_NOTE,
        corrects=invoice,
        correction=made.nth,
        reason=reason[:250],
        customer=invoice.customer,
        currency=invoice.currency,
        language=invoice.language,
        issued_at=at,
        issued_on=on,
        due_on=on,
        seller=invoice.seller,
        buyer=invoice.buyer,
        net_minor=made.net.minor,
        tax_minor=made.tax.minor,
        total_minor=made.total.minor,
        tax_note=invoice.tax_note,
        prices_include_tax=invoice.prices_include_tax,
    )
    InvoiceLine.objects.bulk_create(
        _line(note, part, position) for position, part in enumerate(made.parts, start=1)
    )
    InvoiceTax.objects.bulk_create(
        InvoiceTax(
            invoice=note,
            tax_bp=group.rate_bp,
            net_minor=group.net.minor,
            tax_minor=group.tax.minor,
        )
        for group in made.groups
    )
    return note


def _line(note: Invoice, part: Part, position: int) -> InvoiceLine:
    line = part.line
    return InvoiceLine(
        invoice=note,
        position=position,
        kind=line.kind,
        description=line.description,
        period_start_on=line.period_start_on,
        period_end_on=line.period_end_on,
        unit_minor=part.amount.minor,
        net_minor=part.net.minor,
        tax_bp=line.tax_bp,
        subscription=line.subscription,
        order_line=line.order_line,
        corrects=line,
    )


def _finish(invoice: Invoice, held: Held, *, at: datetime, actor: str) -> None:
    """Nothing is due on the open invoice any more; what is taken back in full is not delivered."""
    if _total_left(invoice):
        invoices.close(invoice, held, at=at, actor=actor)
        return
    state = Invoice.State.PAID if invoice.paid_minor else Invoice.State.CANCELLED
    invoice.paid_at = at if invoice.paid_minor else None
    invoice.move(state, at=at, actor=actor, reason="credited in full", also=("paid_at",))
    order = held.orders.get(invoice.order_id or 0)
    if order is not None and order.state == Order.State.PLACED:
        reason = "invoice credited in full"
        order.move(Order.State.CANCELLED, at=at, actor=actor, reason=reason)
        coupons.release(order, at=at)
        for subscription in held.subscriptions.values():
            subscriptions.give_up(subscription, reason=reason, at=at, actor=actor)


def _number(note: Invoice, *, at: datetime, actor: str) -> None:
    """Draw the number last; the row is final from here on."""
    assert note.issued_on is not None
    brand = current_brand()
    series, year = Invoice.CREDIT_SERIES, numbers.year_of(brand, note.issued_on)
    (sequence,) = numbers.draw(series, year, 1)
    note.series, note.year, note.sequence = series, year, sequence
    note.number = numbers.text(brand, series, year, sequence)
    also = ("series", "year", "sequence", "number")
    note.move(Invoice.State.ISSUED, at=at, actor=actor, reason=note.reason, also=also)


def _total_left(invoice: Invoice) -> Money:
    credited = invoice.credit_notes.aggregate(sum=Sum("total_minor"))["sum"] or 0
    return invoice.total - Money(credited, invoice.currency)


def _count(invoice: Invoice) -> int:
    return invoice.credit_notes.count()


def _is_open(invoice: Invoice) -> bool:
    return bool(invoice.state == Invoice.State.OPEN)


def _has(line: InvoiceLine, rate_bp: int) -> bool:
    return line.tax_bp == rate_bp


def _between(one: Money, amount: Money, other: Money) -> bool:
    low, high = sorted((one, other))
    return low <= amount <= high


def _clamped(amount: Money, one: Money, other: Money) -> Money:
    low, high = sorted((one, other))
    return max(low, min(amount, high))
