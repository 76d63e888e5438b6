"""Amounts as PayPal writes them: texts of major units.

https://developer.paypal.com/api/rest/reference/currency-codes/ (read November 2026): HUF, JPY and
TWD are taken without decimals, whatever ISO 4217 says; all others with two.
"""

from decimal import Decimal, InvalidOperation
from typing import Any

from billing.gateways.base import GatewayRefused
from packages.money import Money

CURRENCIES = frozenset(
    [
        *("AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS"),
        *("JPY", "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "TWD", "USD"),
    ]
)
WHOLE_ONLY = frozenset({"HUF", "JPY", "TWD"})


def written(money: Money) -> dict[str, str]:
    """The amount as PayPal wants it. Raises GatewayRefused for one it cannot take."""
    if money.currency not in CURRENCIES:
        raise GatewayRefused(f"PayPal takes no {money.currency}")
    amount = money.decimal()
    if money.currency in WHOLE_ONLY:
        if amount != amount.to_integral_value():
            raise GatewayRefused(f"PayPal takes no amount as fine as {money}")
        return {"currency_code": money.currency, "value": f"{amount:.0f}"}
    return {"currency_code": money.currency, "value": f"{amount:.2f}"}


def read(value: Any) -> Money:
    """PayPal's amount as ours. Raises ValueError, KeyError or TypeError for what is none."""
    try:
        return Money.of_decimal(Decimal(value["value"]), value["currency_code"])
    except InvalidOperation as error:
        raise ValueError("not an amount") from error
