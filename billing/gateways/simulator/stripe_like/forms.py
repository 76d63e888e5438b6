"""Reading Stripe's form encoding: `line_items[0][price_data][currency]=eur`."""

import re
from typing import Any
from urllib.parse import parse_qsl

from .errors import invalid

PART = re.compile(r"\[([^\]]*)\]")


def decoded(text: str) -> dict[str, Any]:
    """The fields as nested objects and lists; every value is a text."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        first = name.partition("[")[0]
        _put(found, [first, *PART.findall(name)], value)
    return {name: _listed(value) for name, value in found.items()}


def _put(into: dict[str, Any], path: list[str], value: str) -> None:
    for part in path[:-1]:
        into = into.setdefault(part or str(len(into)), {})
    into[path[-1] or str(len(into))] = value


def _listed(value: Any) -> Any:
    """An object whose names are 0, 1, … is a list."""
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(each) for name, each in value.items()}
    if inner and all(name.isdigit() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner


def priced(asked: dict[str, Any]) -> tuple[int, str]:
    """The sum of a page's one line, and its currency. Raises Refused below Stripe's minimum."""
    line = asked["line_items"][0]
    price = line["price_data"]
    amount = int(price["unit_amount"]) * int(line["quantity"])
    return enough(amount, str(price["currency"])), str(price["currency"])


def enough(amount: int, currency: str) -> int:
    """The amount. Raises Refused below Stripe's minimum."""
    if amount < 50 and currency in {"eur", "usd"}:
        text = "Amount must convert to at least 50 cents."
        raise invalid(text, code="amount_too_small")
    return amount
