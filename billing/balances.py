"""The balance: money of a customer that we hold. It pays their next invoices, or goes back.

It is the customer's credit in the books and nowhere else, so every cent of it has its document.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Sum

from billing import ledger, locks
from billing.models import Allocation, Customer, Invoice, LedgerAccount, LedgerTransaction, Posting
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
    rows = Posting.objects.filter(
        account__kind=KIND, account__customer=customer, account__currency=currency
    ).select_related(
        "transaction__invoice",
        "transaction__payment__invoice",
        "transaction__allocation__invoice",
        "transaction__refund__payment__invoice",
    )
    after, lines = Money.zero(currency), list[Line]()
    for row in rows.order_by("id"):
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


def spend(uses: Sequence[Use], *, at: datetime) -> None:
    """Let balances pay parts of invoices: allocate and book them, in few statements.

    Needs the balances' locks (`hold`). The caller counts the sums as paid on the invoices.
    """
    if not uses:
        return
    earlier = _uses_of([use.invoice for use in uses])
    allocations = Allocation.objects.bulk_create(
        Allocation(
            invoice=use.invoice,
            use=earlier.get(use.invoice.pk, 0) + 1,
            amount_minor=use.amount.minor,
            at=at,
        )
        for use in uses
    )
    ledger.book_uses(allocations, at=at)


def _uses_of(invoices: Sequence[Invoice]) -> dict[int, int]:
    """Return how often balances have paid on each invoice before; fresh ones are not asked."""
    rows = Allocation.objects.filter(invoice__in=invoices, payment__isnull=True).order_by()
    return dict(rows.values_list("invoice_id").annotate(count=Count("id")))
