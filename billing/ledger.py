"""Postings. Nothing else writes to the books, and nothing in them is ever changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Sum

from billing.models import (
    Customer,
    Invoice,
    LedgerAccount,
    LedgerTransaction,
    Payment,
    Posting,
)
from packages.money import Money, total

Kind = LedgerAccount.Kind


@dataclass(frozen=True, slots=True)
class Entry:
    """One side of a booking; a positive amount is a debit."""

    kind: LedgerAccount.Kind
    amount: Money
    customer: Customer | None = None
    name: str = ""


class Unbalanced(ValueError):
    """The entries do not sum to zero; nothing was booked."""


def book_invoices(invoices: Sequence[Invoice], *, at: datetime) -> None:
    """Book issued invoices: the customer owes the total, of which a part is tax."""
    for invoice in invoices:
        if invoice.total_minor == 0:
            continue
        entries = [
            Entry(Kind.RECEIVABLE, invoice.total, invoice.customer),
            Entry(Kind.REVENUE, Money(-invoice.net_minor, invoice.currency)),
            Entry(Kind.TAX_PAYABLE, Money(-invoice.tax_minor, invoice.currency)),
        ]
        _book(f"invoice-{invoice.pk}:issued", entries, at=at, invoice=invoice)


def book_payment(payment: Payment, *, settled: Money, at: datetime) -> None:
    """Book a payment once: `settled` lowers what is owed, the rest is the customer's credit."""
    excess = payment.amount - settled
    entries = [
        Entry(Kind.CLEARING, payment.amount, name=payment.gateway),
        Entry(Kind.RECEIVABLE, -settled, payment.customer),
        Entry(Kind.CUSTOMER_CREDIT, -excess, payment.customer),
    ]
    _book(f"payment-{payment.pk}:succeeded", entries, at=at, payment=payment)


def balance(kind: LedgerAccount.Kind, *, customer: Customer, currency: str) -> Money:
    """Return the sum of a customer's book of that kind; debit positive."""
    postings = Posting.objects.filter(
        account__kind=kind, account__customer=customer, account__currency=currency
    )
    return Money(postings.aggregate(sum=Sum("amount_minor"))["sum"] or 0, currency)


def _book(
    cause: str,
    entries: Sequence[Entry],
    *,
    at: datetime,
    invoice: Invoice | None = None,
    payment: Payment | None = None,
) -> None:
    """Write the entries that are not zero; raise Unbalanced, IntegrityError for a known cause."""
    currency = entries[0].amount.currency
    if total((entry.amount for entry in entries), currency):
        raise Unbalanced(cause)
    transaction = LedgerTransaction.objects.create(
        cause=cause, at=at, invoice=invoice, payment=payment
    )
    Posting.objects.bulk_create(
        Posting(transaction=transaction, account=_account(entry), amount_minor=entry.amount.minor)
        for entry in entries
        if entry.amount
    )


def _account(entry: Entry) -> LedgerAccount:
    account, _ = LedgerAccount.objects.get_or_create(
        kind=entry.kind,
        name=entry.name,
        customer=entry.customer,
        currency=entry.amount.currency,
    )
    return account
