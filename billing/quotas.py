"""Say that included units or credit run out: at 80 and at 100 % of a period's, once each."""

from datetime import datetime

from django.db import transaction

from billing import statements, usage, usage_emails
from billing.credits import Kind
from billing.models import Mail, Subscription, SubscriptionPeriod
from packages.periods import business_day
from provisioning.models import Job, Reading

# The highest first: who has used all is not told of 80 % as well.
LEVELS = (100, 80)
CREDIT = "credit"
BATCH = 500


def weigh(*, at: datetime) -> int:
    """Draw the conclusions from the readings that are new; return how many there were.

    A reading is marked in the transaction that queues its mails; the mail's unique cause (period,
    kind of unit, level) keeps a level from being told twice, whoever else weighs the same.
    """
    fresh = Reading.objects.filter(weighed_at=None).order_by("pk")
    readings = list(fresh.select_related("account")[:BATCH])
    theirs = Subscription.objects.filter(
        account__in=[reading.account_id for reading in readings], state=Subscription.State.ACTIVE
    ).select_related("account", "customer", "package")
    by_account = {subscription.account_id: subscription for subscription in theirs}
    for reading in readings:
        with transaction.atomic():
            subscription = by_account.get(reading.account_id)
            if subscription is not None:
                _warn(subscription, reading, at=at)
            Reading.objects.filter(pk=reading.pk).update(weighed_at=at)
    return len(readings)


def _warn(subscription: Subscription, reading: Reading, *, at: datetime) -> None:
    on = business_day(at, subscription.zone)
    periods = SubscriptionPeriod.objects.filter(subscription=subscription, start_on__lte=on)
    period = periods.order_by("start_on").last()
    if period is None or period.end_on <= on or _being_given(subscription, reading):
        return
    for units in usage.units_of(subscription, reading):
        level = _level(units.used, units.included)
        if level and _is_new(period, units.service, level):
            cause = _cause(period, units.service, level)
            usage_emails.units_used(subscription, units, level=level, cause=cause, at=at)
    if reading.balance_minor is not None:
        _warn_of_credit(subscription, period, at=at)


def _warn_of_credit(
    subscription: Subscription, period: SubscriptionPeriod, *, at: datetime
) -> None:
    """Go by the latest credit that was included; what was bought has mails of its own."""
    included = [
        line
        for line in statements.of(subscription)
        if line.kind in (Kind.RESETTING, Kind.PERSISTING) and line.invoice is not None
    ]
    if not included:
        return
    latest = max(included, key=lambda line: line.bucket.pk)
    level = _level(latest.used.minor, latest.granted.minor)
    if level and _is_new(period, CREDIT, level):
        cause = _cause(period, CREDIT, level)
        usage_emails.credit_used(subscription, latest, level=level, cause=cause, at=at)


def _being_given(subscription: Subscription, reading: Reading) -> bool:
    """Say whether a renewal's allowance is on its way, or came after the reading."""
    given = (Job.Kind.REFILL, Job.Kind.CREDIT, Job.Kind.TAKE_BACK)
    jobs = Job.objects.filter(account=reading.account_id, kind__in=given)
    late = jobs.filter(state=Job.State.DONE, finished_at__gt=reading.at)
    waiting = jobs.filter(state__in=(Job.State.WAITING, Job.State.RUNNING))
    due = subscription.allowance_on is not None and subscription.allowance_on <= business_day(
        reading.at, subscription.zone
    )
    return due or waiting.exists() or late.exists()


def _level(used: int, included: int) -> int:
    """Return the highest level that is reached, 0 for none."""
    return next((level for level in LEVELS if used * 100 >= included * level), 0)


def _is_new(period: SubscriptionPeriod, what: str, level: int) -> bool:
    """Say whether neither this level nor a higher one was told in the period."""
    told = [_cause(period, what, each) for each in LEVELS if each >= level]
    return not Mail.objects.filter(cause__in=told).exists()


def _cause(period: SubscriptionPeriod, what: str, level: int) -> str:
    return f"period-{period.pk}:{what}-{level}"
