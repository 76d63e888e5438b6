"""All arithmetic with money. Nothing else in the product adds, multiplies or rounds an amount."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

# Minor digits by ISO 4217; every currency not named here has two.
WHOLE = ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW") + (
    *("PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"),
)
THOUSANDTHS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
EXPONENTS = {**dict.fromkeys(WHOLE, 0), **dict.fromkeys(THOUSANDTHS, 3)}
BASIS = 10_000


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies met; no rate is ever implied."""


@dataclass(frozen=True, slots=True)
class Money:
    """An integer of minor units and a currency, e.g. `Money(49_00, "EUR")` is 49 euros."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"Money counts whole minor units, not {type(self.minor).__name__}.")

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(0, currency)

    @classmethod
    def of_decimal(cls, amount: Decimal, currency: str) -> Money:
        """Turn a decimal text's value into minor units; raise ValueError if a fraction is left."""
        scaled = amount.scaleb(exponent(currency))
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{amount} {currency} has more digits than {currency} knows.")
        return cls(int(scaled), currency)

    @classmethod
    def rounded(cls, amount: Decimal, currency: str) -> Money:
        """Turn somebody else's decimal into minor units, rounding half up."""
        scaled = amount.scaleb(exponent(currency))
        return cls(int(scaled.to_integral_value(rounding=ROUND_HALF_UP)), currency)

    def __str__(self) -> str:
        return f"{self.decimal()} {self.currency}"

    def decimal(self) -> Decimal:
        """Return the amount in major units with the currency's number of digits."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    def times(self, quantity: int) -> Money:
        return Money(self.minor * quantity, self.currency)

    def percent(self, basis_points: int) -> Money:
        """Return that share of the amount, rounded half away from zero (EN 16931's commercial
        rule).
        """
        return self.fraction(basis_points, BASIS)

    def included_percent(self, basis_points: int) -> Money:
        """Return the tax that this gross amount contains; gross minus it is the net."""
        return self.fraction(basis_points, BASIS + basis_points)

    def fraction(self, part: int, whole: int) -> Money:
        """Return `part/whole` of the amount, rounded half away from zero (proration by days)."""
        return Money(divided(self.minor * part, whole), self.currency)

    def split(self, weights: Sequence[int]) -> list[Money]:
        """Share the amount out by weight, largest remainder first; the parts sum to the whole."""
        shares = allocate(self.minor, weights)
        return [Money(share, self.currency) for share in shares]

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} do not add up.")
        return other.minor


def total(amounts: Iterable[Money], currency: str) -> Money:
    """Add the amounts up, zero for none; raise CurrencyMismatch on any other currency."""
    result = Money.zero(currency)
    for amount in amounts:
        result += amount
    return result


def exponent(currency: str) -> int:
    return EXPONENTS.get(currency, 2)


def divided(minor: int, by: int) -> int:
    """Divide by a positive number and round half away from zero, so that a credit note is the exact
    negative of its invoice.
    """
    magnitude = (2 * abs(minor) + by) // (2 * by)
    return magnitude if minor >= 0 else -magnitude


def allocate(minor: int, weights: Sequence[int]) -> list[int]:
    """Share `minor` out by non-negative weights; stable order, sum preserved, sign preserved."""
    if not weights or min(weights) < 0:
        raise ValueError("Weights are needed, none of them negative.")
    weight = sum(weights)
    if weight == 0:
        return allocate(minor, [1] * len(weights))
    sign, magnitude = (-1 if minor < 0 else 1), abs(minor)
    floors = [magnitude * each // weight for each in weights]
    remainders = [magnitude * each % weight for each in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: (-remainders[index], index))
    for index in by_remainder[: magnitude - sum(floors)]:
        floors[index] += 1
    return [sign * share for share in floors]
