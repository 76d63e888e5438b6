"""The day on which a renewal is invoiced: so many days before its period, set for each cycle."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.db.models import F

from billing import locks
from billing.models import Brand, InvoiceLine, Subscription, current_brand
from packages.periods import RECURRING, Cycle

HALTED = (Subscription.State.SUSPENDED, Subscription.State.ENDED)


def day(subscription: Subscription, start_on: date, brand: Brand) -> date | None:
    """Return when a period that starts on that day is invoiced; not at all after the end."""
    if subscription.ends_on is not None and start_on >= subscription.ends_on:
        return None
    return start_on - timedelta(days=brand.lead_days(Cycle(subscription.cycle)))


def next_day(subscription: Subscription) -> date | None:
    """Return the day the next renewal is to be invoiced, None when none is to come.

    It is that of the first period which is neither paid for nor invoiced yet.
    """
    return next_days([subscription])[subscription.pk]


def next_days(services: Sequence[Subscription]) -> dict[int, date | None]:
    """Return `next_day` of several by their ids; two queries."""
    until, brand = invoiced_until(services), current_brand()
    return {each.pk: _next_day(each, until, brand) for each in services}


def invoiced_until(services: Sequence[Subscription]) -> dict[int, date]:
    """Return the end of each one's last period that is invoiced and not paid; one query.

    What was invoiced for a time before `paid_until` does not matter: a service that ended at once
    and came back counts from another day.
    """
    paid = {each.pk: each.paid_until for each in services if each.paid_until is not None}
    lines = InvoiceLine.objects.filter(
        subscription__in=paid,
        kind=InvoiceLine.Kind.RECURRING,
        period_start_on__gte=min(paid.values(), default=date.max),
    )
    until: dict[int, date] = {}
    stretches: Any = lines.values_list("subscription_id", "period_start_on", "period_end_on")
    for key, start_on, end_on in stretches:
        if start_on >= paid[key]:
            until[key] = max(end_on, until.get(key, end_on))
    return until


def move(before: Brand, after: Brand) -> int:
    """Let every coming invoice follow a change of the lead days; return how many moved.

    Needs a transaction, in which it locks the subscriptions of each changed cycle. A day that lies
    in the past now is caught up with by the next run.
    """
    moved = 0
    for cycle in RECURRING:
        earlier = timedelta(days=after.lead_days(cycle) - before.lead_days(cycle))
        if earlier:
            due = locks.take_cycle(cycle)
            moved += due.update(next_invoice_on=F("next_invoice_on") - earlier)
    return moved


def _next_day(subscription: Subscription, until: Mapping[int, date], brand: Brand) -> date | None:
    if subscription.state in HALTED:
        return None
    if not subscription.recurs or subscription.paid_until is None:
        return None
    start_on = max(subscription.paid_until, until.get(subscription.pk, date.min))
    return day(subscription, start_on, brand)
