"""What a service used and how long its credit lasts, from the readings of its account."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models.functions import Trunc

from billing.models import BucketEntry, Subscription
from packages.money import Money
from provisioning.models import Account, Reading

SHOWN = timedelta(days=30)
# While there are fewer days than this, the chart shows hours.
FINE = timedelta(days=3)
BASIS = timedelta(days=7)
# Less than this says nothing about a week; a reading older than that nothing about now.
ENOUGH = timedelta(days=1)
STALE = timedelta(days=2)
FAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Point:
    """The balance at an instant, and what was used since the point before; None for the first."""

    at: datetime
    balance: Money
    used: Money | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """When credit ends at the rate of the last days. `known` is False while they are too few.

    `ends_at` None: nothing was used, or the credit lasts for more than a year.
    """

    known: bool
    ends_at: datetime | None = None
    used: Money | None = None
    far: bool = False


@dataclass(frozen=True, slots=True)
class Units:
    """The included units of one service: how many of a period's are left."""

    service: str
    included: int
    left: int

    @property
    def used(self) -> int:
        return max(0, self.included - self.left)

    @property
    def tone(self) -> str:
        """Return how the meter looks: all used, 80 % used, or nothing of note."""
        if not self.left:
            return "bad"
        return "warn" if self.used * 100 >= self.included * 80 else ""

    @property
    def most(self) -> int:
        """Return what the meter's whole is: units that persist may be more than a period's."""
        return max(self.included, self.left)


@dataclass(frozen=True, slots=True)
class Usage:
    """All that is shown of a service's use; empty where the dialler does not show it."""

    points: list[Point]
    by_hour: bool
    forecast: Forecast
    units: list[Units]
    sent: list[tuple[str, int]]
    cost: Money | None
    read_at: datetime | None


def of(subscription: Subscription, *, at: datetime) -> Usage:
    """Return what the last thirty days' readings show. Reads only."""
    account = subscription.account
    if account is None:
        return Usage([], False, Forecast(known=False), [], [], None, None)
    newest = account.readings.exclude(balance_minor=None, units=None, used=None).last()
    first = account.readings.filter(balance_minor__isnull=False, at__gte=at - SHOWN).first()
    by_hour = first is not None and at - first.at < FINE
    points = _points(account, subscription, by_hour=by_hour, at=at) if first else []
    cost = newest.cost_minor if newest else None
    return Usage(
        points=points,
        by_hour=by_hour,
        forecast=forecast(points, at=at),
        units=units_of(subscription, newest),
        sent=sorted((newest.used or {}).items()) if newest else [],
        cost=None if cost is None else Money(cost, subscription.currency),
        read_at=newest.at if newest else None,
    )


def forecast(points: Sequence[Point], *, at: datetime) -> Forecast:
    """Say when the credit ends if it goes on as in the last seven days, or in those there are."""
    if not points or at - points[-1].at > STALE:
        return Forecast(known=False)
    last = points[-1]
    old = [point for point in points if point.at <= last.at - BASIS]
    base = old[-1] if old else points[0]
    passed = last.at - base.at
    if passed < ENOUGH:
        return Forecast(known=False)
    used = Money.zero(last.balance.currency)
    for point in points:
        if point.at > base.at and point.used is not None:
            used += point.used
    if used.minor <= 0:
        return Forecast(known=True, used=used)
    seconds = int(passed.total_seconds()) * max(0, last.balance.minor) // used.minor
    if seconds > FAR.total_seconds():
        return Forecast(known=True, used=used, far=True)
    return Forecast(known=True, ends_at=last.at + timedelta(seconds=seconds), used=used)


def units_of(subscription: Subscription, reading: Reading | None) -> list[Units]:
    """Return what is left of the included units; nothing where the dialler does not show them."""
    shown = reading.units if reading and reading.units is not None else {}
    included: dict[str, int] = subscription.limits.get("units", {})
    return [
        Units(service, count, shown[service])
        for service, count in included.items()
        if count and service in shown
    ]


def _points(
    account: Account, subscription: Subscription, *, by_hour: bool, at: datetime
) -> list[Point]:
    """Return the last reading of each day or hour with what was used in between."""
    grain = "hour" if by_hour else "day"
    known = account.readings.filter(balance_minor__isnull=False, at__gte=at - SHOWN)
    part = Trunc("at", grain, tzinfo=ZoneInfo(subscription.zone))
    rows = known.annotate(part=part).order_by("part", "-slot").distinct("part")
    readings = [(row.at, row.balance_minor or 0) for row in rows]
    granted = _granted(account, since=readings[0][0])
    points, before = [], None
    for read_at, minor in readings:
        used = None
        if before is not None:
            given = sum(sum_ for given_at, sum_ in granted if before[0] < given_at <= read_at)
            used = Money(max(0, before[1] + given - minor), subscription.currency)
        points.append(Point(read_at, Money(minor, subscription.currency), used))
        before = (read_at, minor)
    return points


def _granted(account: Account, *, since: datetime) -> list[tuple[datetime, int]]:
    """Return what was added and taken back, so that it does not look like use."""
    moved = (BucketEntry.Kind.GRANTED, BucketEntry.Kind.TAKEN_BACK)
    entries = BucketEntry.objects.filter(bucket__account=account, kind__in=moved, at__gt=since)
    return list(entries.exclude(cause__startswith="found-").values_list("at", "amount_minor"))
