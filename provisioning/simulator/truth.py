"""The truth log: every call as it came, every effect as it happened. Tests and audits compare with
it.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from provisioning.simulator.outcomes import Effect
from provisioning.simulator.store import insert, rows

SECRETS = {"password", "api_password", "passwd"}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a call is about, as far as its arguments tell."""

    username: str | None = None
    reference: str | None = None
    amount: str | None = None


def receive(
    db: sqlite3.Connection,
    *,
    profile: str,
    method: str,
    mutating: bool,
    subject: Subject,
    arguments: dict[str, str],
    fault: dict[str, Any] | None,
    at: datetime,
) -> int:
    return insert(
        db,
        "request",
        received_at=at.isoformat(),
        profile=profile,
        method=method,
        mutating=int(mutating),
        username=subject.username,
        reference=subject.reference,
        amount=subject.amount,
        arguments=json.dumps(masked(arguments)),
        fault=json.dumps(fault) if fault else None,
        effect="late" if fault and fault["apply"].startswith("late") else "no",
    )


def apply(
    db: sqlite3.Connection, request_id: int, effect: Effect | None, *, caller: str, at: datetime
) -> None:
    """Note who called and, if there was one, the effect."""
    came = "no" if effect is None else "yes"
    db.execute("UPDATE request SET caller = ?, effect = ? WHERE id = ?", (caller, came, request_id))
    if effect is None:
        return
    insert(
        db,
        "effect",
        request_id=request_id,
        applied_at=at.isoformat(),
        verb=effect.verb,
        username=effect.username,
        reference=effect.reference,
        amount=effect.amount,
        changed=int(effect.changed),
    )


def forgo(db: sqlite3.Connection, request_id: int) -> None:
    """Note that a late effect will not come: it was refused when its time was there."""
    db.execute("UPDATE request SET effect = 'no' WHERE id = ?", (request_id,))


def answer(
    db: sqlite3.Connection, request_id: int, *, answer: str, status: int, at: datetime
) -> None:
    query = "UPDATE request SET answer = ?, status = ?, answered_at = ? WHERE id = ?"
    db.execute(query, (answer, status, at.isoformat(), request_id))


def log(db: sqlite3.Connection, *, after: int = 0) -> dict[str, list[dict[str, Any]]]:
    """Return all calls after this id and all effects, oldest first."""
    requests = rows(db, "SELECT * FROM request WHERE id > ? ORDER BY id", after)
    for each in requests:
        each["arguments"] = json.loads(each["arguments"])
        each["fault"] = json.loads(each["fault"]) if each["fault"] else None
        each["mutating"] = bool(each["mutating"])
    effects = rows(db, "SELECT * FROM effect ORDER BY id")
    return {"requests": requests, "effects": [_effect(each) for each in effects]}


def masked(arguments: dict[str, str]) -> dict[str, Any]:
    """Return the arguments with JSON fields opened and passwords hidden."""
    return {name: _masked_value(name, value) for name, value in arguments.items()}


def _masked_value(name: str, value: str) -> Any:
    if name in SECRETS:
        return "***"
    if not value.startswith("{"):
        return value[:2000]
    try:
        record = json.loads(value)
    except ValueError:
        return "(not JSON)"
    return {key: "***" if key in SECRETS else inner for key, inner in record.items()}


def _effect(effect: dict[str, Any]) -> dict[str, Any]:
    return {**effect, "changed": bool(effect["changed"])}
