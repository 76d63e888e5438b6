"""The balance: money of a customer that we hold. It pays their next invoices, or goes back.

It is the customer's credit in the books and nowhere else, so every cent of it has its document.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Sum

from billing import ledger, locks
from billing.models import Allocation, Customer, Invoice, LedgerAccount, LedgerTransaction, Posting
from packages import rows
from packages.money import Money

KIND = LedgerAccount.Kind.CUSTOMER_CREDIT
# Customer and currency.
Key = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Use:
    """What an invoice takes from its customer's balance."""

    invoice: Invoice
    amount: Money


@dataclass(frozen=True, slots=True)
class Line:
    """One change of a balance with its document, and what was on it afterwards."""

    at: datetime
    amount: Money
    after: Money
    booking: LedgerTransaction

    @property
    def invoice(self) -> Invoice | None:
        """Return the invoice or credit note that the money came from or went to."""
        booking = self.booking
        if booking.refund is not None:
            return booking.refund.payment.invoice
        if booking.allocation is not None:
            return booking.allocation.invoice
        return booking.payment.invoice if booking.payment is not None else booking.invoice


def of(customer: Customer, currency: str) -> Money:
    """Return what is on a customer's balance: zero or more."""
    return -ledger.balance(KIND, customer=customer, currency=currency)


def all_of(customer: Customer) -> list[Money]:
    """Return what is on the customer's balances, one per currency that has something."""
    return [amount for _, amount in sorted(positive([customer.pk]).items())]


def positive(customers: Iterable[int]) -> dict[Key, Money]:
    """Return the balances of these customers that have something; one query."""
    books = LedgerAccount.objects.filter(kind=KIND, customer_id__in=set(customers))
    sums = books.annotate(sum=Sum("postings__amount_minor")).filter(sum__lt=0)
    return {
        (customer_id or 0, currency): Money(-minor, currency)
        for customer_id, currency, minor in sums.values_list("customer_id", "currency", "sum")
    }


def history(customer: Customer, currency: str) -> list[Line]:
    """Return every change of the balance, the latest first."""
    postings = Posting.objects.filter(
        account__kind=KIND, account__customer=customer, account__currency=currency
    ).select_related(
        "transaction__invoice",
        "transaction__payment__invoice",
        "transaction__allocation__invoice",
        "transaction__refund__payment__invoice",
    )
    after, lines = Money.zero(currency), list[Line]()
    for row in postings.order_by("id"):
        amount = Money(-row.amount_minor, currency)
        after += amount
        lines.append(Line(row.transaction.at, amount, after, row.transaction))
    return lines[::-1]


def used_for(invoice: Invoice) -> Money:
    """Return what the customer's balance has paid on the invoice."""
    uses = Allocation.objects.filter(invoice=invoice, payment__isnull=True)
    return Money(uses.aggregate(sum=Sum("amount_minor"))["sum"] or 0, invoice.currency)


def hold(customers: Iterable[int]) -> dict[Key, Money]:
    """Lock the balances of these customers and return those that have something.

    One statement where nobody has anything. What is on a balance may grow behind the lock, but
    nobody else takes from it until the transaction ends.
    """
    found = {customer for customer, _ in positive(customers)}
    locks.take(balances=found)
    # What was read before the lock may have been spent while waiting for it.
    return positive(found) if found else {}


def spend(use: Use, *, at: datetime) -> None:
    """Let a balance pay a part of an invoice: allocate and book it.

    Needs the balance's lock (`hold`). The caller counts the sum as paid on the invoice.
    """
    ledger.book_uses(allocate([use], at=at), at=at)


def allocate(uses: Sequence[Use], *, at: datetime) -> list[Allocation]:
    """Say which parts of invoices balances pay, in few statements; the caller books them.

    Needs what `spend` needs.
    """
    # A draft was never paid on.
    issued = [use.invoice for use in uses if use.invoice.state != Invoice.State.DRAFT]
    earlier = _uses_of(issued) if issued else {}
    return rows.insert(
        Allocation(
            invoice=use.invoice,
            use=earlier.get(use.invoice.pk, 0) + 1,
            amount_minor=use.amount.minor,
            at=at,
        )
        for use in uses
    )


def _uses_of(invoices: Sequence[Invoice]) -> dict[int, int]:
    """Return how often balances have paid on each invoice before."""
    uses = Allocation.objects.filter(invoice__in=invoices, payment__isnull=True).order_by()
    return dict(uses.values_list("invoice_id").annotate(count=Count("id")))
