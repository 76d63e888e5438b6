"""`/_sim/…`: looking behind the scenes and giving orders. Answers only callers on this machine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from provisioning.simulator import accounts, campaigns, faults, tokens, truth
from provisioning.simulator.accounts import Account
from provisioning.simulator.faults import Fault
from provisioning.simulator.machine import Machine, is_down
from provisioning.simulator.store import keep_setting, row, rows
from provisioning.simulator.switches import Switches
from provisioning.simulator.web import Arrival, Page, json_page


class Unusable(ValueError):
    """The order makes no sense; its text goes back to the caller."""


def respond(machine: Machine, arrival: Arrival, *, at: datetime) -> Page:
    """Answer one control call with JSON: 403 from elsewhere, 404 unknown, 400 unusable."""
    if not arrival.loopback:
        return json_page({"error": "Only for callers on the same machine."}, 403)
    act = ROUTES.get((arrival.verb, arrival.path))
    if act is None:
        known = sorted(f"{verb} {path}" for verb, path in ROUTES)
        return json_page({"error": "Unknown.", "known": known}, 404)
    try:
        return json_page(act(machine, arrival, at))
    except (ValueError, KeyError, TypeError) as error:
        return json_page({"error": str(error)}, 400)


def shown(db: Any, account: Account) -> dict[str, Any]:
    """Return an account as the simulator knows it, amounts in full precision."""
    hidden = {"password", "folded", "credit_e4"}
    running = [each for each in campaigns.of_account(db, account) if each["status"] == "running"]
    payments = rows(db, "SELECT * FROM payment WHERE account_id = ? ORDER BY id", account["id"])
    return {
        **{key: value for key, value in account.items() if key not in hidden},
        "active": bool(account["active"]),
        "balance": accounts.from_e4(account["credit_e4"]),
        "running_campaigns": len(running),
        "payments": [
            {
                "amount": accounts.from_e4(each["amount_e4"]),
                "description": each["description"],
                "paid_at": each["paid_at"],
            }
            for each in payments
        ],
    }


def _log(machine: Machine, arrival: Arrival, at: datetime) -> Any:
    with machine.store.transaction() as db:
        return truth.log(db, after=int(arrival.fields.get("after", 0)))


def _accounts(machine: Machine, arrival: Arrival, at: datetime) -> Any:
    with machine.store.transaction() as db:
        campaigns.settle(db, at=at)
        return [shown(db, each) for each in accounts.customers(db)]


def _faults(machine: Machine, arrival: Arrival, at: datetime) -> Any:
    with machine.store.transaction() as db:
        return faults.waiting(db)


def _add_faults(machine: Machine, arrival: Arrival, at: datetime) -> Any:
    given: Any = arrival.json()
    scripts = [Fault.parse(each) for each in (given if isinstance(given, list) else [given])]
    with machine.store.transaction() as db:
        faults.add(db, scripts)
        return faults.waiting(db)


def _clear_faults(machine: Machine, arrival: Arrival, at: datetime) -> Any:
    with machine.store.transaction() as db:
        faults.clear(db)
    return []


def _switches(machine: Machine, arrival: Arrival, at: datetime) -> Any:
    with machine.store.transaction() as db:
        return Switches.load(db).as_json()


def _set_switches(machine: Machine, arrival: Arrival, at: datetime) -> Any:
    with machine.store.transaction() as db:
        switches = Switches.load(db).changed(_object(arrival))
        switches.save(db)
    return switches.as_json()


def _reset_switches(machine: Machine, arrival: Arrival, at: datetime) -> Any:
    with machine.store.transaction() as db:
        Switches().save(db)
    return Switches().as_json()


def _down(machine: Machine, arrival: Arrival, at: datetime) -> Any:
    with machine.store.transaction() as db:
        keep_setting(db, "down", bool(_object(arrival)["down"]))
        return {"down": is_down(db)}


def _reset(machine: Machine, arrival: Arrival, at: datetime) -> Any:
    machine.reset()
    return {"reset": True}


def _burn(machine: Machine, arrival: Arrival, at: datetime) -> Any:
    """Spend credit as calls would: `{username, amount}`, the amount in major units."""
    order = _object(arrival)
    with machine.store.transaction() as db:
        account = _named(db, order)
        spent = accounts.burn(db, account, accounts.to_e4(str(order["amount"])))
        return {"spent": accounts.from_e4(spent), **shown(db, _named(db, order))}


def _token(machine: Machine, arrival: Arrival, at: datetime) -> Any:
    """Issue an API key: `{username: "admin", days: 720}`; negative days make an expired one."""
    order: dict[str, Any] = {"username": "admin", "days": tokens.LIFETIME_DAYS, **_object(arrival)}
    with machine.store.transaction() as db:
        account = _named(db, order)
        return {"token": tokens.issue(db, account["id"], at=at, days=int(order["days"]))}


def _plans(machine: Machine, arrival: Arrival, at: datetime) -> Any:
    """Add or change a rate plan: `{name, voice, fax, sms, email, rates: {prefix: voice}}`."""
    order = _object(arrival)
    prices = [
        accounts.to_e4(str(order.get(each, "0"))) for each in ("voice", "fax", "sms", "email")
    ]
    with machine.store.transaction() as db:
        db.execute(
            "INSERT OR REPLACE INTO rate_plan VALUES (?, ?, ?, ?, ?)", (order["name"], *prices)
        )
        for prefix, price in order.get("rates", {}).items():
            values = (order["name"], prefix, accounts.to_e4(str(price)))
            db.execute("INSERT OR REPLACE INTO rate VALUES (?, ?, ?)", values)
        return row(db, "SELECT * FROM rate_plan WHERE name = ?", order["name"])


def _object(arrival: Arrival) -> dict[str, Any]:
    given = arrival.json() or {}
    if not isinstance(given, dict):
        raise Unusable("A JSON object is expected.")
    return given


def _named(db: Any, order: dict[str, Any]) -> Account:
    account = accounts.by_name(db, str(order["username"]))
    if account is None:
        raise Unusable(f"There is no account {order['username']!r}.")
    return account


ROUTES: dict[tuple[str, str], Callable[[Machine, Arrival, datetime], Any]] = {
    ("GET", "/_sim/log"): _log,
    ("GET", "/_sim/accounts"): _accounts,
    ("GET", "/_sim/faults"): _faults,
    ("POST", "/_sim/faults"): _add_faults,
    ("DELETE", "/_sim/faults"): _clear_faults,
    ("GET", "/_sim/switches"): _switches,
    ("POST", "/_sim/switches"): _set_switches,
    ("DELETE", "/_sim/switches"): _reset_switches,
    ("POST", "/_sim/down"): _down,
    ("POST", "/_sim/reset"): _reset,
    ("POST", "/_sim/burn"): _burn,
    ("POST", "/_sim/token"): _token,
    ("POST", "/_sim/plans"): _plans,
}
