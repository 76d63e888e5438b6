"""Payments without a browser, for tests whose subject comes after the money."""

from __future__ import annotations

from datetime import datetime

from billing import payments
from billing.gateways import bank_transfer
from billing.models import Invoice, Payment


def pay(invoice: Invoice, *, at: datetime) -> Payment:
    """Pay an invoice by bank transfer, confirmed by staff at once."""
    payment = begin(invoice, at=at)
    return arrive(payment, at=at)


def begin(invoice: Invoice, *, at: datetime) -> Payment:
    return payments.start(
        invoice, "bank_transfer", return_url="http://shop.test/", at=at, actor="test"
    )


def confirming(invoice: Invoice, *, at: datetime) -> Payment:
    """Insert a payment of the whole invoice that its gateway has not decided yet."""
    return Payment.objects.create(
        customer=invoice.customer,
        invoice=invoice,
        gateway="simulated",
        state=Payment.State.PROCESSING,
        amount_minor=invoice.total_minor,
        currency=invoice.currency,
        created_at=at,
    )


def arrive(payment: Payment, *, at: datetime) -> Payment:
    """Have staff confirm that a bank transfer came in."""
    snapshot = bank_transfer.confirmed(payment.key.hex, payment.amount, at)
    return payments.record(snapshot, "bank_transfer", at=at, actor="staff:test")
