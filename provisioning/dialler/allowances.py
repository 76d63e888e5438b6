"""Allowed services and included units in a server's record: a flag each, or one list; a key per
unit.
"""

from __future__ import annotations

from itertools import compress

from provisioning.dialler.mapping import Mapping
from provisioning.dialler.scalars import Record, as_count, as_switch, as_text
from provisioning.dialler.values import SERVICES


def service_keys(mapping: Mapping) -> list[str]:
    """Return the keys that hold the services, however encoded."""
    services = mapping.services
    if services.encoding == "flags":
        return [getattr(services, each) for each in SERVICES if getattr(services, each)]
    return [services.key] if services.encoding == "list" else []


def unit_keys(mapping: Mapping) -> list[str]:
    return [getattr(mapping.units, each) for each in SERVICES if getattr(mapping.units, each)]


def write_services(allowed: tuple[str, ...], mapping: Mapping) -> Record:
    services, flags = mapping.services, mapping.service_flags
    if services.encoding == "flags":
        states = {each: flags.on if each in allowed else flags.off for each in SERVICES}
        return {getattr(services, each): state for each, state in states.items()}
    if services.encoding == "list":
        names = [getattr(services, each) for each in SERVICES if each in allowed]
        return {services.key: services.separator.join(names)}
    return {}


def write_units(units: dict[str, int], mapping: Mapping) -> Record:
    return {getattr(mapping.units, each): str(units.get(each, 0)) for each in SERVICES}


def read_services(record: Record, mapping: Mapping) -> tuple[str, ...] | None:
    """Return the allowed services, None if any of them is not shown or not understood."""
    services = mapping.services
    if services.encoding == "flags":
        shown = [record.get(getattr(services, each)) for each in SERVICES]
        states = [as_switch(each, mapping.service_flags) for each in shown]
        return None if None in states else tuple(compress(SERVICES, states))
    text = as_text(record.get(services.key)) if services.encoding == "list" else None
    if text is None:
        return None
    names = {each.strip() for each in text.split(services.separator)} - {""}
    known = {getattr(services, each): each for each in SERVICES}
    if names - known.keys():
        return None
    return tuple(each for name, each in known.items() if name in names)


def read_units(record: Record, mapping: Mapping) -> tuple[tuple[str, int], ...] | None:
    """Return the units of every service that has a key, None if one of them is not shown."""
    keys = {each: getattr(mapping.units, each) for each in SERVICES if getattr(mapping.units, each)}
    counts = [(each, as_count(record.get(key))) for each, key in keys.items()]
    known = tuple((each, count) for each, count in counts if count is not None)
    return known if counts and len(known) == len(counts) else None
