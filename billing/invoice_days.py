"""The day on which a renewal is invoiced: so many days before its period, set for each cycle.

Whoever tries a package is told of the sum by its first invoice, so that is never later than that.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.db.models import F, Q

from billing import locks
from billing.models import Brand, InvoiceLine, Subscription, current_brand
from packages.periods import RECURRING, Cycle

# So many days before a trial ends what follows is invoiced and told (trials.py).
TRIAL_TOLD = timedelta(days=5)
HALTED = (Subscription.State.SUSPENDED, Subscription.State.ENDED)


def day(subscription: Subscription, start_on: date, brand: Brand) -> date | None:
    """Return when a period that starts on that day is invoiced; not at all after the end."""
    if subscription.ends_on is not None and start_on >= subscription.ends_on:
        return None
    after_trial = bool(subscription.trial_days) and start_on == subscription.anchor_on
    return start_on - _lead(Cycle(subscription.cycle), brand, after_trial=after_trial)


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
            on_trial = Q(trial_days__gt=0, next_invoice_on__lte=F("anchor_on"))
            told = _lead(cycle, after, after_trial=True)
            moved += due.filter(on_trial).update(next_invoice_on=F("anchor_on") - told)
            others = due.exclude(on_trial)
            moved += others.update(next_invoice_on=F("next_invoice_on") - earlier)
    return moved


def _lead(cycle: Cycle, brand: Brand, *, after_trial: bool) -> timedelta:
    lead = timedelta(days=brand.lead_days(cycle))
    return max(lead, TRIAL_TOLD) if after_trial else lead


def _next_day(subscription: Subscription, until: Mapping[int, date], brand: Brand) -> date | None:
    if subscription.state in HALTED:
        return None
    if not subscription.recurs or subscription.paid_until is None:
        return None
    start_on = max(subscription.paid_until, until.get(subscription.pk, date.min))
    return day(subscription, start_on, brand)
