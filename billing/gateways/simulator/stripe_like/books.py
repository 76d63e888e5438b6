"""The stand-in's memory: every object as Stripe shows it, in one table."""

import json
import secrets
from collections.abc import Callable
from typing import Any

from ..store import Store

Thing = dict[str, Any]
# What an object has besides for the stand-in itself.
OWN = {"number", "later", "gone", "asked"}

SCHEMA = """
CREATE TABLE IF NOT EXISTS thing (
    n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, kind TEXT NOT NULL,
    created REAL NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS due (id TEXT PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS answer (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS event (id TEXT UNIQUE NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY, event TEXT NOT NULL, state TEXT NOT NULL, due_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS attempt (
    id INTEGER PRIMARY KEY, delivery INTEGER NOT NULL, event TEXT NOT NULL, at REAL NOT NULL,
    status TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS call (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,
    key TEXT, status TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS thing_kind ON thing (kind, n);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (state, due_at);
"""
PREFIXES = {
    "customer": "cus",
    "checkout.session": "cs_test",
    "payment_intent": "pi",
    "setup_intent": "seti",
    "payment_method": "pm",
    "charge": "ch",
    "refund": "re",
    "dispute": "du",
    "balance_transaction": "txn",
    "payout": "po",
    "event": "evt",
}


class Books:
    """Objects by id and kind. Whoever changes one saves it."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def add(self, kind: str, *, at: float, **fields: Any) -> Thing:
        """Make an object with a new id."""
        thing_id = f"{PREFIXES[kind]}_{secrets.token_hex(12)}"
        thing = {"id": thing_id, "object": kind, "created": int(at), "livemode": False} | fields
        self.store.insert("thing", id=thing_id, kind=kind, created=at, body=json.dumps(thing))
        return thing

    def save(self, thing: Thing, **changes: Any) -> Thing:
        """Change the object and keep it so."""
        thing |= changes
        self.store.run("UPDATE thing SET body = ? WHERE id = ?", json.dumps(thing), thing["id"])
        return thing

    def find(self, thing_id: Any, kind: str = "") -> Thing | None:
        """The object with this id, of that kind where one is named."""
        row = self.store.row("SELECT kind, body FROM thing WHERE id = ?", str(thing_id))
        return json.loads(row["body"]) if row and kind in ("", row["kind"]) else None

    def get(self, thing_id: Any, kind: str = "") -> Thing:
        """The same. Raises LookupError where there is none."""
        found = self.find(thing_id, kind)
        if found is None:
            raise LookupError(thing_id)
        return found

    def all(self, kind: str) -> list[Thing]:
        """All objects of a kind, oldest first."""
        rows = self.store.rows("SELECT body FROM thing WHERE kind = ? ORDER BY n", kind)
        return [json.loads(row["body"]) for row in rows]

    def page(
        self, kind: str, *, limit: int, after: str, wanted: Callable[[Thing], bool]
    ) -> tuple[list[Thing], bool]:
        """A page of the list, newest first, and whether there is more."""
        found = [each for each in reversed(self.all(kind)) if wanted(each)]
        if after:
            ids = [each["id"] for each in found]
            if after not in ids:
                raise LookupError(after)
            found = found[ids.index(after) + 1 :]
        return found[:limit], len(found) > limit

    def expanded(self, thing: Thing, paths: list[str]) -> Thing:
        """The object with the objects themselves at these paths, in place of their ids."""
        shown: Thing = json.loads(json.dumps(thing))
        for path in paths:
            self._expand(shown, path.split("."))
        return shown

    def _expand(self, shown: Any, path: list[str]) -> None:
        name, *rest = path
        if (name, shown.get("object")) == ("refunds", "charge"):
            shown[name] = self._refunds_of(shown["id"])
        inner = shown.get(name)
        if isinstance(inner, list):
            for each in inner:
                self._expand(each, rest)
            return
        if isinstance(inner, str):
            shown[name] = inner = self.find(inner) or inner
        if rest and isinstance(inner, dict):
            self._expand(inner, rest)

    def _refunds_of(self, charge_id: str) -> Thing:
        """What a charge shows when it is asked for its refunds: the ten latest."""
        found = [each for each in reversed(self.all("refund")) if each["charge"] == charge_id]
        return {"object": "list", "data": found[:10], "has_more": len(found) > 10}


def shown(content: Any) -> Any:
    """The same without the stand-in's own memory."""
    if isinstance(content, list):
        return [shown(each) for each in content]
    if not isinstance(content, dict):
        return content
    return {name: shown(each) for name, each in content.items() if name not in OWN}
