"""Issue invoices, and settle them from payments."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext

from billing import (
    balances,
    changes,
    emails,
    ledger,
    numbers,
    orders,
    subscriptions,
    tax,
    terms,
    vat_ids,
)
from billing.locks import Held, take
from billing.models import (
    Allocation,
    Brand,
    Customer,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    Order,
    OrderLine,
    Payment,
    Redemption,
    Remark,
    Subscription,
    current_brand,
)
from packages import rows, states
from packages.money import Money
from packages.periods import Period, business_day

# A payment, and what it pays in this order.
Paid = tuple[Payment, Sequence[Invoice]]


@dataclass(frozen=True, slots=True)
class Line:
    """One charge of a draft; `amount` is that of one piece, net or gross by the brand's price mode.

    A discount is a line below zero. `rate_bp` is a rate of the seller's country other than the
    usual one; `exempt` says why the line is free of tax, and its price then contains none. With
    `as_paid` the amount is what this buyer pays already (a part of an earlier invoice's line).
    """

    kind: InvoiceLine.Kind
    description: str
    amount: Money
    subscription: Subscription | None = None
    order_line: OrderLine | None = None
    period: Period | None = None
    rate_bp: int | None = None
    exempt: str = ""
    quantity: int = 1
    # What a discount is owed to.
    redemption: Redemption | None = None
    # The earlier line whose unused days an exchange gives back.
    sets_off: InvoiceLine | None = None
    as_paid: bool = False
    # The last day of what is supplied, whose tax rate holds, where there is no period yet.
    supplied_on: date | None = None

    def day(self, on: date) -> date:
        """Return the day whose tax rate holds for what is invoiced on that one."""
        return self.supplied_on or (self.period.last_on if self.period else on)

    def rate_under(self, treated: tax.Treatment) -> int:
        return 0 if self.exempt else treated.rate_for(self.rate_bp)


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything an invoice will say; plain values, nothing stored yet."""

    customer: Customer
    currency: str
    language: str
    lines: tuple[Line, ...]
    order: Order | None = None
    # A renewal is due when its period begins; nothing is due before it was issued.
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class Priced:
    """A draft with its tax: what each line costs this buyer, and the document's sums.

    `treatment` is that of the first line; on a later one the rate may differ, not the note.
    """

    draft: Draft
    units: tuple[Money, ...]
    rates: tuple[int, ...]
    treatment: tax.Treatment
    sums: tax.Sums


def price(
    draft: Draft,
    brand: Brand,
    *,
    on: date,
    rates: tax.Rates | None = None,
    proven: Collection[str] | None = None,
) -> Priced:
    """Work out tax and totals without storing anything; the checkout's summary is this too.

    Raises tax.NoRate.
    """
    days = [line.day(on) for line in draft.lines]
    rates = tax.known_rates() if rates is None else rates
    by_day = {
        each: tax.treatment(
            draft.customer, brand, on=on, supplied_on=each, rates=rates, proven=proven
        )
        for each in set(days or [on])
    }
    treated = [(line, by_day[each]) for line, each in zip(draft.lines, days, strict=True)]
    units = tuple(_unit(line, brand, each) for line, each in treated)
    line_rates = tuple(line.rate_under(each) for line, each in treated)
    add_up = tax.sums_of_gross if brand.prices_include_tax else tax.sums_of_net
    amounts = [unit.times(line.quantity) for unit, line in zip(units, draft.lines, strict=True)]
    taxed = list(zip(amounts, line_rates, strict=True))
    first = by_day[days[0] if days else on]
    return Priced(draft, units, line_rates, first, add_up(taxed, draft.currency))


def _unit(line: Line, brand: Brand, treated: tax.Treatment) -> Money:
    if line.as_paid or line.exempt or treated.rate_bp or not brand.prices_include_tax:
        return line.amount
    return tax.untaxed(line.amount, treated, line.rate_bp)


def issue(drafts: Sequence[Draft], brand: Brand, *, at: datetime, actor: str) -> list[Invoice]:
    """Store, book and number one invoice per draft, in order; they are immutable afterwards.

    The customer's balance pays them first, as far as it goes; one on which nothing is due is closed
    at once, and what it promised is given. Needs an open transaction and the locks of the drafts'
    subscriptions. The numbers are drawn last and are gapless: they come back if the caller rolls
    back. Raises tax.NoRate, or IntegrityError when a period was invoiced before.
    """
    assert transaction.get_connection().in_atomic_block, "Numbers are drawn inside a transaction."
    if not drafts:
        return []
    on = business_day(at, brand.zone)
    rates = tax.known_rates()
    buyers = (draft.customer for draft in drafts)
    ids = {buyer.vat_id for buyer in buyers if vat_ids.matters(buyer, brand)}
    proven = vat_ids.proven(ids, on=on)
    priced = [price(draft, brand, on=on, rates=rates, proven=proven) for draft in drafts]
    invoices = rows.insert(
        _row(each, brand, prepaid=part, on=on, at=at)
        for each, part in zip(priced, _prepaid(priced), strict=True)
    )
    pairs = list(zip(invoices, priced, strict=True))
    rows.add(InvoiceLine, (line for pair in pairs for line in _lines(*pair)))
    rows.add(InvoiceTax, (group for pair in pairs for group in _groups(*pair)))
    uses = [balances.Use(each, each.paid) for each in invoices if each.paid_minor]
    ledger.book_invoices(invoices, balances.allocate(uses, at=at), at=at)
    series, year = Invoice.SERIES, numbers.year_of(brand, on)
    sequence = numbers.draw(series, year, len(invoices))
    for invoice, number in zip(invoices, sequence, strict=True):
        invoice.series, invoice.year, invoice.sequence = series, year, number
        invoice.number = numbers.text(brand, series, year, number)
    numbered = ("series", "year", "sequence", "number")
    states.move(invoices, Invoice.State.OPEN, at=at, actor=actor, reason="issued", also=numbered)
    settled = [
        (invoice, draft) for invoice, draft in zip(invoices, drafts, strict=True) if not invoice.due
    ]
    if settled:
        paid = [invoice for invoice, _ in settled]
        _close(paid, _concerned([draft for _, draft in settled]), at=at, actor=actor)
        emails.receipts(paid, brand, at=at)
    return invoices


def _prepaid(priced: Sequence[Priced]) -> list[Money]:
    """Share the customers' balances over their invoices, the first ones first; locks them."""
    left = balances.hold(each.draft.customer.pk for each in priced)
    parts = []
    for each in priced:
        key = (each.draft.customer.pk, each.draft.currency)
        zero = Money.zero(each.draft.currency)
        part = max(zero, min(left.get(key, zero), each.sums.total))
        left[key] = left.get(key, zero) - part
        parts.append(part)
    return parts


def _concerned(fresh: Sequence[Draft]) -> Held:
    """Lock what fresh invoices give; they are new, and balances are locked before the numbers."""
    lines = (line for draft in fresh for line in draft.lines)
    return take(
        subscriptions={line.subscription.pk for line in lines if line.subscription is not None},
        orders=[draft.order.pk for draft in fresh if draft.order is not None],
    )


def unissued(
    priced: Priced, brand: Brand, *, at: datetime
) -> tuple[Invoice, list[InvoiceLine], list[InvoiceTax]]:
    """Return the rows that issuing this would store, without a number; nothing is stored."""
    on = business_day(at, brand.zone)
    invoice = _row(priced, brand, prepaid=Money.zero(priced.draft.currency), on=on, at=at)
    lines = [InvoiceLine(**line) for line in _lines(invoice, priced)]
    return invoice, lines, [InvoiceTax(**group) for group in _groups(invoice, priced)]


def settle(paid: Sequence[Paid], held: Held, *, at: datetime) -> None:
    """Use succeeded payments for their invoices, in this order; what exceeds the sums due becomes
    customer credit.

    Needs the locks in `held`; no two payments may be of one customer, and then many take as few
    statements as one. An invoice on which nothing is due any more is paid and its order is
    fulfilled; a repetition is prevented by the allocation's and the booking's unique keys.
    """
    parts, booked = list[rows.Record](), list[tuple[Payment, Money]]()
    for payment, invoices in paid:
        rest = payment.amount
        for invoice in invoices:
            open_ = invoice.state == Invoice.State.OPEN
            part = min(invoice.due if open_ else Money.zero(invoice.currency), rest)
            rest -= part
            ids = {"payment_id": payment.pk, "invoice_id": invoice.pk}
            if part:
                parts.append({**ids, "amount_minor": part.minor, "at": at})
            invoice.paid_minor += part.minor
        booked.append((payment, payment.amount - rest))
    rows.add(Allocation, parts)
    rows.update([invoice for _, invoices in paid for invoice in invoices], "paid_minor")
    ledger.book_payments(booked, at=at)
    for payment, settled in booked:
        if not settled:
            _keep_for(payment, at=at)
    # Those of one payment one after the other: they may be for the same service.
    for nth in range(max(len(invoices) for _, invoices in paid)):
        _follow([(each, of[nth]) for each, of in paid if nth < len(of)], held, at=at)


def _keep_for(payment: Payment, *, at: datetime) -> None:
    """Tell the customer that nothing was due any more and the money is on their balance, and note
    it for staff: perhaps it is to go back.
    """
    named = ", ".join(str(invoice.number) for invoice in payment.invoices)
    with translation.override(settings.LANGUAGE_CODE):
        text = gettext(
            "%(amount)s came for %(invoice)s when nothing was due: it is on the balance."
        )
        said = text % {"amount": payment.amount, "invoice": named}
    actor = f"payment:{payment.pk}"
    Remark.objects.create(customer=payment.customer, text=said, at=at, actor=actor)
    emails.kept_on_balance(payment, at=at)


def _follow(paid: Sequence[tuple[Payment, Invoice]], held: Held, *, at: datetime) -> None:
    """Close the invoices on which nothing is due any more; of the others say what is."""
    asked = [each for each in paid if each[1].state == Invoice.State.OPEN]
    for payment, invoice in asked:
        if invoice.due:
            emails.part_paid(invoice, payment, at=at)
    closed = [(payment, invoice) for payment, invoice in asked if not invoice.due]
    invoices = [invoice for _, invoice in closed]
    _close(invoices, held, at=at, actor=[f"payment:{payment.pk}" for payment, _ in closed])
    emails.receipts(invoices, current_brand(), at=at)


def settle_from_balance(invoice: Invoice, held: Held, *, at: datetime, actor: str) -> Money:
    """Use the customer's balance for an open invoice, as far as it goes; return how much.

    Needs the locks of `take_for_invoice`; repeated, it finds either nothing due or nothing left.
    """
    zero = Money.zero(invoice.currency)
    due = invoice.due if invoice.state == Invoice.State.OPEN else zero
    part = min(due, balances.of(invoice.customer, invoice.currency))
    if not part:
        return zero
    balances.spend(balances.Use(invoice, part), at=at)
    invoice.paid_minor += part.minor
    invoice.save(update_fields=["paid_minor"])
    if not invoice.due:
        close(invoice, held, at=at, actor=actor)
    return part


def close(invoice: Invoice, held: Held, *, at: datetime, actor: str) -> None:
    """Call an open invoice paid on which nothing is due any more, and give what it promised."""
    _close([invoice], held, at=at, actor=actor)
    emails.receipt(invoice, at=at)


def _close(paid: Sequence[Invoice], held: Held, *, at: datetime, actor: states.Said) -> None:
    """Move them to paid, fulfil their orders and renew their services, in few statements."""
    if not paid:
        return
    for invoice in paid:
        invoice.paid_at = at
    reason, also = "nothing is due", ("paid_at",)
    states.move(paid, Invoice.State.PAID, at=at, actor=actor, reason=reason, also=also)
    pairs = zip(paid, states.for_each(actor, paid), strict=True)
    by = {invoice.pk: who for invoice, who in pairs}
    for invoice in paid:
        if invoice.order_id is not None:
            orders.fulfil(held.orders[invoice.order_id], held, at=at, actor=by[invoice.pk])
    lines = InvoiceLine.objects.filter(
        invoice__in=paid,
        kind=InvoiceLine.Kind.RECURRING,
        subscription__isnull=False,
        period_start_on__isnull=False,
    )
    charged = [
        (held.subscriptions[line.subscription_id or 0], line)
        for line in lines.order_by("invoice_id", "position")
    ]
    actors = {subscription.pk: by[line.invoice_id] for subscription, line in charged}
    subscriptions.renew(charged, at=at, actors=actors)
    scheduled = terms.scheduled([subscription for subscription, _ in charged])
    for subscription, _ in charged:
        if subscription.pk in scheduled:
            on = business_day(at, subscription.zone)
            changes.take_up(subscription, on=on, at=at, actor=actors[subscription.pk])


def _row(priced: Priced, brand: Brand, *, prepaid: Money, on: date, at: datetime) -> Invoice:
    draft, sums = priced.draft, priced.sums
    return Invoice(
        customer=draft.customer,
        order=draft.order,
        currency=draft.currency,
        language=draft.language,
        issued_at=at,
        issued_on=on,
        due_on=max(on, draft.due_on or on + timedelta(days=brand.due_days)),
        # For an order nothing was given yet, so its invoice is not dunned.
        next_step_on=None if draft.order else on + timedelta(days=1),
        seller=brand.seller,
        buyer=draft.customer.address,
        net_minor=sums.net.minor,
        tax_minor=sums.tax.minor,
        total_minor=sums.total.minor,
        tax_note=_note(priced),
        prices_include_tax=brand.prices_include_tax,
        paid_minor=prepaid.minor,
        prepaid_minor=prepaid.minor,
    )


def _note(priced: Priced) -> str:
    """Say why a rate of zero is one; where no line is taxed anyway, no line has a reason of its
    own.
    """
    reasons = [priced.treatment.note or line.exempt for line in priced.draft.lines]
    return " ".join(dict.fromkeys(filter(None, reasons)))[:200] or priced.treatment.note


def _lines(invoice: Invoice, priced: Priced) -> Iterator[rows.Record]:
    lines = zip(priced.draft.lines, priced.units, priced.rates, priced.sums.nets, strict=True)
    for position, (line, unit, rate_bp, net) in enumerate(lines, start=1):
        yield {
            "invoice_id": invoice.pk,
            "position": position,
            "kind": line.kind,
            "description": line.description[:200],
            "period_start_on": line.period.start_on if line.period else None,
            "period_end_on": line.period.end_on if line.period else None,
            "quantity": line.quantity,
            "unit_minor": unit.minor,
            "net_minor": net.minor,
            "tax_bp": rate_bp,
            "subscription_id": line.subscription.pk if line.subscription else None,
            "order_line_id": line.order_line.pk if line.order_line else None,
            "redemption_id": line.redemption.pk if line.redemption else None,
            "sets_off_id": line.sets_off.pk if line.sets_off else None,
        }


def _groups(invoice: Invoice, priced: Priced) -> Iterator[rows.Record]:
    for group in priced.sums.groups:
        yield {
            "invoice_id": invoice.pk,
            "tax_bp": group.rate_bp,
            "net_minor": group.net.minor,
            "tax_minor": group.tax.minor,
        }
