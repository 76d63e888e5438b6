"""The stand-in's memory: every object as PayPal shows it, in one table."""

import json
import secrets
import string
from datetime import UTC, datetime
from typing import Any

from ..store import Store

Thing = dict[str, Any]
# What an object has besides for the stand-in itself.
OWN = {"source", "later", "gone", "order", "asked"}

SCHEMA = """
CREATE TABLE IF NOT EXISTS thing (
    n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, kind TEXT NOT NULL,
    body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS due (id TEXT PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS token (token TEXT PRIMARY KEY, until REAL NOT NULL);
CREATE TABLE IF NOT EXISTS answer (
    key TEXT PRIMARY KEY, status INTEGER NOT NULL, body TEXT NOT NULL);
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
ALPHABET = string.ascii_uppercase + string.digits


class Books:
    """Objects by id and kind. Whoever changes one saves it."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def add(self, kind: str, *, at: float, prefix: str = "", **fields: Any) -> Thing:
        """Make an object with a new id."""
        thing_id = prefix + "".join(secrets.choice(ALPHABET) for _ in range(17))
        thing = {"id": thing_id, "create_time": moment(at)} | fields
        self.store.insert("thing", id=thing_id, kind=kind, body=json.dumps(thing))
        return thing

    def save(self, thing: Thing, **changes: Any) -> Thing:
        """Change the object and keep it so."""
        thing |= changes
        self.store.run("UPDATE thing SET body = ? WHERE id = ?", json.dumps(thing), thing["id"])
        return thing

    def get(self, thing_id: Any, kind: str) -> Thing:
        """The object with this id. Raises LookupError where there is none of that kind."""
        row = self.store.row(
            "SELECT body FROM thing WHERE id = ? AND kind = ?", str(thing_id), kind
        )
        if row is None:
            raise LookupError(thing_id)
        return dict(json.loads(row["body"]))

    def kind(self, thing_id: str) -> str:
        """What the object with this id is, '' where there is none."""
        row = self.store.row("SELECT kind FROM thing WHERE id = ?", thing_id)
        return str(row["kind"]) if row else ""

    def all(self, kind: str) -> list[Thing]:
        """All objects of a kind, oldest first."""
        rows = self.store.rows("SELECT body FROM thing WHERE kind = ? ORDER BY n", kind)
        return [json.loads(row["body"]) for row in rows]

    def of_order(self, kind: str, order: Thing) -> list[Thing]:
        """The captures or refunds of an order, oldest first."""
        return [each for each in self.all(kind) if each["order"] == order["id"]]


def moment(at: float) -> str:
    return datetime.fromtimestamp(at, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shown(thing: Thing) -> Thing:
    """The same without the stand-in's own memory."""
    return {name: each for name, each in thing.items() if name not in OWN}
