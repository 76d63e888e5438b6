"""How much credit a customer may buy: against toll fraud by new ones, and per account.

Stolen cards are used at once and for as much as possible; so a customer is new until some days
after the first payment, and may buy little until then. Staff may say otherwise for one customer.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet, Sum

from billing.models import (
    Customer,
    Order,
    OrderLine,
    Payment,
    Subscription,
    TopUpLimit,
    TopUpTerms,
)
from packages.money import Money
from provisioning.models import Job

DAY = timedelta(hours=24)
MONTH = timedelta(days=30)


class Refused(Exception):
    """The top-up would pass a limit; nothing was ordered. `left` is what could still be bought."""

    def __init__(self, code: str, limit: Money, left: Money) -> None:
        """`code` is "balance", "day" or "month"."""
        super().__init__(f"top-up limit: {code}")
        self.code, self.limit, self.left = code, limit, left


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds for a customer in a currency; None is no limit."""

    day: Money | None = None
    month: Money | None = None
    balance: Money | None = None


def limits_of(customer: Customer, currency: str, *, at: datetime) -> Limits:
    """Return what the customer may buy: staff's word, else the terms, stricter for new ones."""
    own = TopUpLimit.objects.filter(customer=customer, currency=currency).first()
    if own is not None:
        amounts = (own.day_minor, own.month_minor, own.balance_minor)
        return Limits(*(Money(minor, currency) for minor in amounts))
    terms = TopUpTerms.objects.filter(currency=currency).first()
    if terms is None:
        return Limits()
    if not is_new(customer, terms.new_days, at=at):
        return Limits(balance=Money(terms.balance_minor, currency))
    balance_minor = min(terms.balance_minor, terms.new_balance_minor)
    amounts = (terms.new_day_minor, terms.new_month_minor, balance_minor)
    return Limits(*(Money(minor, currency) for minor in amounts))


def is_new(customer: Customer, days: int, *, at: datetime) -> bool:
    """Say whether the customer's first payment is younger than so many days, or there is none."""
    settled = Payment.objects.filter(
        customer=customer,
        state=Payment.State.SUCCEEDED,
        confirmed_at__lte=at - timedelta(days=days),
    )
    return days > 0 and not settled.exists()


def admit(subscription: Subscription, credit: Money, *, at: datetime) -> None:
    """Raise Refused if so much more credit would pass a limit of the customer or the account.

    Needs the locks of all the customer's subscriptions (`locks.take_of_customer`): then two
    top-ups at once cannot pass a limit together.
    """
    customer, currency = subscription.customer, credit.currency
    limits = limits_of(customer, currency, at=at)
    used = {
        "balance": (limits.balance, _standing(subscription, at=at)),
        "day": (limits.day, ordered(customer, currency, since=at - DAY)),
        "month": (limits.month, ordered(customer, currency, since=at - MONTH)),
    }
    for code, (limit, sofar) in used.items():
        if limit is not None and limit < sofar + credit:
            raise Refused(code, limit, max(Money.zero(currency), limit - sofar))


def ordered(customer: Customer, currency: str, *, since: datetime | None = None) -> Money:
    """Add what was ordered since then, paid or not: what is open may be paid at any moment."""
    lines = OrderLine.objects.filter(
        kind=OrderLine.Kind.TOP_UP, order__customer=customer, order__currency=currency
    ).exclude(order__state=Order.State.CANCELLED)
    if since is not None:
        lines = lines.filter(order__placed_at__gt=since)
    return _credit(lines, currency)


def allow(customer: Customer, limits: Limits, *, reason: str, at: datetime, actor: str) -> None:
    """Keep staff's word: these limits hold for the customer from now on, whatever the terms."""
    day, month, balance = limits.day, limits.month, limits.balance
    assert day is not None, "Staff name all three."
    assert month is not None, "Staff name all three."
    assert balance is not None, "Staff name all three."
    TopUpLimit.objects.create(
        customer=customer,
        currency=day.currency,
        day_minor=day.minor,
        month_minor=month.minor,
        balance_minor=balance.minor,
        reason=reason,
        actor=actor,
        at=at,
    )


def _standing(subscription: Subscription, *, at: datetime) -> Money:
    """Add the balance as last read, what is on its way to it, and what was ordered for it."""
    account = subscription.account
    assert account is not None, "Only a service with an account is topped up."
    open_lines = OrderLine.objects.filter(
        subscription=subscription,
        kind=OrderLine.Kind.TOP_UP,
        order__state=Order.State.PLACED,
        order__placed_at__gt=at - MONTH,
    )
    coming = Job.objects.filter(
        account=account, kind=Job.Kind.CREDIT, state__in=Job.UNFINISHED
    ).aggregate(sum=Sum("amount_minor"))
    minor = (account.balance_minor or 0) + (coming["sum"] or 0)
    return Money(minor, subscription.currency) + _credit(open_lines, subscription.currency)


def _credit(lines: QuerySet[OrderLine], currency: str) -> Money:
    return Money(lines.aggregate(sum=Sum("credit_minor"))["sum"] or 0, currency)
