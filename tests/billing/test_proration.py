"""What days are worth: exact sums, never negative, whole on the first day."""

from __future__ import annotations

from datetime import date, timedelta

from billing import proration
from packages.money import Money
from packages.periods import MONTHS, Period, period
from tests.properties import given, st

DAYS = st.dates(date(2024, 1, 1), date(2032, 12, 31))
CYCLES = st.sampled_from([cycle.value for cycle in MONTHS])
AMOUNTS = st.integers(0, 10_000_00)


def euros(minor: int) -> Money:
    return Money(minor, "EUR")


@given(DAYS, CYCLES, AMOUNTS, st.integers(-5, 800))
def test_the_unused_and_the_used_part_are_the_whole(
    anchor_on: date, cycle: str, minor: int, offset: int
) -> None:
    stretch, paid = period(anchor_on, cycle, 0), euros(minor)
    left = proration.unused(paid, stretch, anchor_on + timedelta(days=offset))
    assert euros(0) <= left <= paid
    assert left + (paid - left) == paid


@given(DAYS, CYCLES, AMOUNTS)
def test_the_first_day_is_worth_everything_and_the_last_one_day(
    anchor_on: date, cycle: str, minor: int
) -> None:
    stretch, paid = period(anchor_on, cycle, 0), euros(minor)
    assert proration.unused(paid, stretch, stretch.start_on) == paid
    assert proration.unused(paid, stretch, stretch.last_on) == paid.fraction(1, stretch.days)
    assert proration.unused(paid, stretch, stretch.end_on) == euros(0)


@given(DAYS, CYCLES, AMOUNTS, st.integers(1, 750))
def test_every_day_is_worth_the_same_to_the_cent(
    anchor_on: date, cycle: str, minor: int, offset: int
) -> None:
    stretch = period(anchor_on, cycle, 0)
    on = anchor_on + timedelta(days=offset % stretch.days)
    days = proration.days_left(stretch, on)
    exact_100 = minor * 100 * days // stretch.days
    assert abs(proration.unused(euros(minor), stretch, on).minor * 100 - exact_100) <= 51


@given(DAYS, CYCLES, AMOUNTS, st.integers(0, 750))
def test_what_was_charged_for_the_rest_is_worth_as_much_on_that_day(
    anchor_on: date, cycle: str, minor: int, offset: int
) -> None:
    """So there and back on one day costs nothing and gives nothing."""
    stretch = period(anchor_on, cycle, 0)
    on = anchor_on + timedelta(days=offset % stretch.days)
    rest = proration.unused(euros(minor), stretch, on)
    assert proration.unused(rest, Period(on, stretch.end_on), on) == rest
