"""Amounts as Stripe counts them, which is not ISO 4217 everywhere.

https://docs.stripe.com/currencies (read November 2026): zero- and three-decimal currencies; ISK and
UGX have no fractions and are nevertheless counted in hundredths; three-decimal amounts end in 0.
"""

from decimal import Decimal

from billing.gateways.base import GatewayRefused
from packages.money import Money

NO_DECIMALS = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "JPY",
        "KMF",
        "KRW",
        "MGA",
        "PYG",
        "RWF",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
THREE_DECIMALS = {"BHD", "JOD", "KWD", "OMR", "TND"}
WHOLE_ONLY = {"ISK", "UGX"}


def digits(currency: str) -> int:
    """How many decimal digits Stripe counts for the currency."""
    if currency in NO_DECIMALS:
        return 0
    return 3 if currency in THREE_DECIMALS else 2


def counted(money: Money) -> int:
    """The amount in Stripe's smallest units. Raises GatewayRefused for one it cannot take."""
    scaled = money.decimal().scaleb(digits(money.currency))
    minor = int(scaled)
    step = 100 if money.currency in WHOLE_ONLY else 10 if money.currency in THREE_DECIMALS else 1
    if scaled != minor or minor % step:
        raise GatewayRefused(f"Stripe takes no amount as fine as {money}")
    return minor


def money(minor: int, currency: str) -> Money:
    """Stripe's amount as ours. Raises ValueError for a fraction that we do not count."""
    code = currency.upper()
    return Money.of_decimal(Decimal(minor).scaleb(-digits(code)), code)
