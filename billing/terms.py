"""By what terms a subscription is charged: its own, or those it will be exchanged for."""

from collections.abc import Iterable
from copy import copy
from datetime import date

from billing.models import Exchange, Subscription


def scheduled(subscriptions: Iterable[Subscription]) -> dict[int, Exchange]:
    """Return the scheduled exchange of each subscription that has one, by its id; one query."""
    rows = Exchange.objects.filter(
        subscription__in=subscriptions,
        mode=Exchange.Mode.AT_END,
        state=Exchange.State.PENDING,
    ).select_related("package")
    return {row.subscription_id: row for row in rows}


def applied(subscription: Subscription, agreed: Exchange | None, start_on: date) -> Subscription:
    """Return the subscription as a period that starts on that day is charged by; it is not saved.

    Another cycle counts anew from the first day of the new terms; otherwise the anchor stays.
    """
    if agreed is None or start_on < agreed.on:
        return subscription
    then = copy(subscription)
    then.package, then.amount_minor = agreed.package, agreed.amount_minor
    then.credit_minor, then.limits = agreed.credit_minor, agreed.limits
    then.allowance = agreed.allowance
    if then.cycle != agreed.cycle:
        then.cycle, then.anchor_on = agreed.cycle, agreed.on
    return then
