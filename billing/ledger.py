"""Postings. Nothing else writes to the books, and nothing in them is ever changed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, Sum

from billing.models import (
    Allocation,
    Customer,
    Invoice,
    LedgerAccount,
    LedgerTransaction,
    Movement,
    Payment,
    Posting,
    Refund,
)
from packages import rows
from packages.money import Money, total

Kind = LedgerAccount.Kind
OF_PAYMENTS = (Movement.Kind.PAYMENT, Movement.Kind.REFUND)
# What a movement is booked against; what is none of these is to be explained.
AGAINST = {
    Movement.Kind.PAYOUT: Kind.PAYOUT,
    Movement.Kind.FEE: Kind.GATEWAY_FEES,
    Movement.Kind.DISPUTE: Kind.DISPUTED,
}
# Kind, name, customer and currency: what makes a book one of its kind.
Key = tuple[str, str, int | None, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One side of a booking; a positive amount is a debit."""

    kind: LedgerAccount.Kind
    amount: Money
    customer: Customer | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Booking:
    """One business event: its entries sum to zero, and its cause is booked once."""

    cause: str
    entries: tuple[Entry, ...]
    invoice: Invoice | None = None
    payment: Payment | None = None
    allocation: Allocation | None = None
    refund: Refund | None = None


class Unbalanced(ValueError):
    """The entries do not sum to zero; nothing was booked."""


def book_invoices(
    invoices: Sequence[Invoice], uses: Sequence[Allocation] = (), *, at: datetime
) -> None:
    """Book issued invoices: the customer owes the total, of which a part is tax; and what balances
    pay on them at once.

    Few statements, however many invoices there are.
    """
    issued = [
        Booking(f"invoice-{invoice.pk}:issued", _sides(invoice), invoice=invoice)
        for invoice in invoices
        if invoice.net_minor or invoice.tax_minor
    ]
    _book([*issued, *_used(uses)], at=at)


def book_credit_note(note: Invoice, *, off_due: Money, at: datetime) -> None:
    """Take an invoice back: `off_due` was not paid yet, the rest becomes the customer's credit."""
    if not (note.net_minor or note.tax_minor):
        return
    entries = (
        Entry(Kind.REVENUE, Money(note.net_minor, note.currency)),
        Entry(Kind.TAX_PAYABLE, Money(note.tax_minor, note.currency)),
        Entry(Kind.RECEIVABLE, -off_due, note.customer),
        Entry(Kind.CUSTOMER_CREDIT, off_due - note.total, note.customer),
    )
    _book([Booking(f"invoice-{note.pk}:issued", entries, invoice=note)], at=at)


def book_payments(payments: Sequence[tuple[Payment, Money]], *, at: datetime) -> None:
    """Book each payment once: the sum beside it lowers what is owed, the rest is the customer's
    credit. Few statements, however many payments there are.
    """
    _book([_of_payment(payment, settled) for payment, settled in payments], at=at)


def book_uses(allocations: Sequence[Allocation], *, at: datetime) -> None:
    """Book what balances pay on invoices: both what we owe and what is owed to us shrink."""
    _book(_used(allocations), at=at)


def book_refund(refund: Refund, step: str, *, at: datetime) -> None:
    """Book a refund's step: `requested` takes it off the balance, `succeeded` lets it leave us,
    `failed` puts it back. `returned` takes back both of one that had left us and failed later.
    """
    amount, customer = refund.amount, refund.payment.customer
    sides = {
        "requested": (
            Entry(Kind.CUSTOMER_CREDIT, amount, customer),
            Entry(Kind.REFUND, -amount),
        ),
        "succeeded": (
            Entry(Kind.REFUND, amount),
            Entry(Kind.CLEARING, -amount, name=refund.clearing),
        ),
        "failed": (
            Entry(Kind.REFUND, amount),
            Entry(Kind.CUSTOMER_CREDIT, -amount, customer),
        ),
        "returned": (
            Entry(Kind.CLEARING, amount, name=refund.clearing),
            Entry(Kind.CUSTOMER_CREDIT, -amount, customer),
        ),
    }
    _book([Booking(f"refund-{refund.pk}:{step}", sides[step], refund=refund)], at=at)


def book_movement(movement: Movement, *, at: datetime) -> None:
    """Book what a gateway took, paid out or let be taken back; the clearing book then holds what
    the gateway holds.

    Payments and refunds of ours were booked when they happened, so only their fees are new.
    """
    known = movement.kind in OF_PAYMENTS and movement.payment_id is not None
    amount = Money.zero(movement.currency) if known else movement.amount
    against = AGAINST.get(Movement.Kind(movement.kind), Kind.SUSPENSE)
    entries = (
        Entry(Kind.CLEARING, amount - movement.fee, name=movement.gateway),
        Entry(against, -amount, name=movement.gateway),
        Entry(Kind.GATEWAY_FEES, movement.fee, name=movement.gateway),
    )
    if amount or movement.fee:
        _book([Booking(f"movement-{movement.pk}", entries)], at=at)


def book_write_off(invoice: Invoice, amount: Money, *, at: datetime) -> None:
    """Book what is not expected to be paid any more; its tax is the accountant's to correct."""
    entries = (
        Entry(Kind.BAD_DEBT, amount),
        Entry(Kind.RECEIVABLE, -amount, invoice.customer),
    )
    _book([Booking(f"invoice-{invoice.pk}:written-off", entries, invoice=invoice)], at=at)


def credited(note: Invoice) -> Money:
    """Return what of a credit note went onto the customer's balance: that which had been paid."""
    postings = Posting.objects.filter(transaction__invoice=note, account__kind=Kind.CUSTOMER_CREDIT)
    return Money(-(postings.aggregate(sum=Sum("amount_minor"))["sum"] or 0), note.currency)


def balance(kind: LedgerAccount.Kind, *, customer: Customer, currency: str) -> Money:
    """Return the sum of a customer's book of that kind; debit positive."""
    postings = Posting.objects.filter(
        account__kind=kind, account__customer=customer, account__currency=currency
    )
    return Money(postings.aggregate(sum=Sum("amount_minor"))["sum"] or 0, currency)


def _of_payment(payment: Payment, settled: Money) -> Booking:
    entries = (
        Entry(Kind.CLEARING, payment.amount, name=payment.gateway),
        Entry(Kind.RECEIVABLE, -settled, payment.customer),
        Entry(Kind.CUSTOMER_CREDIT, settled - payment.amount, payment.customer),
    )
    return Booking(f"payment-{payment.pk}:succeeded", entries, payment=payment)


def _used(allocations: Sequence[Allocation]) -> list[Booking]:
    return [
        Booking(f"allocation-{each.pk}:used", _use(each), allocation=each) for each in allocations
    ]


def _use(allocation: Allocation) -> tuple[Entry, ...]:
    invoice = allocation.invoice
    amount = Money(allocation.amount_minor, invoice.currency)
    return (
        Entry(Kind.CUSTOMER_CREDIT, amount, invoice.customer),
        Entry(Kind.RECEIVABLE, -amount, invoice.customer),
    )


def _sides(invoice: Invoice) -> tuple[Entry, ...]:
    return (
        Entry(Kind.RECEIVABLE, invoice.total, invoice.customer),
        Entry(Kind.REVENUE, Money(-invoice.net_minor, invoice.currency)),
        Entry(Kind.TAX_PAYABLE, Money(-invoice.tax_minor, invoice.currency)),
    )


def _book(bookings: Sequence[Booking], *, at: datetime) -> None:
    """Write the entries that are not zero; raise Unbalanced, IntegrityError for a known cause."""
    for booking in bookings:
        currency = booking.entries[0].amount.currency
        if total((entry.amount for entry in booking.entries), currency):
            raise Unbalanced(booking.cause)
    transactions = rows.add(
        LedgerTransaction,
        (
            {
                "cause": each.cause,
                "at": at,
                "invoice_id": each.invoice and each.invoice.pk,
                "payment_id": each.payment and each.payment.pk,
                "allocation_id": each.allocation and each.allocation.pk,
                "refund_id": each.refund and each.refund.pk,
            }
            for each in bookings
        ),
    )
    books = _books({_key(entry) for each in bookings for entry in each.entries if entry.amount})
    rows.add(
        Posting,
        (
            {
                "transaction_id": transaction_id,
                "account_id": books[_key(entry)],
                "amount_minor": entry.amount.minor,
            }
            for transaction_id, booking in zip(transactions, bookings, strict=True)
            for entry in booking.entries
            if entry.amount
        ),
    )


def _books(wanted: Collection[Key]) -> dict[Key, int]:
    """Return the id of each of these books; those that do not exist yet are opened."""
    found = _known(wanted)
    missing = sorted(set(wanted) - found.keys(), key=str)
    if not missing:
        return found
    opened = rows.add(
        LedgerAccount,
        (
            {"kind": kind, "name": name, "customer_id": customer_id, "currency": currency}
            for kind, name, customer_id, currency in missing
        ),
        unless_known=True,
    )
    if not opened:
        # Another worker has just opened one of them.
        return _known(wanted)
    return found | dict(zip(missing, opened, strict=True))


def _known(wanted: Collection[Key]) -> dict[Key, int]:
    customers = {key[2] for key in wanted if key[2] is not None}
    mine = Q(customer_id__in=customers) | Q(customer__isnull=True)
    books = LedgerAccount.objects.filter(mine, kind__in={key[0] for key in wanted})
    found = books.values_list("kind", "name", "customer_id", "currency", "pk")
    known = {(kind, name, owner, currency): pk for kind, name, owner, currency, pk in found}
    return {key: known[key] for key in wanted if key in known}


def _key(entry: Entry) -> Key:
    customer_id = entry.customer.pk if entry.customer else None
    return (str(entry.kind), entry.name, customer_id, entry.amount.currency)
