"""What a package includes at each renewal: credit and units, which persist or reset."""

from datetime import date, datetime

from django.db import transaction

from billing import credits, locks, rests
from billing.models import Invoice, InvoiceLine, Subscription
from packages.models import Package
from packages.money import Money
from provisioning import jobs

CHUNK = 500
ACTOR = "system:billing"


def renew(
    subscription: Subscription, line: InvoiceLine, *, on: date, at: datetime, actor: str
) -> None:
    """Give what a paid period includes; needs the subscription's lock, saves `allowance_on`.

    What persists is given as soon as it is paid. What resets is given, and the old taken back, on
    the first day of the period: until then the customer has the old.
    """
    assert line.period_start_on is not None, "A renewal's line has its period."
    if _resets(subscription) and line.period_start_on > on:
        waits_for = subscription.allowance_on or line.period_start_on
        subscription.allowance_on = min(waits_for, line.period_start_on)
        subscription.save(update_fields=["allowance_on"])
    else:
        _give(subscription, line, at=at, actor=actor)


def run(on: date, *, at: datetime) -> int:
    """Give the allowances whose day has come, in chunks; return how many. Once for each line."""
    given = 0
    while True:
        with transaction.atomic():
            due = locks.take_allowances(on, limit=CHUNK)
            for subscription in due:
                given += _give_due(subscription, on=on, at=at)
            Subscription.objects.bulk_update(due, ["allowance_on"])
        if not due:
            return given


def _give_due(subscription: Subscription, *, on: date, at: datetime) -> int:
    lines = InvoiceLine.objects.filter(
        subscription=subscription,
        kind=InvoiceLine.Kind.RECURRING,
        period_start_on__gte=subscription.allowance_on,
        period_start_on__lt=subscription.paid_until,
        invoice__state=Invoice.State.PAID,
    )
    in_order = rests.kept(lines).order_by("period_start_on")
    starts = [(line.period_start_on, line) for line in in_order if line.period_start_on]
    due = [line for start_on, line in starts if start_on <= on]
    later = [start_on for start_on, _ in starts if start_on > on]
    ended = subscription.state == Subscription.State.ENDED
    for line in () if ended else due:
        _give(subscription, line, at=at, actor=ACTOR)
    subscription.allowance_on = later[0] if later and not ended else None
    return 0 if ended else len(due)


def _give(subscription: Subscription, line: InvoiceLine, *, at: datetime, actor: str) -> None:
    """Ask for credit, then for the old to be taken back, then for units.

    In this order nobody is without credit in between, and what is spent while the old is taken back
    comes out of the new free credit, not out of what was paid.
    """
    account, cause = subscription.account, f"invoice-line-{line.pk}"
    assert account is not None, "A subscription that renews has its account."
    old = credits.lots(account) if _resets(subscription) else []
    credit = subscription.credit
    if credit:
        jobs.credit(account, credit, cause=f"{cause}:credit", at=at, actor=actor)
    most = credits.left_of(old, credits.Kind.RESETTING)
    if most:
        keep = sum(lot.left_minor for lot in old) - most + credit.minor
        jobs.take_back(
            account,
            keep=Money(keep, subscription.currency),
            most=Money(most, subscription.currency),
            cause=f"{cause}:take-back",
            at=at,
            actor=actor,
        )
    units = subscription.limits.get("units", {})
    if units:
        rest = not _resets(subscription)
        jobs.refill(account, units, keep_rest=rest, cause=f"{cause}:units", at=at, actor=actor)


def _resets(subscription: Subscription) -> bool:
    return subscription.allowance == Package.Allowance.RESET
