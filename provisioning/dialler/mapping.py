"""How one server names things. The transport is fixed, the names are the operator's to correct.

No vendor page gives the full list of names (see docs/dialler-api.md), so what ships is the
documented part; a name that is published nowhere ships empty and its operation is `manual` until
the operator has filled and probed it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping as JsonObject
from dataclasses import dataclass, replace
from typing import Any, Self

from provisioning.dialler.mapping_checks import MappingError, merged, plain, problems_of
from provisioning.dialler.mapping_parts import (
    CAPABILITIES,
    Arguments,
    Campaigns,
    Capabilities,
    Capability,
    Credit,
    Fields,
    Lookup,
    Methods,
    Names,
    Pairs,
    Services,
    Switch,
    Units,
)

# Objects of the operator's own keys, in which nothing is a default by itself.
PAIRS = ("create_fields", "fixed_args")

__all__ = [
    "CAPABILITIES",
    "Capability",
    "Mapping",
    "MappingError",
    "beyond_defaults",
    "defaults",
    "simulator_mapping",
]


@dataclass(frozen=True, slots=True)
class Mapping:
    """`role` is given to accounts whose spec names none; `create_fields` go into every new account
    as they are.

    An update may reset what it does not carry: the mapped fields and those in `keep` are read and
    sent back. `write_only` names limits (tariff, channels, services, units, active) that the server
    takes but does not show.
    """

    methods: Methods = Methods()
    arguments: Arguments = Arguments()
    lookup: Lookup = Lookup()
    credit: Credit = Credit()
    ids: Names = ("user_id", "usr_id", "client_id", "id")
    fields: Fields = Fields()
    active: Switch = Switch()
    services: Services = Services()
    service_flags: Switch = Switch()
    units: Units = Units()
    campaigns: Campaigns = Campaigns()
    role: str = ""
    create_fields: Pairs = ()
    keep: Names = ()
    write_only: Names = ()
    capabilities: Capabilities = Capabilities()

    @classmethod
    def from_json(cls, data: JsonObject[str, Any] | str, *, profile: str = "legacy") -> Self:
        """Lay the operator's values over the profile's defaults; raise MappingError naming every
        problem.
        """
        problems: list[str] = []
        try:
            parsed = json.loads(data) if isinstance(data, str) else data
        except ValueError as error:
            raise MappingError([f"This is not JSON: {error}."]) from None
        mapping = merged(defaults(profile), parsed, path="", problems=problems)
        problems = problems or problems_of(mapping)
        if problems:
            raise MappingError(problems)
        assert isinstance(mapping, cls)
        return mapping

    def to_json(self) -> dict[str, Any]:
        """Return everything, defaults included, in the shape `from_json` takes."""
        result: dict[str, Any] = plain(self)
        return result


def defaults(profile: str) -> Mapping:
    """Return what is documented for the profile; what is published nowhere is empty and manual."""
    if profile == "legacy":
        return LEGACY
    if profile == "current":
        return CURRENT
    raise MappingError([f"There is no profile {profile!r}, only legacy and current."])


def beyond_defaults(mapping: Mapping, profile: str) -> dict[str, Any]:
    """Return only what differs from the profile's defaults, in the shape `from_json` takes."""
    return _beyond(mapping.to_json(), defaults(profile).to_json())


def _beyond(values: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    differing: dict[str, Any] = {}
    for key, value in values.items():
        # Pairs are one value: `from_json` takes them whole.
        if isinstance(value, dict) and isinstance(usual[key], dict) and key not in PAIRS:
            inner = _beyond(value, usual[key])
            differing |= {key: inner} if inner else {}
        elif value != usual[key]:
            differing[key] = value
    return differing


def simulator_mapping(profile: str) -> Mapping:
    """Return the complete mapping of our own simulator, every capability included."""
    base = defaults(profile)
    prefix = "User" if profile == "legacy" else "Client"
    return replace(
        base,
        methods=replace(base.methods, list=f"{prefix}_List"),
        credit=replace(base.credit, method=f"{prefix}_Payment_Create"),
        fields=replace(
            base.fields,
            company="company",
            language="language",
            tariff="rate_plan",
            channels="channels",
            balance="credit",
            marker="external_ref",
        ),
        services=Services(encoding="list", key="services"),
        units=Units(voice="unit_voice", fax="unit_fax", sms="unit_sms", email="unit_email"),
        campaigns=replace(
            base.campaigns, service_key="service", count_key="total", cost_key="cost"
        ),
        role="2",
        capabilities=Capabilities(
            set_limits="api", credit="api", debit="api", read_balance="api", read_usage="api"
        ),
    )


LEGACY = Mapping(
    credit=Credit(method="User_Payment_Create"),
    capabilities=Capabilities(credit="api"),
)
# Only the prefix and two of the moved methods are public; the rest of these names is inferred.
CURRENT = Mapping(
    methods=Methods(
        create="Client_Create", update="Client_Update", get="Client_Get", delete="Client_Delete"
    ),
    arguments=Arguments(record="client", id="client_id"),
    ids=("client_id", "user_id", "usr_id", "id"),
    credit=Credit(id_arg="client_id"),
)
