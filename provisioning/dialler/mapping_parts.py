"""The pieces of a mapping: plain, frozen, each with the documented names as its defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
class Campaigns:
    """How an account's campaigns and their totals are asked for. The methods are documented, the
    keys of what they show are not; `cost_key` "" = the server shows no cost.
    """

    list_method: str = "Campaign_List"
    summary_method: str = "Campaign_Summary"
    owner_arg: str = "usr_id"
    id_arg: str = "campaign_id"
    id_key: str = "campaign_id"
    service_key: str = ""
    count_key: str = ""
    cost_key: str = ""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the API does and what a person does. Lowering a balance is `debit`; `read_usage` that
    is `manual` means that nobody reads the campaigns' totals.
    """

    create: Capability = "api"
    set_limits: Capability = "manual"
    suspend: Capability = "api"
    set_password: Capability = "api"
    credit: Capability = "manual"
    debit: Capability = "manual"
    delete: Capability = "api"
    read_balance: Capability = "manual"
    read_usage: Capability = "manual"


CAPABILITIES: Names = tuple(Capabilities.__dataclass_fields__)
