"""The life of a subscription: ordered, activated and renewed by payments, suspended, ended."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import F, Max

from billing import allowances, invoice_days, rests, service_emails, terms
from billing.models import (
    Customer,
    Exchange,
    Invoice,
    InvoiceLine,
    OrderLine,
    Subscription,
    SubscriptionPeriod,
)
from packages import rows
from packages.models import Package, Price
from packages.money import Money
from packages.periods import Period, business_day, period
from packages.states import history_of, record_change
from provisioning import accounts, jobs, pools
from provisioning.dialler.base import Limits
from provisioning.models import Account

# A subscription and the recurring line of an invoice for one of its periods.
Charged = tuple[Subscription, Any]
TRIAL_INDEX = -1
# An ended account is suspended at once and deleted after this; until then staff may bring it back.
KEPT_FOR = timedelta(days=30)


def plan(
    customer: Customer, price: Price, *, zone: str, at: datetime, actor: str, quantity: int = 1
) -> Subscription:
    """Insert a pending subscription with today's price and limits; nothing is provisioned yet.

    So many of the package run on one account; price, credit, channels and units are theirs
    together.
    """
    package = price.package
    subscription = Subscription.objects.create(
        customer=customer,
        package=package,
        price=price,
        currency=price.currency,
        cycle=price.cycle,
        quantity=quantity,
        amount_minor=price.amount.times(quantity).minor,
        credit_minor=price.credit.times(quantity).minor,
        limits=limits_of(package, quantity).to_json(),
        allowance=package.allowance,
        trial_days=package.trial_days,
        zone=zone,
        created_at=at,
    )
    record_change(subscription, before="", at=at, actor=actor, reason="ordered")
    return subscription


def limits_of(package: Package, quantity: int = 1) -> Limits:
    """Return what the dialler should enforce for a buyer of so many of the package as it is now."""
    assert package.tariff is not None, "A package that opens an account has a tariff (constraint)."
    return Limits(
        tariff=package.tariff.remote_id,
        channels=package.channels * quantity,
        services=tuple(package.services),
        units=tuple((service, count * quantity) for service, count in package.units.items()),
    )


def person_of(customer: Customer) -> dict[str, str]:
    """Return what the dialler is told about whose account it is."""
    return {
        "name": customer.name,
        "company": customer.company,
        "email": customer.email,
        "phone": customer.phone,
        "language": customer.language,
    }


def activate(subscription: Subscription, line: OrderLine, *, at: datetime, actor: str) -> None:
    """Start the paid (or trial) time today and ask for the account at the dialler.

    Where no server has room the account waits for it, and the service is active all the same.
    Needs the subscription's lock. Raises pools.NoServer when no dialler works in its currency at
    all; then nothing of the payment is recorded and the sweep tries again.
    """
    if subscription.state != Subscription.State.PENDING:
        return
    today = business_day(at, subscription.zone)
    subscription.anchor_on = today + timedelta(days=subscription.trial_days)
    if subscription.trial_days:
        keep_period(subscription, TRIAL_INDEX, Period(today, subscription.anchor_on), at=at)
    elif subscription.recurs:
        keep_period(subscription, 0, period(today, subscription.cycle, 0), at=at)
    subscription.account = _plan_account(subscription, at=at, actor=actor)
    subscription.activated_at = at
    subscription.next_invoice_on = invoice_days.next_day(subscription)
    also = ("anchor_on", "paid_until", "account", "activated_at", "next_invoice_on")
    subscription.move(Subscription.State.ACTIVE, at=at, actor=actor, reason="order paid", also=also)
    jobs.create_account(
        subscription.account,
        cause=f"order-line-{line.pk}",
        credit=Money(line.credit_minor, subscription.currency),
        role=subscription.package.role,
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


def renew(charged: Sequence[Charged], *, at: datetime, actors: Mapping[int, str]) -> None:
    """Give what paid renewal lines promised: their periods and credit, and the services back.

    `actors` says whose payment it was, by the subscription's id. Needs the subscriptions' locks;
    few statements, however many there are. Periods are added in their order: one that was paid
    before an earlier one waits for that. A suspended service is restored once nothing overdue is
    left. What has ended stays ended; the invoice is paid all the same, and staff are told.
    """
    for subscription, line in charged:
        if subscription.state == Subscription.State.ENDED:
            service_emails.paid_after_end(subscription, line.invoice, at=at)
    living = [each for each in charged if each[0].state in Subscription.LIVING]
    _add_settled([subscription for subscription, _ in living], at=at, actors=actors)
    _resume(living, at=at, actors=actors)


def go_on(subscription: Subscription, *, at: datetime, actor: str) -> None:
    """Go on past periods that nobody will pay for, and restore the service if that was all.

    Needs the lock. What was credited in full or written off counts as had, without what is included
    in it; else the next one could never be given. Nothing is passed behind the end of a cancelled
    service, and what a suspended one was written off for leaves it suspended.
    """
    if subscription.state not in Subscription.LIVING or not subscription.recurs:
        return
    actors = {subscription.pk: actor}
    added = _add_settled([subscription], at=at, actors=actors)
    _resume(added[-1:], at=at, actors=actors)


def suspend(
    subscription: Subscription,
    *,
    cause: str,
    reason: str,
    at: datetime,
    actor: str,
    at_once: bool = False,
) -> None:
    """Stop an active service for want of payment; needs its lock. Credit and data stay.

    `at_once`: before everything else that its account waits for.
    """
    assert subscription.account is not None, "An active subscription has its account."
    subscription.next_invoice_on = None
    also = ("next_invoice_on",)
    subscription.move(Subscription.State.SUSPENDED, at=at, actor=actor, reason=reason, also=also)
    jobs.suspend(subscription.account, cause=cause, at=at, actor=actor, at_once=at_once)


def restore(subscription: Subscription, *, cause: str, at: datetime, actor: str) -> None:
    """Let a suspended service run again, and say so; needs its lock."""
    assert subscription.account is not None, "A suspended subscription has its account."
    subscription.move(Subscription.State.ACTIVE, at=at, actor=actor, reason="paid")
    subscription.next_invoice_on = invoice_days.next_day(subscription)
    subscription.save(update_fields=["next_invoice_on"])
    jobs.unsuspend(subscription.account, cause=cause, at=at, actor=actor)
    service_emails.restored(subscription, cause=cause, at=at)


def end(subscription: Subscription, *, cause: str, reason: str, at: datetime, actor: str) -> None:
    """End a service for good; needs its lock. The account is suspended now, deleted in 30 days."""
    assert subscription.account is not None, "A subscription that ran has its account."
    abandon(subscription, reason=reason, at=at, actor=actor)
    jobs.terminate(subscription.account, cause=cause, delete_at=at + KEPT_FOR, at=at, actor=actor)


def abandon(subscription: Subscription, *, reason: str, at: datetime, actor: str) -> None:
    """End a service without asking anything of the dialler; needs its lock."""
    subscription.next_invoice_on = None
    also = ("next_invoice_on",)
    subscription.move(Subscription.State.ENDED, at=at, actor=actor, reason=reason, also=also)
    for agreed in subscription.exchanges.filter(state=Exchange.State.PENDING):
        agreed.move(Exchange.State.CANCELLED, at=at, actor=actor, reason="the service ended")


def cause_of_end(subscription: Subscription) -> str:
    """Return why its account is suspended and deleted; another one for each end of the service."""
    ended = history_of(subscription).filter(after=Subscription.State.ENDED)
    return f"subscription-{subscription.pk}:end-{ended.count() + 1}"


def give_up(subscription: Subscription, *, reason: str, at: datetime, actor: str) -> None:
    """End a service that was ordered and never began; needs its lock."""
    if subscription.state == Subscription.State.PENDING:
        subscription.move(Subscription.State.ENDED, at=at, actor=actor, reason=reason)


def add_period(subscription: Subscription, stretch: Period, *, skipped: int, at: datetime) -> None:
    """Add the next period, paid from now on; `skipped` numbers before it are times without
    service. The caller saves `paid_until`.
    """
    last = int(subscription.periods.aggregate(last=Max("index"))["last"])
    keep_period(subscription, last + 1 + skipped, stretch, at=at)


def _add_settled(
    living: Sequence[Subscription], *, at: datetime, actors: Mapping[int, str]
) -> list[Charged]:
    """Add the periods that follow and are settled, and give what is included in those that were
    paid, once per line; return them with their charges. The caller saves the subscriptions.
    """
    by_id = {each.pk: each for each in living}
    charges = _settled_from(by_id)
    added = []
    for key, subscription in by_id.items():
        for charge in charges.get(key, ()):
            if charge.period_start_on != subscription.paid_until:
                break
            subscription.paid_until = charge.period_end_on
            added.append((subscription, charge))
    _add_periods(added, at=at)
    paid = [(each, charge) for each, charge in added if not _is_passed(charge)]
    for subscription, charge in paid:
        if subscription.ends_on is not None:
            subscription.ends_on = max(subscription.ends_on, charge.period_end_on)
    agreed = terms.scheduled([subscription for subscription, _ in paid])
    given = [
        (terms.applied(each, agreed.get(each.pk), charge.period_start_on), charge)
        for each, charge in paid
    ]
    allowances.renew(given, at=at, actors=actors)
    return added


def _resume(charged: Sequence[Charged], *, at: datetime, actors: Mapping[int, str]) -> None:
    """Save what was added, and restore what is suspended and owes nothing any more."""
    renewed = list({each.pk: each for each, _ in charged}.values())
    days = invoice_days.next_days(renewed)
    for each in renewed:
        each.next_invoice_on = days[each.pk]
    rows.update(renewed, "paid_until", "ends_on", "next_invoice_on")
    for each, line in charged:
        on = business_day(at, each.zone)
        if each.state == Subscription.State.SUSPENDED and not _overdue(each, on=on):
            cause = f"invoice-line-{line.pk}:restore"
            restore(each, cause=cause, at=at, actor=actors[each.pk])


def _settled_from(living: Mapping[int, Subscription]) -> dict[int, list[Any]]:
    """Return the charges of periods that are not given yet and not owed any more, in order, by
    their subscription.
    """
    charges = InvoiceLine.objects.filter(
        subscription__in=list(living),
        kind=InvoiceLine.Kind.RECURRING,
        corrects=None,
        period_start_on__gte=F("subscription__paid_until"),
    ).select_related("invoice")
    settled: dict[int, list[Any]] = {}
    for row in rests.with_credited(charges).order_by("period_start_on"):
        if _is_passed(row) or row.invoice.state == Invoice.State.PAID:
            settled.setdefault(row.subscription_id, []).append(row)
    for key, found in settled.items():
        while found and _stays_unpaid(found[-1], living[key]):
            found.pop()
    return settled


def _is_passed(charge: Any) -> bool:
    """Say whether nobody pays for the period: its charge was taken back or given up in full."""
    return bool(charge.credited_in_full or charge.invoice.state == Invoice.State.WRITTEN_OFF)


def _stays_unpaid(charge: Any, subscription: Subscription) -> bool:
    """Say whether a passed period with no paid one behind it is not to be had."""
    if not _is_passed(charge):
        return False
    if subscription.ends_on is not None and charge.period_start_on >= subscription.ends_on:
        return True
    suspended = subscription.state == Subscription.State.SUSPENDED
    return suspended and not charge.credited_in_full


def _overdue(subscription: Subscription, *, on: date) -> bool:
    lines = InvoiceLine.objects.filter(
        subscription=subscription,
        kind=InvoiceLine.Kind.RECURRING,
        period_start_on__isnull=False,
        invoice__state=Invoice.State.OPEN,
        invoice__due_on__lt=on,
    )
    return bool(rests.kept(lines).exists())


def _add_periods(added: Sequence[Charged], *, at: datetime) -> None:
    """Insert the charges' periods, numbered onwards from each subscription's last one."""
    known = SubscriptionPeriod.objects.filter(subscription__in=[each.pk for each, _ in added])
    indexes = known.order_by().values_list("subscription_id").annotate(last=Max("index"))
    last = dict(indexes.values_list("subscription_id", "last"))
    periods = []
    for subscription, charge in added:
        last[subscription.pk] += 1
        periods.append(
            {
                "subscription_id": subscription.pk,
                "index": last[subscription.pk],
                "start_on": charge.period_start_on,
                "end_on": charge.period_end_on,
                "created_at": at,
            }
        )
    rows.add(SubscriptionPeriod, periods)


def keep_period(subscription: Subscription, index: int, stretch: Period, *, at: datetime) -> None:
    """Store that the period is paid; the caller saves `paid_until`, which is its end now."""
    SubscriptionPeriod.objects.create(
        subscription=subscription,
        index=index,
        start_on=stretch.start_on,
        end_on=stretch.end_on,
        created_at=at,
    )
    subscription.paid_until = stretch.end_on


def _plan_account(subscription: Subscription, *, at: datetime, actor: str) -> Account:
    return accounts.plan(
        person_of(subscription.customer),
        subscription.terms,
        pools.of(subscription.package),
        currency=subscription.currency,
        at=at,
        actor=actor,
    )
