"""Which key of a record may be which of our fields: by name, then tried out. Pure; no HTTP."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from provisioning.dialler.scalars import Record, as_minor, as_text

# Words in a key that make it worth a try for one of our fields, the likeliest first.
HINTS: dict[str, str] = {
    "first_name": r"first|given",
    "last_name": r"last|sur|family",
    "email": r"mail",
    "company": r"company|organi[sz]ation|business",
    "phone": r"phone|mobile|tel",
    "language": r"lang|locale",
    "marker": r"ref|external|remark|note|comment|description",
    "tariff": r"plan|tariff|rate",
    "channels": r"channel|concurren|simultan|trunk",
    "role": r"role|group|type",
    "active": r"active|status|state|enabled|suspend",
}
BY_ID = ("tariff", "role")
MOST_CANDIDATES = 4
# On and off as servers were seen to write them.
SWITCHES = (("1", "0"), ("Active", "Suspended"), ("active", "suspended"), ("active", "inactive"),
            ("Active", "Inactive"), ("enabled", "disabled"), ("true", "false"), ("yes", "no"),
            ("Y", "N"))  # fmt: skip
UNITS = re.compile(r"unit|quota|free|included|bundle|minute", re.I)
ID_KEY = re.compile(r"(^|_)(id|uid|uuid)$", re.I)


def candidates(field: str, record: Record, *, named: str, taken: set[str]) -> list[str]:
    """Return the keys of the record that may be this field: the one that is named so far, then
    those with a telling name.
    """
    hint = re.compile(HINTS[field], re.I)
    free = [key for key, value in record.items() if key not in taken and not _nested(value)]
    likely = [named] if named in free else []
    # A plan and a role may well go by their id; everything else that ends so is somebody else's.
    likely += [
        key
        for key in free
        if hint.search(key) and key != named and (field in BY_ID or not ID_KEY.search(key))
    ]
    return likely[:MOST_CANDIDATES]


def showing(value: str, record: Record, *, named: str, taken: set[str]) -> str:
    """Return the key that shows exactly what was sent, empty if none or several do."""
    if as_text(record.get(named)) == value:
        return named
    same = [key for key, shown in record.items() if key not in taken and as_text(shown) == value]
    return same[0] if len(same) == 1 else ""


def ids_of(record: Record, told: str | None, *, named: list[str]) -> list[str]:
    """Return the keys that may hold the account's id: of those that fit, the ones `named` so far.

    They fit if they show what the create `told`; without that, if they sound like an id.
    """
    shown = [key for key, value in record.items() if as_text(value) and ID_KEY.search(key)]
    told_by = [key for key in record if told and as_text(record[key]) == told]
    sure = [key for key in told_by if key in shown] or told_by
    known = [key for key in named if key in (sure or shown)]
    return known or sure or (shown if len(shown) == 1 else [])


def amounts(record: Record, currency: str, *, path: str = "") -> dict[str, int]:
    """Return every value that reads as an amount, by its dotted path, in ten-thousandths.

    Finer than minor units: a server may show four digits, and 0.01 must be told apart from noise.
    """
    found: dict[str, int] = {}
    for key, value in record.items():
        where = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            found |= amounts(value, currency, path=where)
        elif as_minor(value, currency) is not None and not ID_KEY.search(key):
            found[where] = int(Decimal(str(as_text(value))) * 10_000)
    return found


def risen(before: dict[str, int], after: dict[str, int], by: int) -> list[str]:
    """Return the paths whose amount rose by exactly so much."""
    return [path for path, value in after.items() if value - before.get(path, value) == by]


def service_flags(record: Record, services: tuple[str, ...], taken: set[str]) -> dict[str, str]:
    """Return a key per service that looks like an on/off flag; empty unless each has one."""
    flags = {
        service: [
            key
            for key, value in record.items()
            if service in key.lower() and key not in taken and not UNITS.search(key)
            if as_text(value) in {"0", "1"}
        ]
        for service in services
    }
    return {each: keys[0] for each, keys in flags.items()} if all(flags.values()) else {}


def unit_keys(record: Record, services: tuple[str, ...], taken: set[str]) -> dict[str, str]:
    """Return keys that may count included units, by service."""
    return {
        service: key
        for service in services
        for key, value in record.items()
        if service in key.lower() and UNITS.search(key) and key not in taken and _counts(value)
    }


def switch_of(value: Any) -> list[tuple[str, str]]:
    """Return the pairs of on and off to try where an active account shows this value."""
    shown = as_text(value)
    return [pair for pair in SWITCHES if pair[0] == shown]


def _nested(value: Any) -> bool:
    return isinstance(value, dict | list)


def _counts(value: Any) -> bool:
    return bool(re.fullmatch(r"\d{1,9}", as_text(value) or ""))
