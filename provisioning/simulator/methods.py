"""The API's methods in both generations, over the same state."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from provisioning.simulator import accounts, campaigns
from provisioning.simulator.accounts import ADMIN_ROLE, ROLES, Account
from provisioning.simulator.outcomes import Done, Effect, Refusal, refusal
from provisioning.simulator.store import insert
from provisioning.simulator.switches import Switches

# On current servers these two answer 500 (n8n-nodes-ictinnovations e3f7113, 2026-08-10).
MOVED = ("User_Payment_Create", "User_Extension_Create")
# Not in the server's list of API methods: 405 (n8n-nodes-ictbroadcast c484b31).
NOT_ALLOWED = ("Campaign_Filter",)


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated call; `record_arg` and `id_arg` are this generation's argument names."""

    db: sqlite3.Connection
    arguments: dict[str, str]
    caller: Account
    switches: Switches
    at: datetime
    record_arg: str
    id_arg: str

    def record(self, name: str = "") -> dict[str, Any]:
        try:
            value = json.loads(self.arguments.get(name or self.record_arg, ""))
        except ValueError:
            raise refusal("invalid", self.switches.wording) from None
        if not isinstance(value, dict):
            raise refusal("invalid", self.switches.wording)
        by_theirs = {theirs: ours for ours, theirs in self.switches.names().items()}
        hidden = set(self.switches.names()) - set(by_theirs)
        kept = {str(key): each for key, each in value.items() if key not in hidden}
        return {by_theirs.get(key, key): each for key, each in kept.items()}

    def account(self) -> Account:
        found = accounts.by_id(self.db, self.arguments.get(self.id_arg, ""))
        if found is None or found["role_id"] == ADMIN_ROLE:
            raise refusal("missing", self.switches.wording)
        return found

    def campaign(self) -> dict[str, Any]:
        found = campaigns.by_id(self.db, self.arguments.get("campaign_id", ""))
        if found is None or found["account_id"] != self.owner()["id"]:
            raise refusal("campaign", self.switches.wording)
        return found

    def owner(self) -> Account:
        """Whose campaigns are meant: the caller's, or for an admin those of `usr_id`."""
        named = self.arguments.get("usr_id")
        if named and self.caller["role_id"] == ADMIN_ROLE:
            return accounts.by_id(self.db, named) or self.caller
        return self.caller


@dataclass(frozen=True, slots=True)
class Method:
    run: Callable[[Call], Done]
    mutating: bool = False
    admin_only: bool = True
    record_arg: str = "user"
    id_arg: str = "user_id"


def table(profile: str, switches: Switches) -> dict[str, Method]:
    """Return the methods of a generation by name."""
    methods = {**_account_methods("User", "user"), **CAMPAIGN_METHODS}
    methods["User_Role_List"] = Method(_roles)
    if profile == "current":
        methods = {name: each for name, each in methods.items() if name not in MOVED}
        methods |= _account_methods(switches.client_prefix, switches.client_prefix.lower())
    missing = {each.strip() for each in switches.missing_methods.split(",")}
    return {name: each for name, each in methods.items() if name not in missing}


def _account_methods(prefix: str, noun: str) -> dict[str, Method]:
    names: Any = {"record_arg": noun, "id_arg": f"{noun}_id"}
    return {
        f"{prefix}_Create": Method(_create, mutating=True, **names),
        f"{prefix}_Update": Method(_update, mutating=True, **names),
        f"{prefix}_Get": Method(_get, **names),
        f"{prefix}_List": Method(_list, **names),
        f"{prefix}_Delete": Method(_delete, mutating=True, **names),
        f"{prefix}_Payment_Create": Method(_pay, mutating=True, **names),
        f"{prefix}_Extension_Create": Method(_extend, mutating=True, **names),
    }


def _create(call: Call) -> Done:
    account = accounts.create(call.db, call.record(), switches=call.switches, at=call.at)
    identity = _number(account["id"], call.switches)
    as_object = {_id_key(call): identity, "username": account["username"]}
    payload = {
        "object": as_object,
        "scalar": identity,
        "json_string": json.dumps(as_object),
        "none": None,
    }[call.switches.id_payload]
    return Done(payload, Effect("create", account["username"], account["external_ref"]))


def _update(call: Call) -> Done:
    done = accounts.update(call.db, call.account(), call.record(), switches=call.switches)
    return Done(_shown(call, call.account()), done.effect)


def _get(call: Call) -> Done:
    arguments = call.arguments
    if "search" in arguments:
        searchable = arguments["search"] in {"username", "usr_name"}
        found = accounts.by_name(call.db, arguments.get("value", "")) if searchable else None
    else:
        found = accounts.by_id(call.db, arguments.get(call.id_arg, ""))
    return _not_found(call.switches) if found is None else Done(_shown(call, found))


def _list(call: Call) -> Done:
    return Done([_shown(call, each) for each in accounts.customers(call.db)])


def _delete(call: Call) -> Done:
    done = accounts.delete(call.db, call.account())
    return Done(effect=done.effect, bare=call.switches.bare_boolean_on_delete)


def _pay(call: Call) -> Done:
    wording = call.switches.wording
    return accounts.credit(call.db, call.account(), call.arguments, wording=wording, at=call.at)


def _extend(call: Call) -> Done:
    account, number = call.account(), str(call.record("extension").get("phone", ""))
    identity = insert(call.db, "extension", account_id=account["id"], number=number)
    return Done(identity, Effect("extension", account["username"], number))


def _roles(call: Call) -> Done:
    return Done([{"role_id": identity, "name": name} for identity, name in ROLES])


def _campaign_list(call: Call) -> Done:
    return Done([_shown_campaign(each) for each in campaigns.of_account(call.db, call.owner())])


def _campaign_summary(call: Call) -> Done:
    campaign = call.campaign()
    units = campaign["units"]
    answered = units * 7 // 10
    cost = accounts.from_e4(campaign["cost_e4"])
    return Done({"total": units, "answered": answered, "failed": units - answered, "cost": cost})


def _campaign_result(call: Call) -> Done:
    """The last hundred calls, invented but stable: seven of ten are answered."""
    units = call.campaign()["units"]
    status = call.arguments.get("status", "")
    results = [
        {"contact": f"+4930{number:07}", "response": "answered" if number % 10 < 7 else "failed"}
        for number in range(max(0, units - 100), units)
    ]
    return Done([each for each in results if status in {"", each["response"]}])


CAMPAIGN_METHODS = {
    name: Method(run, mutating=mutating, admin_only=False)
    for name, run, mutating in (
        (
            "Campaign_Create",
            lambda c: campaigns.create(c.db, c.owner(), c.record("campaign"), at=c.at),
            True,
        ),
        ("Campaign_Start", lambda c: campaigns.start(c.db, c.campaign(), at=c.at), True),
        ("Campaign_Stop", lambda c: campaigns.stop(c.db, c.campaign(), at=c.at), True),
        ("Campaign_Status", lambda c: Done(c.campaign()["status"]), False),
        ("Campaign_Summary", _campaign_summary, False),
        ("Campaign_Result", _campaign_result, False),
        ("Campaign_List", _campaign_list, False),
    )
}


def _shown(call: Call, account: Account) -> dict[str, Any]:
    hidden = {"id", "folded", "password", "credit_e4"}
    shown = {key: value for key, value in account.items() if key not in hidden}
    shown = {_id_key(call): account["id"], **shown, "role": dict(ROLES).get(account["role_id"], "")}
    if not call.switches.hide_balance:
        shown["credit"] = accounts.from_e4(account["credit_e4"])
    numbered = {key: _number(value, call.switches) for key, value in shown.items()}
    return _renamed(numbered, call.switches.names())


def _renamed(shown: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Show the keys under their other names; a dot puts one into an object of its own."""
    record: dict[str, Any] = {}
    for key, value in shown.items():
        outer, _, inner = names.get(key, key).partition(".")
        if inner:
            record.setdefault(outer, {})[inner] = value
        else:
            record[outer] = value
    return record


def _shown_campaign(campaign: dict[str, Any]) -> dict[str, Any]:
    names = {"id": "campaign_id", "name": "name", "status": "status", "service": "service"}
    return {shown: campaign[key] for key, shown in names.items()}


def _id_key(call: Call) -> str:
    return call.id_arg if call.switches.id_key == "user_id" else call.switches.id_key


def _number(value: Any, switches: Switches) -> Any:
    return str(value) if switches.numbers_as_strings and isinstance(value, int) else value


def _not_found(switches: Switches) -> Done:
    match switches.not_found_shape:
        case "true_false":
            return Done(False)
        case "true_empty":
            return Done([])
        case "true_null":
            return Done(None)
        case "false_null":
            raise Refusal(None)
        case "false_reason":
            raise refusal("missing", switches.wording)
    raise Refusal("")
