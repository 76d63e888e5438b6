"""Between our values and one server's account records, through its mapping. Pure; no HTTP."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from provisioning.dialler import allowances
from provisioning.dialler.errors import Unknown
from provisioning.dialler.mapping import Mapping
from provisioning.dialler.scalars import (
    Record,
    as_count,
    as_minor,
    as_switch,
    as_text,
    at_path,
)
from provisioning.dialler.values import AccountSpec, Limits, RemoteAccount

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
    keys = mapping.fields
    record = {keys.tariff: limits.tariff, keys.channels: str(limits.channels)}
    record |= allowances.write_services(limits.services, mapping)
    if not limits.keep_units:
        record |= allowances.write_units(dict(limits.units), mapping)
    return {key: value for key, value in record.items() if key}


def for_active(mapping: Mapping, *, active: bool) -> Record:
    key = mapping.fields.active
    return {key: mapping.active.on if active else mapping.active.off} if key else {}


def kept(record: Record, mapping: Mapping) -> Record:
    """Return what an update carries so that a server which resets missing fields resets nothing."""
    names = [getattr(mapping.fields, name) for name in (*KEPT, *KEPT_LIMITS)]
    names += [*allowances.unit_keys(mapping), *allowances.service_keys(mapping), *mapping.keep]
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
        active=as_switch(record.get(keys.active), mapping.active),
        balance_minor=as_minor(at_path(record, keys.balance), currency),
        tariff=as_text(record.get(keys.tariff)),
        channels=as_count(record.get(keys.channels)),
        services=allowances.read_services(record, mapping),
        units=allowances.read_units(record, mapping),
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


def _keys_of(limits: tuple[str, ...], mapping: Mapping) -> set[str]:
    groups = {
        "services": allowances.service_keys(mapping),
        "units": allowances.unit_keys(mapping),
    }
    return {key for each in limits for key in groups.get(each, [getattr(mapping.fields, each, "")])}


def _sendable(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def _shown(record: Record) -> str:
    return f"keys: {', '.join(str(key) for key in record)}"
