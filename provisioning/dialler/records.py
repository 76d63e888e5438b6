"""Between our values and one server's account records, through its mapping. Pure; no HTTP."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from itertools import compress
from typing import Any

from packages.money import Money
from provisioning.dialler.errors import Unknown
from provisioning.dialler.mapping import Mapping
from provisioning.dialler.values import SERVICES, AccountSpec, Limits, RemoteAccount

Record = dict[str, Any]

AMOUNT = re.compile(r"-?\d{1,15}(\.\d{1,10})?")
COUNT = re.compile(r"\d{1,9}")
PERSON = ("username", "email", "first_name", "last_name", "company", "phone", "language")
# Sent back with every update as read before. The name is fixed; a password or a balance never is.
KEPT = ("email", "first_name", "last_name", "company", "phone", "language")
KEPT_LIMITS = ("role", "tariff", "channels", "active", "marker")


def for_create(spec: AccountSpec, mapping: Mapping, *, password: str, marker: str) -> Record:
    """Return the record of a new, active account. What the server has no key for is left out."""
    keys = mapping.fields
    named = {getattr(keys, name): getattr(spec, name) for name in PERSON}
    named |= {keys.password: password, keys.marker: marker, keys.role: spec.role or mapping.role}
    record = {key: value for key, value in named.items() if key and value}
    return {
        **dict(mapping.create_fields),
        **record,
        **for_limits(spec.limits(), mapping),
        **for_active(mapping, active=True),
    }


def for_limits(limits: Limits, mapping: Mapping) -> Record:
    keys, units = mapping.fields, dict(limits.units)
    record = {keys.tariff: limits.tariff, keys.channels: str(limits.channels)}
    record |= _services(limits.services, mapping)
    record |= {getattr(mapping.units, each): str(units.get(each, 0)) for each in SERVICES}
    return {key: value for key, value in record.items() if key}


def for_active(mapping: Mapping, *, active: bool) -> Record:
    key = mapping.fields.active
    return {key: mapping.active.on if active else mapping.active.off} if key else {}


def kept(record: Record, mapping: Mapping) -> Record:
    """Return what an update carries so that a server which resets missing fields resets nothing."""
    names = [getattr(mapping.fields, name) for name in (*KEPT, *KEPT_LIMITS)]
    names += [getattr(mapping.units, each) for each in SERVICES]
    names += [*_service_keys(mapping), *mapping.keep]
    return {key: _sendable(record[key]) for key in names if record.get(key) is not None}


def differing(sent: Record, shown: Record, mapping: Mapping) -> list[str]:
    """Return the keys whose value the server does not show as we sent it."""
    silent = {mapping.fields.password, *_keys_of(mapping.write_only, mapping)}
    return [
        key
        for key, value in sent.items()
        if key not in silent and as_text(shown.get(key)) != as_text(value)
    ]


def account_from(record: Record, mapping: Mapping, *, currency: str) -> RemoteAccount:
    """Return the account with what is clearly readable; raise Unknown without an id or a name."""
    keys = mapping.fields
    name = as_text(record.get(mapping.lookup.username_key))
    if name is None:
        raise Unknown(f"The account shows no {mapping.lookup.username_key}.", _shown(record))
    return RemoteAccount(
        remote_id=remote_id(record, mapping),
        username=name,
        email=as_text(record.get(keys.email)),
        active=_active(record.get(keys.active), mapping),
        balance_minor=_minor(_at(record, keys.balance), currency),
        tariff=as_text(record.get(keys.tariff)),
        channels=_count(record.get(keys.channels)),
        services=_services_from(record, mapping),
        units=_units_from(record, mapping),
        marker=as_text(record.get(keys.marker)),
        raw_keys=tuple(str(key)[:64] for key in record)[:100],
    )


def remote_id(record: Record, mapping: Mapping) -> str:
    """Return the first id the record shows; raise Unknown if there is none."""
    for key in mapping.ids:
        found = as_text(record.get(key))
        if found:
            return found
    raise Unknown(f"The account shows none of the ids {', '.join(mapping.ids)}.", _shown(record))


def folded(name: str) -> str:
    """Return the name as a MySQL server compares it: no case, no accents, no trailing space."""
    bare = (each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each))
    return "".join(bare).casefold().rstrip()


def as_text(value: Any) -> str | None:
    """Return a scalar as the text PHP would send, None for null, absent and anything nested."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value) if isinstance(value, str | int | Decimal) else None


def _sendable(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def _shown(record: Record) -> str:
    return f"keys: {', '.join(str(key) for key in record)}"


def _at(record: Record, path: str) -> Any:
    """Follow a dotted path; a key that really contains dots wins."""
    if not path or path in record:
        return record.get(path)
    value: Any = record
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _minor(value: Any, currency: str) -> int | None:
    text = as_text(value) if not isinstance(value, bool) else None
    if text is None or not AMOUNT.fullmatch(text):
        return None
    return Money.rounded(Decimal(text), currency).minor


def _count(value: Any) -> int | None:
    text = as_text(value) if not isinstance(value, bool) else None
    return int(text) if text is not None and COUNT.fullmatch(text) else None


def _active(value: Any, mapping: Mapping) -> bool | None:
    return value if isinstance(value, bool) else _switched(value, mapping.active)


def _switched(value: Any, switch: Any) -> bool | None:
    return {switch.on: True, switch.off: False}.get(as_text(value))


def _service_keys(mapping: Mapping) -> list[str]:
    services = mapping.services
    if services.encoding == "flags":
        return [getattr(services, each) for each in SERVICES if getattr(services, each)]
    return [services.key] if services.encoding == "list" else []


def _services(allowed: tuple[str, ...], mapping: Mapping) -> Record:
    services, flags = mapping.services, mapping.service_flags
    if services.encoding == "flags":
        return {
            getattr(services, each): flags.on if each in allowed else flags.off for each in SERVICES
        }
    if services.encoding == "list":
        names = [getattr(services, each) for each in SERVICES if each in allowed]
        return {services.key: services.separator.join(names)}
    return {}


def _services_from(record: Record, mapping: Mapping) -> tuple[str, ...] | None:
    services = mapping.services
    if services.encoding == "flags":
        flags = [
            _switched(record.get(getattr(services, each)), mapping.service_flags)
            for each in SERVICES
        ]
        return None if None in flags else tuple(compress(SERVICES, flags))
    text = as_text(record.get(services.key)) if services.encoding == "list" else None
    if text is None:
        return None
    names = [each.strip() for each in text.split(services.separator) if each.strip()]
    known = {getattr(services, each): each for each in SERVICES}
    return (
        None
        if set(names) - set(known)
        else tuple(each for each in SERVICES if getattr(services, each) in names)
    )


def _units_from(record: Record, mapping: Mapping) -> tuple[tuple[str, int], ...] | None:
    keys = {each: getattr(mapping.units, each) for each in SERVICES if getattr(mapping.units, each)}
    counts = [(each, _count(record.get(key))) for each, key in keys.items()]
    known = tuple((each, count) for each, count in counts if count is not None)
    return known if counts and len(known) == len(counts) else None


def _keys_of(limits: tuple[str, ...], mapping: Mapping) -> set[str]:
    groups = {
        "services": _service_keys(mapping),
        "units": [getattr(mapping.units, each) for each in SERVICES],
    }
    return {key for each in limits for key in groups.get(each, [getattr(mapping.fields, each, "")])}
