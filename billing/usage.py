"""What a service used and how long its credit lasts, from the readings of its account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Case, Min, QuerySet, Subquery, Value, When
from django.db.models.functions import Trunc
from django.db.models.lookups import GreaterThan

from billing.models import BucketEntry, Subscription
from packages.money import Money, total
from provisioning.models import Reading

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
class Curve:
    """What was left and used, day by day or hour by hour; empty where nothing was read.

    `points` is all accounts together, `apart` is each one's by its id.
    """

    points: list[Point]
    by_hour: bool
    apart: Mapping[int, list[Point]]


@dataclass(frozen=True, slots=True)
class Usage(Curve):
    """All that is shown of a service's use; empty where the dialler does not show it."""

    forecast: Forecast
    units: list[Units]
    sent: list[tuple[str, int]]
    cost: Money | None
    read_at: datetime | None


def of(subscription: Subscription, *, at: datetime) -> Usage:
    """Return what the last thirty days' readings show. Reads only."""
    account = subscription.account
    if account is None:
        return Usage([], False, {}, Forecast(known=False), [], [], None, None)
    newest = account.readings.exclude(balance_minor=None, units=None, used=None).last()
    curve = credit_of([subscription], at=at)
    cost = newest.cost_minor if newest else None
    return Usage(
        points=curve.points,
        by_hour=curve.by_hour,
        apart=curve.apart,
        forecast=forecast(curve.points, at=at),
        units=units_of(subscription, newest),
        sent=sorted((newest.used or {}).items()) if newest else [],
        cost=None if cost is None else Money(cost, subscription.currency),
        read_at=newest.at if newest else None,
    )


def credit_of(subscriptions: Sequence[Subscription], *, at: datetime) -> Curve:
    """Return the credit of services of one currency together, and what they used; two queries.

    A service counts from its first reading on; where it was not read, it has what was read before.
    """
    known = Reading.objects.filter(
        account__in=[each.account_id for each in subscriptions],
        balance_minor__isnull=False,
        at__gte=at - SHOWN,
    ).order_by()
    like = subscriptions[0]
    rows = _last_of_each(known, like.zone, by_hour_since=at - FINE)
    if not rows:
        return Curve([], False, {})
    granted = _granted({row.account_id for row in rows}, since=min(row.at for row in rows))
    apart: dict[int, list[Any]] = {}
    for row in rows:
        apart.setdefault(row.account_id, []).append(row)
    return Curve(
        _points(rows, granted, like.currency),
        rows[0].by_hour,
        {key: _points(theirs, granted, like.currency) for key, theirs in apart.items()},
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


def _last_of_each(known: QuerySet[Reading], zone: str, *, by_hour_since: datetime) -> list[Any]:
    """Return each account's last reading of every day, or hour while there are few days, with that
    as its `part`; all know whether it is `by_hour`.
    """
    first_at = known.values(all=Value(1)).annotate(at=Min("at")).values("at")
    marked = known.annotate(by_hour=GreaterThan(Subquery(first_at), by_hour_since))
    hour, day = (Trunc("at", each, tzinfo=ZoneInfo(zone)) for each in ("hour", "day"))
    part = Case(When(by_hour=True, then=hour), default=day)
    last = marked.annotate(part=part).order_by("account_id", "part", "-slot")
    return list(last.distinct("account_id", "part"))


def _points(
    rows: Sequence[Any], granted: Sequence[tuple[int, datetime, int]], currency: str
) -> list[Point]:
    """Return these readings, added up, and what was used in between."""
    points: dict[datetime, Point] = {}
    before: dict[int, Reading] = {}
    for row in sorted(rows, key=lambda row: row.part):
        used = _used(before.get(row.account_id), row, granted, currency)
        before[row.account_id] = row
        left = (Money(each.balance_minor or 0, currency) for each in before.values())
        there = points.get(row.part)
        if there is not None and there.used is not None:
            used = there.used if used is None else used + there.used
        read_at = max(row.at, there.at) if there else row.at
        points[row.part] = Point(read_at, total(left, currency), used)
    return list(points.values())


def _used(
    before: Reading | None,
    row: Reading,
    granted: Sequence[tuple[int, datetime, int]],
    currency: str,
) -> Money | None:
    """Return what an account used between two readings: what went and was not taken back."""
    if before is None:
        return None
    given = sum(
        minor
        for account, given_at, minor in granted
        if account == row.account_id and before.at < given_at <= row.at
    )
    return Money(max(0, (before.balance_minor or 0) + given - (row.balance_minor or 0)), currency)


def _granted(accounts: set[int], *, since: datetime) -> list[tuple[int, datetime, int]]:
    """Return what was added and taken back, so that it does not look like use."""
    moved = (BucketEntry.Kind.GRANTED, BucketEntry.Kind.TAKEN_BACK)
    entries = BucketEntry.objects.filter(bucket__account__in=accounts, kind__in=moved, at__gt=since)
    found = entries.exclude(cause__startswith="found-")
    return list(found.values_list("bucket__account_id", "at", "amount_minor"))
