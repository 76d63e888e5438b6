"""The calendar of a subscription: every period is computed from the anchor, never from its
neighbour.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import models
from django.utils.translation import gettext_lazy as _


class Cycle(models.TextChoices):
    """How often a price is charged."""

    ONE_TIME = "one_time", _("one time")
    MONTHLY = "monthly", _("monthly")
    QUARTERLY = "quarterly", _("quarterly")
    HALF_YEARLY = "half_yearly", _("half-yearly")
    YEARLY = "yearly", _("yearly")
    TWO_YEARLY = "two_yearly", _("two-yearly")


MONTHS = {
    Cycle.MONTHLY: 1,
    Cycle.QUARTERLY: 3,
    Cycle.HALF_YEARLY: 6,
    Cycle.YEARLY: 12,
    Cycle.TWO_YEARLY: 24,
}
RECURRING = tuple(MONTHS)


@dataclass(frozen=True, slots=True)
class Period:
    """The half-open stretch of days `[start_on, end_on)` that one charge pays for."""

    start_on: date
    end_on: date

    @property
    def last_on(self) -> date:
        return self.end_on - timedelta(days=1)

    @property
    def days(self) -> int:
        return (self.end_on - self.start_on).days


def add_months(anchor_on: date, months: int) -> date:
    """Return the anchor day `months` later, clamped to that month's length (31 Jan, 28 Feb, 31
    Mar).
    """
    year, month = divmod(anchor_on.year * 12 + anchor_on.month - 1 + months, 12)
    return date(year, month + 1, min(anchor_on.day, monthrange(year, month + 1)[1]))


def period(anchor_on: date, cycle: str, index: int) -> Period:
    """Return the period number `index`, 0 being the first, of what is anchored on `anchor_on`."""
    months = MONTHS[Cycle(cycle)]
    return Period(
        add_months(anchor_on, months * index), add_months(anchor_on, months * (index + 1))
    )


def index_of(anchor_on: date, cycle: str, start_on: date) -> int:
    """Return the number of the period that starts on that day; the inverse of `period`."""
    months = (start_on.year - anchor_on.year) * 12 + start_on.month - anchor_on.month
    return months // MONTHS[Cycle(cycle)]


def first_from(anchor_on: date, cycle: str, on: date) -> date:
    """Return the first day of the first period that begins on that day or later."""
    index = max(0, index_of(anchor_on, cycle, on))
    start_on = period(anchor_on, cycle, index).start_on
    return start_on if start_on >= on else period(anchor_on, cycle, index + 1).start_on


def business_day(at: datetime, zone: str) -> date:
    """Return the date that an aware instant falls on in the billing zone."""
    return at.astimezone(ZoneInfo(zone)).date()


def start_of_day(on: date, zone: str) -> datetime:
    """Return the first instant (aware UTC) of a date in the zone, also where midnight does not
    exist.
    """
    midnight = datetime(on.year, on.month, on.day, tzinfo=ZoneInfo(zone))
    return midnight.astimezone(UTC)
