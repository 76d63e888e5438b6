"""The life of a subscription: planned by an order, activated and topped up by payments."""

from datetime import datetime, timedelta

from billing.models import Customer, OrderLine, Subscription, SubscriptionPeriod
from packages.models import Package, Price
from packages.money import Money
from packages.periods import Period, business_day, period
from packages.states import record_change
from provisioning import accounts, jobs
from provisioning.dialler.base import Limits
from provisioning.models import Account

TRIAL_INDEX = -1


def plan(customer: Customer, price: Price, *, zone: str, at: datetime, actor: str) -> Subscription:
    """Insert a pending subscription with today's price and limits; nothing is provisioned yet."""
    package = price.package
    subscription = Subscription.objects.create(
        customer=customer,
        package=package,
        price=price,
        currency=price.currency,
        cycle=price.cycle,
        amount_minor=price.amount_minor,
        credit_minor=price.credit_minor,
        limits=limits_of(package).to_json(),
        allowance=package.allowance,
        trial_days=package.trial_days,
        zone=zone,
        created_at=at,
    )
    record_change(subscription, before="", at=at, actor=actor, reason="ordered")
    return subscription


def limits_of(package: Package) -> Limits:
    """Return what the dialler should enforce for a buyer of the package as it is now."""
    assert package.tariff is not None, "A package that opens an account has a tariff (constraint)."
    return Limits(
        tariff=package.tariff.remote_id,
        channels=package.channels,
        services=tuple(package.services),
        units=tuple(package.units.items()),
    )


def activate(subscription: Subscription, line: OrderLine, *, at: datetime, actor: str) -> None:
    """Start the paid (or trial) time today and ask for the account at the dialler.

    Needs the subscription's lock. Raises servers.NoServer when no dialler works in its currency;
    then nothing of the payment is recorded and the sweep tries again.
    """
    if subscription.state != Subscription.State.PENDING:
        return
    today = business_day(at, subscription.zone)
    subscription.anchor_on = today + timedelta(days=subscription.trial_days)
    if subscription.trial_days:
        _add_period(subscription, TRIAL_INDEX, Period(today, subscription.anchor_on), at=at)
    elif subscription.recurs:
        _add_period(subscription, 0, period(today, subscription.cycle, 0), at=at)
    subscription.account = _plan_account(subscription, at=at, actor=actor)
    subscription.activated_at = at
    also = ("anchor_on", "paid_until", "account", "activated_at")
    subscription.move(Subscription.State.ACTIVE, at=at, actor=actor, reason="order paid", also=also)
    jobs.create_account(
        subscription.account,
        cause=f"order-line-{line.pk}",
        credit=Money(line.credit_minor, subscription.currency),
        at=at,
        actor=actor,
    )


def top_up(subscription: Subscription, line: OrderLine, *, at: datetime, actor: str) -> None:
    """Ask that the bought credit reaches the subscription's account, once per order line."""
    assert subscription.account is not None, "Only an active subscription can be topped up."
    jobs.credit(
        subscription.account,
        Money(line.credit_minor, subscription.currency),
        cause=f"order-line-{line.pk}:credit",
        at=at,
        actor=actor,
    )


def _add_period(subscription: Subscription, index: int, stretch: Period, *, at: datetime) -> None:
    SubscriptionPeriod.objects.create(
        subscription=subscription,
        index=index,
        start_on=stretch.start_on,
        end_on=stretch.end_on,
        created_at=at,
    )
    subscription.paid_until = stretch.end_on


def _plan_account(subscription: Subscription, *, at: datetime, actor: str) -> Account:
    customer = subscription.customer
    person = {
        "name": customer.name,
        "company": customer.company,
        "email": customer.email,
        "phone": customer.phone,
        "language": customer.language,
    }
    return accounts.plan(
        person,
        subscription.terms,
        currency=subscription.currency,
        at=at,
        actor=actor,
    )
