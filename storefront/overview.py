"""The client area's first screen as plain values: does it run, what is left, what is owed, what is
next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from billing import balance_charts, usage
from billing.models import Customer, Invoice, Payment, Subscription, paying
from packages.money import Money, total
from provisioning.models import Account, Job
from storefront import standings
from storefront.standings import Note, Standing

SHOWN_INVOICES = 5
SHOWN_SERVICES = 4
SHOWN_DEBTS = 20
# What runs or should run comes first.
ORDER: list[str] = [
    Subscription.State.SUSPENDED,
    Subscription.State.ACTIVE,
    Subscription.State.PENDING,
    Subscription.State.ENDED,
]


@dataclass(frozen=True, slots=True)
class Service:
    """A subscription with its account and what is under way for it."""

    subscription: Subscription
    standing: Standing
    paid: Standing
    running: Standing
    notes: list[Note]

    @property
    def name(self) -> str:
        return self.subscription.package.text("name")

    @property
    def balance(self) -> Money | None:
        """Return the credit as last read, None for unknown; never zero for want of knowledge."""
        account = self.subscription.account
        if account is None or account.balance_minor is None:
            return None
        return Money(account.balance_minor, self.subscription.currency)

    @property
    def paid_to(self) -> date | None:
        """Return the last day that is paid for."""
        until = self.subscription.paid_until
        return until - timedelta(days=1) if until else None

    @property
    def is_open(self) -> bool:
        """Say whether the account can be signed in to."""
        account = self.subscription.account
        return account is not None and account.state == Account.State.LIVE


@dataclass(frozen=True, slots=True)
class Balance:
    """All known credit of one currency, the oldest reading's time, how many are unknown, and how it
    went in the last days.
    """

    amount: Money | None
    read_at: datetime | None
    unknown: int
    curve: usage.Curve

    @property
    def chart(self) -> balance_charts.Chart | None:
        return balance_charts.drawn(self.curve.points)


@dataclass(frozen=True, slots=True)
class Debt:
    """What is open in one currency."""

    amount: Money
    invoices: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Renewal:
    """The services whose next period begins on a day."""

    on: date
    services: list[Service]

    @property
    def names(self) -> str:
        return ", ".join(each.name for each in self.services)

    @property
    def amounts(self) -> list[Money]:
        """Return what they cost together, by currency."""
        sums = [each.subscription.amount for each in self.services]
        currencies = sorted({each.currency for each in sums})
        return [total([each for each in sums if each.currency == one], one) for one in currencies]


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """An invoice with its state in words."""

    invoice: Invoice
    standing: Standing


def services_of(customer: Customer, *, on: date) -> list[Service]:
    """Return the customer's services by urgency, then age; two queries however many there are."""
    rows = list(
        Subscription.objects.filter(customer=customer)
        .select_related("package", "account__server")
        .order_by("-id")
    )
    waiting = unfinished_jobs([row.account_id for row in rows if row.account_id])
    services = [service_of(row, waiting.get(row.account_id or 0, []), on=on) for row in rows]
    return sorted(services, key=lambda each: ORDER.index(each.subscription.state))


def service_of(subscription: Subscription, jobs: Sequence[Job], *, on: date) -> Service:
    """Put a service's states into words; `jobs` are the unfinished ones of its account."""
    return Service(
        subscription=subscription,
        standing=standings.overall(subscription, jobs, on=on),
        paid=standings.paid_for(subscription, on=on),
        running=standings.running(subscription.account, jobs),
        notes=standings.notes(jobs),
    )


def unfinished_jobs(accounts: Sequence[int]) -> dict[int, list[Job]]:
    """Return what is still to be done at the dialler, by account, in the order it was asked for."""
    jobs: dict[int, list[Job]] = {}
    rows = Job.objects.filter(account_id__in=accounts, state__in=Job.UNFINISHED).order_by("seq")
    for job in rows.defer("details"):
        jobs.setdefault(job.account_id, []).append(job)
    return jobs


def balances_of(services: Sequence[Service], *, at: datetime) -> list[Balance]:
    """Add the credit of all open services up, by currency; three queries for each."""
    live = [each for each in services if each.is_open]
    return [
        _balance([each for each in live if each.subscription.currency == currency], currency, at)
        for currency in sorted({each.subscription.currency for each in live})
    ]


def debts_of(customer: Customer, *, on: date) -> list[Debt]:
    """Return what is open, by currency; one query. What is being confirmed is no debt."""
    sums = (
        _open_invoices(customer)
        .values("currency")
        .annotate(
            minor=Sum(F("total_minor") - F("paid_minor") - F("credited_minor")),
            invoices=Count("pk"),
            overdue=Count("pk", filter=Q(due_on__lt=on)),
        )
        .order_by("currency")
    )
    return [
        Debt(Money(each["minor"], each["currency"]), each["invoices"], each["overdue"])
        for each in sums
    ]


def debt_rows(customer: Customer) -> list[Invoice]:
    """Return what is open, at most a screenful, beginning with the invoice to pay first."""
    return list(_open_invoices(customer).order_by("due_on", "id")[:SHOWN_DEBTS])


def payable_together(customer: Customer) -> list[Invoice]:
    """Return the open invoices that one payment can pay: the oldest's currency, two or more."""
    rows = list(_open_invoices(customer).order_by("due_on", "id"))
    same = [each for each in rows if each.currency == rows[0].currency and each.due]
    return same if len(same) > 1 else []


def next_renewal(services: Sequence[Service]) -> Renewal | None:
    """Return what is charged next, all of that day; None when nothing recurs."""
    days: dict[date, list[Service]] = {}
    for each in services:
        until, goes_on = each.subscription.paid_until, each.subscription.ends_on is None
        if each.subscription.state == Subscription.State.ACTIVE and until and goes_on:
            days.setdefault(until, []).append(each)
    return Renewal(min(days), days[min(days)]) if days else None


def invoice_rows(invoices: Sequence[Invoice], *, on: date) -> list[InvoiceRow]:
    """Put the invoices' states into words; one query however many there are."""
    shown = Invoice.objects.filter(being_confirmed(), pk__in=[each.pk for each in invoices])
    confirming = set(shown.order_by().values_list("pk", flat=True))
    return [
        InvoiceRow(each, standings.of_invoice(each, on=on, confirming=each.pk in confirming))
        for each in invoices
    ]


def being_confirmed() -> Exists:
    """The condition on invoices that a payment of theirs is on its way."""
    return Exists(Payment.objects.filter(paying(OuterRef("pk")), state=Payment.State.PROCESSING))


def _open_invoices(customer: Customer) -> QuerySet[Invoice]:
    mine = Invoice.objects.filter(customer=customer, state=Invoice.State.OPEN)
    return mine.filter(~being_confirmed())


def _balance(services: Sequence[Service], currency: str, at: datetime) -> Balance:
    known = [each for each in services if each.balance is not None]
    amounts = [each.balance for each in known if each.balance is not None]
    read = [each.subscription.account.balance_at for each in known if each.subscription.account]
    return Balance(
        amount=total(amounts, currency) if amounts else None,
        read_at=min((at for at in read if at), default=None),
        unknown=len(services) - len(known),
        curve=usage.credit_of([each.subscription for each in services], at=at),
    )
