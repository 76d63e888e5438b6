"""What a package includes at each renewal: credit and units, which persist or reset."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from django.db import transaction

from billing import credits, locks, rests
from billing.models import Invoice, InvoiceLine, PriceNotice, Subscription
from packages import rows
from packages.models import Package
from packages.money import Money
from packages.periods import business_day
from provisioning import jobs

# A subscription as its paid line charges it.
Given = tuple[Subscription, InvoiceLine]
CHUNK = 500
ACTOR = "system:billing"


def renew(given: Sequence[Given], *, at: datetime, actors: Mapping[int, str]) -> None:
    """Give what paid periods include; needs the subscriptions' locks, saves `allowance_on`.

    `actors` says who did it, by the subscription's id. What persists is given as soon as it is
    paid. What resets is given, and the old taken back, on the first day of the period: until then
    the customer has the old.
    """
    credit_of = _credits(given)
    persisting = [each for each in given if not _resets(each[0])]
    wishes = [
        (wish, actors[each[0].pk])
        for each in persisting
        for wish in _wishes(*each, credit_of[each[1].pk], ())
    ]
    jobs.add([wish for wish, _ in wishes], at=at, actor=[actor for _, actor in wishes])
    waiting: dict[int, Subscription] = {}
    for subscription, line in given:
        if not _resets(subscription):
            continue
        start_on = line.period_start_on
        assert start_on is not None, "A renewal's line has its period."
        if start_on > business_day(at, subscription.zone):
            # One that is exchanged meanwhile comes once for each of its terms.
            waits = waiting.setdefault(subscription.pk, subscription)
            waits.allowance_on = min(waits.allowance_on or start_on, start_on)
        else:
            actor = actors[subscription.pk]
            _give(subscription, line, credit_of[line.pk], at=at, actor=actor)
    rows.update(list(waiting.values()), "allowance_on")


def run(on: date, *, at: datetime) -> int:
    """Give the allowances whose day has come, in chunks; return how many. Once for each line."""
    given = 0
    while True:
        with transaction.atomic():
            due = locks.take_allowances(on, limit=CHUNK)
            for subscription in due:
                given += _give_due(subscription, on=on, at=at)
            Subscription.objects.bulk_update(due, ["allowance_on"])
        if len(due) < CHUNK:
            # What is left, another runner holds.
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
    credit_of = _credits([(subscription, line) for line in due])
    for line in () if ended else due:
        _give(subscription, line, credit_of[line.pk], at=at, actor=ACTOR)
    subscription.allowance_on = later[0] if later and not ended else None
    return 0 if ended else len(due)


def _give(
    subscription: Subscription, line: InvoiceLine, credit: Money, *, at: datetime, actor: str
) -> None:
    """Ask for what a line includes, by what is left of the old; locks the account."""
    assert subscription.account is not None, "A subscription that renews has its account."
    old = credits.lots(subscription.account) if _resets(subscription) else []
    jobs.add(_wishes(subscription, line, credit, old), at=at, actor=actor)


def _wishes(
    subscription: Subscription, line: InvoiceLine, credit: Money, old: Sequence[credits.Lot]
) -> list[jobs.Wish]:
    """Return credit, then what of the old is taken back, then units.

    In this order nobody is without credit in between, and what is spent while the old is taken back
    comes out of the new free credit, not out of what was paid.
    """
    account, cause = subscription.account, f"invoice-line-{line.pk}"
    assert account is not None, "A subscription that renews has its account."
    wishes = []
    if credit:
        wishes.append(jobs.credit_wish(account, credit, cause=f"{cause}:credit"))
    most = credits.left_of(old, credits.Kind.RESETTING)
    if most:
        keep = Money(sum(lot.left_minor for lot in old) - most + credit.minor, credit.currency)
        taken = Money(most, credit.currency)
        wishes.append(
            jobs.take_back_wish(account, keep=keep, most=taken, cause=f"{cause}:take-back")
        )
    units = subscription.limits.get("units", {})
    if units:
        rest = not _resets(subscription)
        wishes.append(jobs.refill_wish(account, units, keep_rest=rest, cause=f"{cause}:units"))
    return wishes


def _credits(given: Sequence[Given]) -> dict[int, Money]:
    """Return what is included in each line's price, by the line's id; one query.

    The next invoice may have brought a new price onto the subscription before this one was paid.
    """
    applied = PriceNotice.objects.filter(
        subscription__in=[subscription.pk for subscription, _ in given],
        applies_from__isnull=False,
        credit_before_minor__isnull=False,
    )
    notices = defaultdict(list)
    for notice in applied.order_by("applies_from", "change__effective_on", "pk"):
        notices[notice.subscription_id].append(notice)
    return {
        line.pk: _credit_of(subscription, line, notices[subscription.pk])
        for subscription, line in given
    }


def _credit_of(
    subscription: Subscription, line: InvoiceLine, notices: Sequence[PriceNotice]
) -> Money:
    """Return what the line's price includes: what did before the first price that came later."""
    assert line.period_start_on is not None, "A renewal's line has its period."
    for notice in notices:
        assert notice.applies_from is not None, "Only notices that were applied are asked for."
        if notice.applies_from > line.period_start_on:
            return Money(notice.credit_before_minor or 0, subscription.currency)
    return subscription.credit


def _resets(subscription: Subscription) -> bool:
    return subscription.allowance == Package.Allowance.RESET
