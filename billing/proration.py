"""What a stretch of days is worth, by the day. Pure arithmetic; no row and no clock."""

from datetime import date

from packages.money import Money
from packages.periods import Period


def days_left(stretch: Period, on: date) -> int:
    """Return how many days of `[start, end)` are left when the day `on` begins, itself included.

    All of them before the stretch, none after it.
    """
    return max(0, min(stretch.days, (stretch.end_on - on).days))


def unused(amount: Money, stretch: Period, on: date) -> Money:
    """Return the part of an amount for the stretch that falls on `on` and the days after it.

    Rounded once, half away from zero, like everything else: what costs the same is worth the same,
    so an exchange and its reverse on one day cancel to the cent. `amount - unused` is the part that
    was used, so both together are the amount, always.
    """
    return amount.fraction(days_left(stretch, on), stretch.days)
