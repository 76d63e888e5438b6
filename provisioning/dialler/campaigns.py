"""An account's campaigns and what they came to, as a server's answers show them. Pure; no HTTP."""

from __future__ import annotations

from typing import Any

from packages.money import Money, total
from provisioning.dialler.errors import Unknown
from provisioning.dialler.mapping import Mapping
from provisioning.dialler.replies import NOTHING
from provisioning.dialler.scalars import Record, as_count, as_minor, as_text
from provisioning.dialler.transport import Answer
from provisioning.dialler.values import SERVICES, Usage

Summed = tuple[str, int, int | None]


def listed(payload: Any, answer: Answer, mapping: Mapping) -> list[tuple[str, str]]:
    """Return id and service of each campaign; raise Unknown if the list is not readable."""
    names = mapping.campaigns
    rows = [] if payload in (NOTHING, None, False) else payload
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        raise Unknown("The list of campaigns is not readable.", answer.quote())
    found = [
        (as_text(each.get(names.id_key)), as_text(each.get(names.service_key))) for each in rows
    ]
    known = [(identity, service) for identity, service in found if identity and service in SERVICES]
    if len(known) != len(rows):
        raise Unknown("A campaign shows no id or no known service.", answer.quote())
    return [(str(identity), str(service)) for identity, service in known]


def summed(
    service: str, payload: Any, answer: Answer, mapping: Mapping, *, currency: str
) -> Summed:
    """Return a campaign's service, count and cost; raise Unknown if it shows no count."""
    names = mapping.campaigns
    record: Record = payload if isinstance(payload, dict) else {}
    count = as_count(record.get(names.count_key))
    if count is None:
        raise Unknown(f"The campaign shows no {names.count_key}.", answer.quote())
    return service, count, as_minor(record.get(names.cost_key), currency)


def totalled(campaigns: list[Summed], *, currency: str) -> Usage:
    """Return the totals of each service; the cost only if every campaign shows one."""
    counts = dict.fromkeys((service for service, _, _ in campaigns), 0)
    for service, count, _ in campaigns:
        counts[service] += count
    costs = [Money(cost, currency) for _, _, cost in campaigns if cost is not None]
    whole = len(costs) == len(campaigns)
    cost = total(costs, currency).minor if whole else None
    return Usage(tuple(counts.items()), cost)
