"""The calendar of subscriptions: no day is paid twice or skipped, and the anchor never drifts."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from packages.periods import (
    MONTHS,
    Cycle,
    add_months,
    business_day,
    index_of,
    period,
    start_of_day,
)
from tests.properties import given, st

RECURRING = st.sampled_from([cycle.value for cycle in MONTHS])
DAYS = st.dates(date(2024, 1, 1), date(2032, 12, 31))
# Clocks that change at midnight (Beirut, Havana, Santiago, Cairo), by half an hour, or never.
ZONES = [
    *("Europe/Berlin", "America/New_York", "Asia/Beirut", "America/Havana", "America/Santiago"),
    *("Africa/Cairo", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Kiritimati", "UTC"),
]


EVERY_DAY = [date(2024, 1, 1) + timedelta(days=count) for count in range(3288)]


@pytest.mark.parametrize("cycle", MONTHS)
def test_periods_tile_the_calendar_for_every_anchor_day(cycle: Cycle) -> None:
    """Every start from 2024 to 2032, and so every day 1 to 31 and each 29 February, for a year of
    months or more: no day is left out or had twice, and the anchor's day comes back in each month
    that has it.
    """
    for anchor_on in EVERY_DAY:
        end_on = anchor_on
        for index in range(13):
            stretch = period(anchor_on, cycle, index)
            assert stretch.start_on == end_on
            last = monthrange(end_on.year, end_on.month)[1]
            assert end_on.day == min(anchor_on.day, last)
            end_on = stretch.end_on


@pytest.mark.parametrize("zone", ZONES)
def test_periods_tile_as_instants_in_every_zone(zone: str) -> None:
    """Each day's first instant bears its date, and the instant before it that of the day before:
    so periods that tile as dates tile as instants, whatever clocks do on that night.
    """
    for on in EVERY_DAY:
        begin = start_of_day(on, zone)
        assert business_day(begin, zone) == on
        assert business_day(begin - timedelta(microseconds=1), zone) == on - timedelta(days=1)


@given(DAYS, RECURRING, st.integers(0, 120))
def test_the_anchor_day_never_drifts(anchor_on: date, cycle: str, index: int) -> None:
    start_on = period(anchor_on, cycle, index).start_on
    last_of_month = monthrange(start_on.year, start_on.month)[1]
    assert start_on.day == min(anchor_on.day, last_of_month)
    months = (start_on.year - anchor_on.year) * 12 + start_on.month - anchor_on.month
    assert months == MONTHS[Cycle(cycle)] * index


@given(DAYS, RECURRING, st.integers(-3, 120))
def test_every_period_has_days_and_ends_where_the_next_begins(
    anchor_on: date, cycle: str, index: int
) -> None:
    this, following = period(anchor_on, cycle, index), period(anchor_on, cycle, index + 1)
    assert this.days > 0
    assert this.end_on == following.start_on
    assert this.last_on == following.start_on - timedelta(days=1)


@given(DAYS, RECURRING, st.integers(-3, 120))
def test_a_period_is_known_by_its_first_day(anchor_on: date, cycle: str, index: int) -> None:
    start_on = period(anchor_on, cycle, index).start_on
    assert index_of(anchor_on, cycle, start_on) == index


def test_the_last_of_january_comes_back_after_february() -> None:
    starts = [period(date(2026, 1, 31), Cycle.MONTHLY, index).start_on for index in range(4)]
    assert starts == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]


def test_a_leap_day_comes_back_every_fourth_year() -> None:
    starts = [period(date(2028, 2, 29), Cycle.YEARLY, index).start_on for index in range(5)]
    assert [each.day for each in starts] == [29, 28, 28, 28, 29]


@given(DAYS, st.integers(-60, 60), st.integers(-60, 60))
def test_months_from_the_anchor_keep_their_order(anchor_on: date, one: int, other: int) -> None:
    assert (add_months(anchor_on, one) < add_months(anchor_on, other)) == (one < other)


def test_a_one_time_price_has_no_period() -> None:
    with pytest.raises(KeyError):
        period(date(2026, 1, 1), Cycle.ONE_TIME, 0)


def test_an_instant_is_told_in_utc() -> None:
    assert start_of_day(date(2026, 3, 2), "Europe/Berlin").tzinfo is UTC


def test_a_day_without_midnight_begins_at_one() -> None:
    begin = start_of_day(date(2026, 9, 6), "America/Santiago")
    assert begin.astimezone(ZoneInfo("America/Santiago")).hour == 1


def test_a_day_with_two_midnights_begins_at_the_first() -> None:
    begin = start_of_day(date(2026, 11, 1), "America/Havana")
    assert begin == datetime(2026, 11, 1, 4, tzinfo=UTC)


def test_the_business_day_is_that_of_the_billing_zone() -> None:
    at = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert business_day(at, "Europe/Berlin") == date(2027, 1, 1)
    assert business_day(at, "America/New_York") == date(2026, 12, 31)
