"""What changes a subscription's course: another package, or its return after its end."""

from datetime import date, datetime

from django.db.models import F, QuerySet

from billing import change_mails, invoice_days, subscriptions, terms
from billing.models import Exchange, InvoiceLine, OrderLine, Subscription
from packages.money import Money
from packages.periods import business_day, period
from provisioning import jobs


def exchange(subscription: Subscription, agreed: Exchange, *, at: datetime, actor: str) -> None:
    """Give an active service the terms of an exchange: package, price and the dialler's limits.

    Needs its lock. Credit and data stay, what is included more is added. The anchor and the paid
    time stay; only another cycle counts anew, from the period it begins with.
    """
    assert subscription.account is not None, "An active subscription has its account."
    subscription.package, subscription.price = agreed.package, agreed.price
    subscription.amount_minor, subscription.credit_minor = agreed.amount_minor, agreed.credit_minor
    subscription.limits, subscription.allowance = agreed.limits, agreed.allowance
    if subscription.cycle != agreed.cycle:
        subscription.cycle, subscription.anchor_on = agreed.cycle, agreed.on
    subscription.next_invoice_on = invoice_days.next_day(subscription)
    changed = ("package", "price", "amount_minor", "credit_minor", "limits", "allowance")
    subscription.save(update_fields=[*changed, "cycle", "anchor_on", "next_invoice_on"])
    agreed.move(Exchange.State.DONE, at=at, actor=actor, reason="exchanged")
    cause = agreed.cause
    jobs.set_limits(subscription.account, agreed.terms, cause=f"{cause}:limits", at=at, actor=actor)
    if agreed.granted_minor:
        granted = Money(agreed.granted_minor, subscription.currency)
        jobs.credit(subscription.account, granted, cause=f"{cause}:credit", at=at, actor=actor)
    change_mails.exchange_done(agreed, at=at)


def can_exchange(subscription: Subscription, agreed: Exchange, *, on: date) -> bool:
    """Say whether an exchange at once can still be done: in its period, and nothing else changed.

    An invoice that was paid too late finds another world; its money then becomes credit. Once the
    next period was invoiced by the old terms, its payment must not give the new ones.
    """
    invoiced_until = invoice_days.invoiced_until([subscription]).get(subscription.pk)
    return (
        agreed.state == Exchange.State.PENDING
        and subscription.state == Subscription.State.ACTIVE
        and agreed.end_on is not None
        and subscription.paid_until == agreed.end_on
        and (invoiced_until is None or invoiced_until <= agreed.end_on)
        and on < agreed.end_on
    )


def begun(on: date) -> QuerySet[Exchange]:
    """Return the scheduled exchanges whose period has begun and is paid."""
    due = Exchange.objects.filter(
        mode=Exchange.Mode.AT_END,
        state=Exchange.State.PENDING,
        on__lte=on,
        subscription__state=Subscription.State.ACTIVE,
        subscription__paid_until__gt=F("on"),
    )
    return due.order_by("subscription_id")


def take_up(subscription: Subscription, *, on: date, at: datetime, actor: str) -> bool:
    """Do the scheduled exchange if its period has begun and is paid; needs the lock.

    Says whether it did. It waits while the service is suspended: it is restored first.
    """
    agreed = terms.scheduled([subscription]).get(subscription.pk)
    if agreed is None or subscription.state != Subscription.State.ACTIVE:
        return False
    if on < agreed.on or subscription.paid_until is None or subscription.paid_until <= agreed.on:
        return False
    exchange(subscription, agreed, at=at, actor=actor)
    return True


def can_return(subscription: Subscription) -> bool:
    """Say whether an ended service can be brought back: its account is not deleted yet."""
    return (
        subscription.state == Subscription.State.ENDED
        and subscription.account is not None
        and jobs.terminates_at(subscription.account) is not None
    )


def is_paid(subscription: Subscription, *, on: date) -> bool:
    """Say whether an ended service could run on as if nothing had been: it has no periods, or time
    is left, and the period behind it was not invoiced yet (that invoice was taken back).
    """
    if subscription.paid_until is None:
        return True
    cut = subscription.periods.filter(given_back_on=subscription.paid_until)
    taken_back = InvoiceLine.objects.filter(
        subscription=subscription,
        kind=InvoiceLine.Kind.RECURRING,
        period_start_on=subscription.paid_until,
    )
    return subscription.paid_until > on and not cut.exists() and not taken_back.exists()


def reopen(subscription: Subscription, *, reason: str, at: datetime, actor: str) -> bool:
    """Let an ended service run on in the time that it was paid for; needs its lock.

    Says whether it did: the deletion of the account may have begun in the meantime.
    """
    on = business_day(at, subscription.zone)
    if not can_return(subscription) or not is_paid(subscription, on=on):
        return False
    assert subscription.account is not None, "What can return has its account."
    cause = f"{subscriptions.cause_of_end(subscription)}:reopened"
    if not jobs.call_off_termination(subscription.account, at=at, actor=actor):
        return False
    # What resets and came due in the meantime is given by the next run, once for each period.
    if subscription.ends_on is not None:
        subscription.allowance_on = subscription.ends_on
    subscription.ends_on = None
    also = ("ends_on", "allowance_on")
    subscription.move(Subscription.State.ACTIVE, at=at, actor=actor, reason=reason, also=also)
    subscription.next_invoice_on = invoice_days.next_day(subscription)
    subscription.save(update_fields=["next_invoice_on"])
    jobs.unsuspend(subscription.account, cause=cause, at=at, actor=actor)
    change_mails.returned(subscription, cause=cause, at=at, free=True)
    return True


def bring_back(subscription: Subscription, line: OrderLine, *, at: datetime, actor: str) -> bool:
    """Let an ended service run again from today, with its terms, account and data; needs its lock.

    Says whether it did: the deletion of the account may have begun in the meantime, and then
    nothing is changed. The periods are anchored anew, their numbers skip one. The day on which it
    was ended at once was had already.
    """
    today = business_day(at, subscription.zone)
    if not can_return(subscription) or is_paid(subscription, on=today):
        return False
    assert subscription.account is not None, "What can return has its account."
    assert subscription.paid_until is not None, "What is ordered to return had periods."
    if not jobs.call_off_termination(subscription.account, at=at, actor=actor):
        return False
    anchor_on = max(today, subscription.paid_until)
    subscription.anchor_on, subscription.ends_on = anchor_on, None
    stretch = period(anchor_on, subscription.cycle, 0)
    subscriptions.add_period(subscription, stretch, skipped=1, at=at)
    also = ("anchor_on", "ends_on", "paid_until")
    subscription.move(Subscription.State.ACTIVE, at=at, actor=actor, reason="returned", also=also)
    subscription.next_invoice_on = invoice_days.next_day(subscription)
    subscription.save(update_fields=["next_invoice_on"])
    cause = f"order-line-{line.pk}"
    jobs.unsuspend(subscription.account, cause=f"{cause}:unsuspend", at=at, actor=actor)
    if line.credit_minor:
        subscriptions.top_up(subscription, line, at=at, actor=actor)
    change_mails.returned(subscription, cause=cause, at=at)
    return True
