"""Bank transfers that arrived become payments, whether or not anybody announced them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from billing import bundles, payments
from billing.gateways import bank_transfer
from billing.locks import take, take_for_invoices
from billing.models import BankEntry, Invoice, Payment, PaymentPart
from packages import rows, states
from packages.money import Money

CODE = bank_transfer.BankTransfer.code


@dataclass(frozen=True, slots=True)
class Arrival:
    """Money for an invoice, in its currency: when it arrived, and which bank entry says so."""

    invoice: Invoice
    amount: Money
    arrived_at: datetime
    entry: BankEntry | None = None


def book(arrivals: Sequence[Arrival], *, at: datetime, actor: str) -> list[Payment]:
    """Record each sum as received for its invoice, and return the payments; no two may be of one
    customer.

    Less than what is due leaves an invoice open with the rest; what is too much, or comes for an
    invoice that is not open any more, goes onto the customer's balance. Few statements, however
    many there are. Takes the invoices' locks; bank entries must be locked before. Raises
    provisioning.servers.NoServer.
    """
    asked = [each.invoice for each in arrivals]
    with transaction.atomic():
        held = take_for_invoices(concerned(asked))
        announced = take(payments=[each.pk for each in _announced(asked).values()]).payments
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


def concerned(invoices: Iterable[Invoice]) -> list[Invoice]:
    """Return the invoices that transfers for these pay: all for which they were announced."""
    asked = {each.pk: each for each in invoices}
    announced = _announced(asked.values()).values()
    parts = PaymentPart.objects.filter(payment__in=[each.pk for each in announced])
    asked |= {each.invoice_id: each.invoice for each in parts.select_related("invoice")}
    return list(asked.values())


def _announced(invoices: Iterable[Invoice]) -> dict[int, Payment]:
    """Return the transfers that customers chose in the shop, also if they changed their mind, by
    their invoice.
    """
    ours = Payment.objects.filter(invoice__in=[each.pk for each in invoices], gateway=CODE)
    begun = ours.exclude(state=Payment.State.SUCCEEDED).order_by("id")
    return {each.invoice_id: each for each in begun}


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
    for state in (Payment.State.CREATED, Payment.State.CANCELLED):
        alike = [each for each in begun if each.state == state]
        states.insert(alike, at=at, actor=actor, reason="a transfer arrived")
    return begun


def _new(arrival: Arrival, invoice: Invoice, others: set[int], *, at: datetime) -> Payment:
    return Payment(
        customer=invoice.customer,
        invoice=invoice,
        gateway=CODE,
        state=Payment.State.CANCELLED if invoice.pk in others else Payment.State.CREATED,
        amount_minor=arrival.amount.minor,
        currency=invoice.currency,
        created_at=at,
        bank_entry=arrival.entry,
    )
