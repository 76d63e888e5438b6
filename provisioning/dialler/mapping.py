"""How one server names things. The transport is fixed, the names are the operator's to correct.

No vendor page gives the full list of names (see docs/dialler-api.md), so what ships is the
documented part; a name that is published nowhere ships empty and its operation is `manual` until
the operator has filled and probed it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping as JsonObject
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

from provisioning.dialler.mapping_checks import MappingError, merged, plain, problems_of

__all__ = ["CAPABILITIES", "Capability", "Mapping", "MappingError", "defaults", "simulator_mapping"]

Capability = Literal["api", "manual"]
Names = tuple[str, ...]
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Methods:
    create: str = "User_Create"
    update: str = "User_Update"
    get: str = "User_Get"
    delete: str = "User_Delete"
    list: str = ""
    roles: str = "User_Role_List"


@dataclass(frozen=True, slots=True)
class Arguments:
    """The argument that holds the account as JSON, and the one that holds its id."""

    record: str = "user"
    id: str = "user_id"


@dataclass(frozen=True, slots=True)
class Lookup:
    """How `get` finds by name. `refusal_means_absent`: on this server `[false, text]` was seen to
    mean "not there".
    """

    search_arg: str = "search"
    value_arg: str = "value"
    username_key: str = "username"
    refusal_means_absent: bool = False


@dataclass(frozen=True, slots=True)
class Credit:
    """The payment call. The amount goes as decimal text, our reference as its description."""

    method: str = ""
    id_arg: str = "user_id"
    amount_arg: str = "value"
    reference_arg: str = "description"
    fixed_args: Pairs = ()


@dataclass(frozen=True, slots=True)
class Fields:
    """The account's keys; "" = the server has no such key. `balance` may be a dotted path and is
    never written.
    """

    username: str = "username"
    password: str = "password"
    email: str = "email"
    first_name: str = "first_name"
    last_name: str = "last_name"
    company: str = ""
    phone: str = "phone"
    language: str = ""
    role: str = "role_id"
    tariff: str = ""
    channels: str = ""
    active: str = "active"
    balance: str = ""
    marker: str = ""


@dataclass(frozen=True, slots=True)
class Switch:
    """The two values of an on/off field."""

    on: str = "1"
    off: str = "0"


@dataclass(frozen=True, slots=True)
class Services:
    """Allowed services: `flags` = one on/off key each, `list` = one `key` with names joined by
    `separator`.
    """

    encoding: Literal["none", "flags", "list"] = "none"
    key: str = ""
    separator: str = ","
    voice: str = "voice"
    fax: str = "fax"
    sms: str = "sms"
    email: str = "email"


@dataclass(frozen=True, slots=True)
class Units:
    """The key of each service's included units; "" = the server has none."""

    voice: str = ""
    fax: str = ""
    sms: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the API does and what a person does. Lowering a balance is `debit`."""

    create: Capability = "api"
    set_limits: Capability = "manual"
    suspend: Capability = "api"
    set_password: Capability = "api"
    credit: Capability = "manual"
    debit: Capability = "manual"
    delete: Capability = "api"
    read_balance: Capability = "manual"


CAPABILITIES: Names = tuple(Capabilities.__dataclass_fields__)


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
    role: str = ""
    create_fields: Pairs = ()
    keep: Names = ()
    write_only: Names = ()
    capabilities: Capabilities = field(default=Capabilities())

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
        role="2",
        capabilities=Capabilities(set_limits="api", credit="api", debit="api", read_balance="api"),
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
    credit=Credit(id_arg="client_id"),
)
