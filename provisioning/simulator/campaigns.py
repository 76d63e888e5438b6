"""Campaigns, as little as is needed to see credit burn: a running one costs money by the clock."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any

from provisioning.simulator import accounts
from provisioning.simulator.accounts import Account
from provisioning.simulator.outcomes import Done, Effect, Refusal
from provisioning.simulator.store import insert, row, rows

# How long one unit occupies a channel: a minute of voice, a page of fax, a message.
UNIT_SECONDS = {"voice": 60.0, "fax": 60.0, "sms": 1.0, "email": 0.5}


def create(
    db: sqlite3.Connection, account: Account, record: dict[str, Any], *, at: datetime
) -> Done:
    service = str(record.get("service", "voice"))
    if service not in UNIT_SECONDS:
        raise Refusal("Unknown service")
    identity = insert(
        db,
        "campaign",
        account_id=account["id"],
        name=str(record.get("name", "Campaign"))[:80],
        service=service,
        prefix=str(record.get("prefix", ""))[:12],
        status="created",
        settled_at=at.isoformat(),
    )
    return Done(identity, Effect("campaign_create", account["username"]))


def start(db: sqlite3.Connection, campaign: dict[str, Any], *, at: datetime) -> Done:
    """Run the campaign; refused when the account is suspended, empty or has not this service."""
    account = accounts.by_id(db, campaign["account_id"])
    if account is None or not account["active"]:
        raise Refusal("Account suspended")
    if account["credit_e4"] <= 0:
        raise Refusal("Insufficient credit")
    if campaign["service"] not in account["services"].split(","):
        raise Refusal("Service not allowed")
    _set_status(db, campaign["id"], "running", at)
    return Done(effect=Effect("campaign_start", account["username"]))


def stop(db: sqlite3.Connection, campaign: dict[str, Any], *, at: datetime) -> Done:
    account = accounts.by_id(db, campaign["account_id"]) or {}
    _set_status(db, campaign["id"], "stopped", at)
    return Done(effect=Effect("campaign_stop", account.get("username", "")))


def by_id(db: sqlite3.Connection, identity: Any) -> dict[str, Any] | None:
    return row(db, "SELECT * FROM campaign WHERE id = ?", str(identity))


def of_account(db: sqlite3.Connection, account: Account) -> list[dict[str, Any]]:
    return rows(db, "SELECT * FROM campaign WHERE account_id = ? ORDER BY id", account["id"])


def settle(db: sqlite3.Connection, *, at: datetime) -> None:
    """Charge what running campaigns used since they were last settled: units first, then credit."""
    for campaign in rows(db, "SELECT * FROM campaign WHERE status = 'running'"):
        account = accounts.by_id(db, campaign["account_id"])
        if account is not None:
            _settle_one(db, campaign, account, at)


def _settle_one(
    db: sqlite3.Connection, campaign: dict[str, Any], account: Account, at: datetime
) -> None:
    service, column = campaign["service"], f"unit_{campaign['service']}"
    elapsed = (at - datetime.fromisoformat(campaign["settled_at"])).total_seconds()
    busy_seconds = max(0.0, elapsed) * max(1, account["channels"]) + campaign["rest_seconds"]
    units, rest_seconds = divmod(busy_seconds, UNIT_SECONDS[service])
    free = min(int(units), account[column])
    db.execute(f"UPDATE account SET {column} = {column} - ? WHERE id = ?", (free, account["id"]))
    price_e4 = (int(units) - free) * rate_e4(db, account["rate_plan"], campaign)
    cost_e4 = accounts.burn(db, account, price_e4)
    db.execute(
        "UPDATE campaign SET settled_at = ?, units = units + ?, cost_e4 = cost_e4 + ?,"
        " rest_seconds = ? WHERE id = ?",
        (at.isoformat(), int(units), cost_e4, rest_seconds, campaign["id"]),
    )


def rate_e4(db: sqlite3.Connection, rate_plan: str, campaign: dict[str, Any]) -> int:
    """Return the price of a unit: the longest matching prefix, else the plan's default."""
    service = campaign["service"]
    query = (
        "SELECT voice_e4 FROM rate WHERE rate_plan = ? AND ? LIKE prefix || '%'"
        " ORDER BY length(prefix) DESC LIMIT 1"
    )
    special = row(db, query, rate_plan, campaign["prefix"]) if service == "voice" else None
    if special is not None:
        return int(special["voice_e4"])
    plan = row(db, "SELECT * FROM rate_plan WHERE name = ?", rate_plan)
    return int(plan[f"{service}_e4"]) if plan else 200


def _set_status(db: sqlite3.Connection, identity: int, status: str, at: datetime) -> None:
    query = "UPDATE campaign SET status = ?, settled_at = ? WHERE id = ?"
    db.execute(query, (status, at.isoformat(), identity))
