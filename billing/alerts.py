"""Alerts: told once when something goes wrong, again every day, and once more when it is over.

The path of an alert needs neither the broker nor the outbox of mails: whoever has a clock (each
worker, and beat) finds what is wrong, writes rows, and alert_posts.py sends them from there.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import transaction

from billing import troubles
from billing.models import Alert, AlertMessage, AlertSettings, current_brand
from provisioning.models import Heartbeat
from provisioning.troubles import Trouble

AGAIN_AFTER = timedelta(days=1)
# A little less than a minute and an hour, so that a ring which comes early is no ring lost.
WATCH_EVERY = timedelta(seconds=55)
CHECK_EVERY = timedelta(minutes=59)
HOURLY = frozenset({Alert.Kind.INVARIANT})
WATCHED = frozenset(Alert.Kind) - HOURLY - {Alert.Kind.TEST}
News = AlertMessage.News


def watch(
    expected: Mapping[str, timedelta], *, since: datetime, at: datetime, now: datetime
) -> bool:
    """Once a minute, whoever asks: raise and resolve what is found. Return whether it was our turn.

    `expected`: how long each process and sweep may show no sign of life; `since`: when the watching
    began; both by the machine's time `now`. Writes rows and sends nothing.
    """
    if not _turn("watch", WATCH_EVERY, now=now):
        return False
    found = troubles.find(expected, since=since, at=at, now=now)
    reconcile(found, kinds=WATCHED, at=at)
    return True


def check_invariants(*, at: datetime, now: datetime) -> bool:
    """Once an hour, whoever asks: check that all that must be true is true, and alert."""
    if not _turn("invariants", CHECK_EVERY, now=now):
        return False
    reconcile(troubles.violated(), kinds=HOURLY, at=at)
    return True


def reconcile(found: Iterable[Trouble], *, kinds: Iterable[str], at: datetime) -> None:
    """Make the open alerts of these kinds what was found; write the messages that tell of changes.

    Locks the open alerts. One that has not lasted for its patience is not told yet, and ends
    without a word.
    """
    wrong = {trouble.cause: trouble for trouble in found}
    with transaction.atomic():
        standing = Alert.objects.select_for_update().filter(resolved_at=None, kind__in=list(kinds))
        known = {alert.cause: alert for alert in standing}
        for cause, trouble in wrong.items():
            alert = known.pop(cause) if cause in known else _new(trouble, at=at)
            _still(alert, trouble, at=at)
        for alert in known.values():
            alert.resolved_at = at
            alert.save(update_fields=["resolved_at"])
            if alert.told_at is not None:
                tell(alert, News.RESOLVED, at=at)


def tell(alert: Alert, news: str, *, at: datetime) -> list[AlertMessage]:
    """Write a message for every channel that is set up; a second call writes nothing."""
    repeated = alert.messages.filter(news=News.REPEATED).order_by()
    number = repeated.values("round").distinct().count() + 1 if news == News.REPEATED else 0
    return [
        AlertMessage.objects.get_or_create(
            alert=alert,
            news=news,
            round=number,
            channel=channel,
            defaults={"created_at": at, "next_attempt_at": at},
        )[0]
        for channel in _channels()
    ]


def recipients() -> list[str]:
    """Return who gets the mails: as set, or the brand's support address."""
    row = AlertSettings.objects.first()
    named = [each.strip() for each in (row.emails if row else "").split(",")]
    return [each for each in named if each] or [current_brand().support_email]


def standing() -> list[Alert]:
    """Return the alerts that are told and not resolved, the newest first."""
    return list(Alert.objects.filter(resolved_at=None, told_at__isnull=False))


def _turn(name: str, every: timedelta, *, now: datetime) -> bool:
    """Take the turn of this interval, for all processes."""
    _row, first = Heartbeat.objects.get_or_create(process=name, defaults={"at": now})
    rested = Heartbeat.objects.filter(process=name, at__lte=now - every)
    return first or bool(rested.update(at=now))


def _new(trouble: Trouble, *, at: datetime) -> Alert:
    return Alert.objects.create(
        kind=trouble.kind, cause=trouble.cause, path=trouble.path, found_at=at, seen_at=at
    )


def _still(alert: Alert, trouble: Trouble, *, at: datetime) -> None:
    alert.facts, alert.path, alert.seen_at = trouble.facts, trouble.path, at
    news = None
    if alert.told_at is None:
        news = News.RAISED if at - alert.found_at >= trouble.patience else None
    elif at - alert.told_at >= AGAIN_AFTER:
        news = News.REPEATED
    if news is not None:
        alert.told_at = at
        tell(alert, news, at=at)
    alert.save(update_fields=["facts", "path", "seen_at", "told_at"])


def _channels() -> list[str]:
    row = AlertSettings.objects.first()
    webhook = [AlertMessage.Channel.WEBHOOK] if row and row.url else []
    return [AlertMessage.Channel.MAIL, *webhook]
