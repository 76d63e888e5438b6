"""A bank transfer that arrived becomes a payment, whether or not anybody announced it."""

from datetime import datetime

from django.db import transaction

from billing import payments
from billing.gateways import bank_transfer
from billing.locks import take_for_invoices
from billing.models import BankEntry, Invoice, Payment, paying
from packages.money import Money
from packages.states import record_change

CODE = bank_transfer.BankTransfer.code


def book(
    invoice: Invoice,
    amount: Money,
    *,
    arrived_at: datetime,
    at: datetime,
    actor: str,
    entry: BankEntry | None = None,
) -> Payment:
    """Record `amount` as received for an invoice of its currency, and return the payment.

    Less than what is due leaves the invoice open with the rest; what is too much, or comes for an
    invoice that is not open any more, goes onto the customer's balance. Takes the invoice's locks;
    a bank entry must be locked before. Raises provisioning.servers.NoServer.
    """
    with transaction.atomic():
        held = take_for_invoices(concerned(invoice))
        payment = _announced(invoice)
        if payment is None:
            payment = _begin(held.invoices[invoice.pk], amount, entry, at, actor)
        else:
            payments.revalue(payment, amount, at=at, actor=actor)
            Payment.objects.filter(pk=payment.pk).update(bank_entry=entry)
        snapshot = bank_transfer.confirmed(payment.key.hex, amount, arrived_at)
        return payments.record(snapshot, CODE, at=at, actor=actor)


def concerned(invoice: Invoice) -> list[Invoice]:
    """Return the invoices that a transfer for this one pays: all for which it was announced."""
    announced = _announced(invoice)
    return announced.invoices if announced is not None else [invoice]


def _announced(invoice: Invoice) -> Payment | None:
    """Return the transfer that the customer chose in the shop, also if they changed their mind."""
    ours = invoice.payments.filter(gateway=CODE).exclude(state=Payment.State.SUCCEEDED)
    return ours.order_by("-id").first()


def _begin(
    invoice: Invoice, amount: Money, entry: BankEntry | None, at: datetime, actor: str
) -> Payment:
    """Insert a payment that is about to succeed.

    Where another way to pay is open, that one stays open: this one begins as given up, from where
    a success is believed all the same.
    """
    another = Payment.objects.filter(paying(invoice), state__in=Payment.OPEN).exists()
    payment = Payment.objects.create(
        customer=invoice.customer,
        invoice=invoice,
        gateway=CODE,
        state=Payment.State.CANCELLED if another else Payment.State.CREATED,
        amount_minor=amount.minor,
        currency=invoice.currency,
        created_at=at,
        bank_entry=entry,
    )
    record_change(payment, before="", at=at, actor=actor, reason="a transfer arrived")
    return payment
