"""Scalars as PHP and MySQL send them: numbers and booleans as text, or not; never more than is
clear.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Any

from packages.money import Money
from provisioning.dialler.mapping_parts import Switch

Record = dict[str, Any]

AMOUNT = re.compile(r"-?\d{1,15}(\.\d{1,10})?")
COUNT = re.compile(r"\d{1,9}")


def as_text(value: Any) -> str | None:
    """Return a scalar as the text PHP would send, None for null, absent and anything nested."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value) if isinstance(value, str | int | Decimal) else None


def as_minor(value: Any, currency: str) -> int | None:
    """Return an amount in minor units, None unless it is plain digits with a point."""
    text = as_text(value) if not isinstance(value, bool) else None
    if text is None or not AMOUNT.fullmatch(text):
        return None
    return Money.rounded(Decimal(text), currency).minor


def as_count(value: Any) -> int | None:
    text = as_text(value) if not isinstance(value, bool) else None
    return int(text) if text is not None and COUNT.fullmatch(text) else None


def as_switch(value: Any, switch: Switch) -> bool | None:
    """Return on or off, None for any third value."""
    if isinstance(value, bool):
        return value
    return {switch.on: True, switch.off: False}.get(as_text(value) or "")


def folded(name: str) -> str:
    """Return the name as a MySQL server compares it: no case, no accents, no trailing space."""
    bare = (each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each))
    return "".join(bare).casefold().rstrip()


def at_path(record: Record, path: str) -> Any:
    """Follow a dotted path; a key that really contains dots wins."""
    if not path or path in record:
        return record.get(path)
    value: Any = record
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value
