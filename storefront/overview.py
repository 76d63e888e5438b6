"""The client area's first screen as plain values: does it run, what is left, what is owed, what is
next.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from billing import balance_charts, coming, low_balances, terms, usage
from billing.models import (
    AutoTopUp,
    Brand,
    Customer,
    Exchange,
    Invoice,
    Payment,
    Subscription,
    paying,
)
from packages.money import Money, total
from packages.periods import business_day
from provisioning.models import Account, Job
from storefront import lasting, standings
from storefront.standings import Note, Standing

State = Subscription.State
SHOWN_INVOICES = 5
SHOWN_SERVICES = 4
SHOWN_DEBTS = 20
# What runs or should run comes first.
ORDER: list[str] = [
    State.SUSPENDED,
    State.ACTIVE,
    State.PENDING,
    State.ENDED,
]


@dataclass(frozen=True, slots=True)
class Service:
    """A subscription with its account and what is under way for it."""

    subscription: Subscription
    standing: Standing
    paid: Standing
    running: Standing
    notes: list[Note]
    agreed: Exchange | None = None
    lasts: lasting.Lasts | None = None

    @property
    def name(self) -> str:
        return self.subscription.package.text("name")

    @property
    def balance(self) -> Money | None:
        """Return the credit as last read, None for unknown; never zero for want of knowledge.

        A deleted account has none.
        """
        account = self.subscription.account
        if account is None or account.balance_minor is None or not self.has_account:
            return None
        return Money(account.balance_minor, self.subscription.currency)

    @property
    def paid_to(self) -> date | None:
        """Return the last day that is paid for."""
        until = self.subscription.paid_until
        return until - timedelta(days=1) if until else None

    @property
    def has_account(self) -> bool:
        """Say whether there is an account at the dialler, so that it can have credit."""
        account = self.subscription.account
        return account is not None and account.state in (
            Account.State.LIVE,
            Account.State.SUSPENDED,
        )

    @property
    def is_low(self) -> bool:
        """Say whether the credit is below the sum that its customer is warned at.

        Nothing on an account that never was to have any is not low.
        """
        below = getattr(self.subscription, "below", None)
        if not self.is_open or self.balance is None or not below:
            return False
        used = bool(self.balance.minor or self.subscription.credit_minor)
        return used and self.balance.minor < below

    @property
    def kept_until(self) -> date | None:
        """Return when the account of an ended service is deleted; until then it can come back."""
        ends = [each.run_at for each in self.notes if each.run_at]
        returns = self.subscription.state == State.ENDED and self.subscription.returnable
        return business_day(min(ends), self.subscription.zone) if returns and ends else None

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
    suspended: bool
    curve: usage.Curve
    until: str = ""

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
class InvoiceRow:
    """An invoice with its state in words."""

    invoice: Invoice
    standing: Standing


def services_of(customer: Customer, *, on: date) -> list[Service]:
    """Return the customer's services by urgency, then age; two queries however many there are, and
    one more where another package was agreed on.
    """
    buys = AutoTopUp.objects.filter(subscription=OuterRef("pk"), state=AutoTopUp.State.ON)
    mine = low_balances.with_below(
        coming.marked(customer.subscriptions.annotate(buys=Exists(buys)))
    )
    rows = list(mine.select_related("package", "account__server").order_by("-id"))
    waiting = unfinished_jobs([row.account_id for row in rows if row.account_id])
    agreed = terms.scheduled([each for each in rows if getattr(each, "has_agreed", True)])
    services = [
        replace(
            service_of(row, waiting.get(row.account_id or 0, []), on=on), agreed=agreed.get(row.pk)
        )
        for row in rows
    ]
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
    """Add the credit of all services up that have not ended, by currency; three queries for each.

    What is on a suspended account is still the customer's.
    """
    live = [
        each
        for each in services
        if each.has_account and each.subscription.state in Subscription.LIVING
    ]
    return [
        _balance([each for each in live if each.subscription.currency == currency], currency, at)
        for currency in sorted({each.subscription.currency for each in live})
    ]


def debt_rows(customer: Customer) -> list[Invoice]:
    """Return what is open, at most a screenful, beginning with the invoice to pay first; one query.

    What is being confirmed is no debt.
    """
    rows = list(_open_invoices(customer).order_by("due_on", "id")[:SHOWN_DEBTS])
    for each in rows:
        each.customer = customer
    return rows


def debts_of(customer: Customer, owed: Sequence[Invoice], *, on: date) -> list[Debt]:
    """Return what is open, by currency; `owed` are the `debt_rows`. A query if there are more."""
    if len(owed) == SHOWN_DEBTS:
        return _counted(customer, on=on)
    return [
        Debt(
            total([each.due for each in theirs], currency),
            len(theirs),
            sum(1 for each in theirs if each.due_on and each.due_on < on),
        )
        for currency in sorted({each.currency for each in owed})
        for theirs in [[each for each in owed if each.currency == currency]]
    ]


def _counted(customer: Customer, *, on: date) -> list[Debt]:
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


def payable_together(customer: Customer) -> list[Invoice]:
    """Return the open invoices that one payment can pay: the oldest's currency, two or more."""
    rows = list(_open_invoices(customer).order_by("due_on", "id"))
    same = [each for each in rows if each.currency == rows[0].currency and each.due]
    return same if len(same) > 1 else []


def next_charge(services: Sequence[Service], brand: Brand, *, on: date) -> coming.Coming | None:
    """Return what is charged next; None when nothing is."""
    agreed = {each.subscription.pk: each.agreed for each in services if each.agreed}
    return coming.of([each.subscription for each in services], brand, agreed=agreed, on=on)


def with_until(balances: Sequence[Balance], services: Sequence[Service]) -> list[Balance]:
    """Say with each sum until when it lasts: what ends first, or the only service's own."""
    return [replace(each, until=_until(each, services)) for each in balances]


def _until(balance: Balance, services: Sequence[Service]) -> str:
    here = [each for each in services if each.subscription.account_id in balance.curve.apart]
    if len(here) == 1:
        return here[0].lasts.text if here[0].lasts else ""
    ending = [
        (each.lasts.on, f"{each.name}: {each.lasts.text}")
        for each in here
        if each.lasts and each.lasts.on
    ]
    return min(ending)[1] if ending else ""


def with_lasts(
    services: Sequence[Service], balances: Sequence[Balance], *, on: date, at: datetime
) -> list[Service]:
    """Return the services with how long the credit of each lasts; no query."""
    curves = {key: points for each in balances for key, points in each.curve.apart.items()}
    return [
        replace(each, lasts=lasting.of(each.subscription, forecast, today=on))
        for each in services
        for forecast in [usage.forecast(curves.get(each.subscription.account_id or 0, []), at=at)]
    ]


def latest_invoices(customer: Customer, *, on: date) -> list[InvoiceRow]:
    """Return the newest invoices with their states in words; one query."""
    mine = customer.invoices.exclude(state=Invoice.State.DRAFT)
    rows = mine.annotate(waits=being_confirmed())
    return [
        InvoiceRow(
            each, standings.of_invoice(each, on=on, confirming=getattr(each, "waits", False))
        )
        for each in rows.order_by("-id")[:SHOWN_INVOICES]
    ]


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
        suspended=not any(each.is_open for each in services),
        curve=usage.credit_of([each.subscription for each in services], at=at),
    )
