"""Bank transfers that arrived become payments, whether or not anybody announced them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from billing import bundles, payments
from billing.gateways import bank_transfer
from billing.locks import Held, take, take_for_invoices
from billing.models import BankEntry, Invoice, Payment, PaymentPart
from packages import rows, states
from packages.money import Money

CODE = bank_transfer.BankTransfer.code
BEGUN = {
    Payment.State.CREATED: "a transfer arrived",
    Payment.State.CANCELLED: "a transfer arrived while another payment is open",
}


@dataclass(frozen=True, slots=True)
class Arrival:
    """Money for an invoice, in its currency: when it arrived, and which bank entry says so."""

    invoice: Invoice
    amount: Money
    arrived_at: datetime
    entry: BankEntry | None = None


def book(arrivals: Sequence[Arrival], held: Held, *, at: datetime, actor: str) -> list[Payment]:
    """Record each sum as received for its invoice, and return the payments; no two may be of one
    customer.

    Less than what is due leaves an invoice open with the rest; what is too much, or comes for an
    invoice that is not open any more, goes onto the customer's balance. Few statements, however
    many there are. Needs the locks of `held_for`. Raises provisioning.servers.NoServer.
    """
    announced = take(payments=_announced(each.invoice for each in arrivals)).payments
    begun = {each.invoice_id: each for each in announced.values()}
    known = [each for each in arrivals if each.invoice.pk in begun]
    _revalue([(begun[each.invoice.pk], each) for each in known], at=at, actor=actor)
    new = [each for each in arrivals if each.invoice.pk not in begun]
    for each in _begin(new, held.invoices, at=at, actor=actor):
        begun[each.invoice_id] = each
    booked = [begun[each.invoice.pk] for each in arrivals]
    told = [
        (payment, bank_transfer.confirmed(payment.key.hex, each.amount, each.arrived_at))
        for payment, each in zip(booked, arrivals, strict=True)
    ]
    payments.succeed(told, held, at=at, actor=actor)
    return booked


def held_for(invoices: Iterable[Invoice], *, payments: Iterable[int] = ()) -> Held:
    """Lock what transfers for these invoices concern: all those for which they were announced."""
    asked = {each.pk: each for each in invoices}
    parts = PaymentPart.objects.filter(payment__in=_announced(asked.values()))
    asked |= {each.invoice_id: each.invoice for each in parts.select_related("invoice")}
    return take_for_invoices(list(asked.values()), payments=payments)


def _announced(invoices: Iterable[Invoice]) -> list[int]:
    """Return the transfers that customers chose in the shop, also if they changed their mind."""
    ours = Payment.objects.filter(invoice__in=[each.pk for each in invoices], gateway=CODE)
    begun = ours.exclude(state=Payment.State.SUCCEEDED)
    return list(begun.order_by("id").values_list("pk", flat=True))


def _revalue(found: Sequence[tuple[Payment, Arrival]], *, at: datetime, actor: str) -> None:
    """Let announced transfers, which are locked, be what arrived."""
    for payment, arrival in found:
        payments.revalue(payment, arrival.amount, at=at, actor=actor)
        payment.bank_entry = arrival.entry
    rows.update([payment for payment, _ in found], "bank_entry")


def _begin(
    arrivals: Sequence[Arrival], invoices: dict[int, Invoice], *, at: datetime, actor: str
) -> list[Payment]:
    """Insert payments that are about to succeed.

    Where another way to pay is open, that one stays open: this one begins as given up, from where
    a success is believed all the same.
    """
    others = bundles.being_paid(each.invoice for each in arrivals)
    begun = [_new(each, invoices[each.invoice.pk], others, at=at) for each in arrivals]
    for state, reason in BEGUN.items():
        alike = [each for each in begun if each.state == state]
        states.insert(alike, at=at, actor=actor, reason=reason)
    return begun


def _new(arrival: Arrival, invoice: Invoice, others: set[int], *, at: datetime) -> Payment:
    return Payment(
        customer=invoice.customer,
        invoice=invoice,
        gateway=CODE,
        state=Payment.State.CANCELLED if invoice.pk in others else Payment.State.CREATED,
        amount_minor=arrival.amount.minor,
        currency=invoice.currency,
        created_at=arrival.arrived_at,
        bank_entry=arrival.entry,
    )
