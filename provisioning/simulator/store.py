"""The simulator's memory: one SQLite file that survives restarts, one lock, plain rows."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Amounts are ten-thousandths of the currency, as DECIMAL(12,4) keeps them: a call may cost
# less than a cent.
SCHEMA = """
CREATE TABLE IF NOT EXISTS account (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    username TEXT NOT NULL, folded TEXT NOT NULL UNIQUE, password TEXT NOT NULL,
    email TEXT NOT NULL, first_name TEXT NOT NULL, last_name TEXT NOT NULL, company TEXT NOT NULL,
    phone TEXT NOT NULL, language TEXT NOT NULL, role_id TEXT NOT NULL, rate_plan TEXT NOT NULL,
    channels INTEGER NOT NULL, services TEXT NOT NULL, unit_voice INTEGER NOT NULL,
    unit_fax INTEGER NOT NULL, unit_sms INTEGER NOT NULL, unit_email INTEGER NOT NULL,
    active INTEGER NOT NULL, external_ref TEXT NOT NULL, credit_e4 INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS payment (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account_id INTEGER NOT NULL, username TEXT NOT NULL,
    amount_e4 INTEGER NOT NULL, description TEXT NOT NULL, type TEXT NOT NULL, paid_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS rate_plan (
    name TEXT PRIMARY KEY, voice_e4 INTEGER NOT NULL, fax_e4 INTEGER NOT NULL,
    sms_e4 INTEGER NOT NULL, email_e4 INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS rate (
    rate_plan TEXT NOT NULL, prefix TEXT NOT NULL, voice_e4 INTEGER NOT NULL,
    PRIMARY KEY (rate_plan, prefix)
);
CREATE TABLE IF NOT EXISTS extension (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account_id INTEGER NOT NULL, number TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS campaign (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account_id INTEGER NOT NULL, name TEXT NOT NULL,
    service TEXT NOT NULL, prefix TEXT NOT NULL, status TEXT NOT NULL, settled_at TEXT NOT NULL,
    units INTEGER NOT NULL DEFAULT 0, rest_seconds REAL NOT NULL DEFAULT 0,
    cost_e4 INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS request (
    id INTEGER PRIMARY KEY AUTOINCREMENT, received_at TEXT NOT NULL, profile TEXT NOT NULL,
    method TEXT NOT NULL, mutating INTEGER NOT NULL, caller TEXT, username TEXT, reference TEXT,
    amount TEXT, arguments TEXT NOT NULL, fault TEXT, effect TEXT NOT NULL DEFAULT 'no',
    answer TEXT, status INTEGER, answered_at TEXT
);
CREATE TABLE IF NOT EXISTS effect (
    id INTEGER PRIMARY KEY AUTOINCREMENT, request_id INTEGER, applied_at TEXT NOT NULL,
    verb TEXT NOT NULL, username TEXT NOT NULL, reference TEXT, amount TEXT,
    changed INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS fault (
    id INTEGER PRIMARY KEY AUTOINCREMENT, method TEXT NOT NULL, username TEXT,
    times INTEGER NOT NULL, apply TEXT NOT NULL, answer TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS session (token TEXT PRIMARY KEY, account_id INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
FORGOTTEN_BY_RESET = (
    *("account", "payment", "rate_plan", "rate", "extension", "campaign"),
    *("request", "effect", "fault", "session"),
)


class Store:
    """One connection for all threads; each `transaction` holds the lock and commits or undoes."""

    def __init__(self, path: str) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + SCHEMA)
        # A file of an earlier version goes on being used.
        columns = {each["name"] for each in rows(self._db, "PRAGMA table_info(campaign)")}
        if "cost_e4" not in columns:
            self._db.execute("ALTER TABLE campaign ADD COLUMN cost_e4 INTEGER NOT NULL DEFAULT 0")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def image(self) -> bytes:
        """Return everything that is stored, as one SQLite file."""
        with self._lock:
            return self._db.serialize()

    def restore(self, image: bytes) -> None:
        """Be as the image was; what was stored since then is gone."""
        with self._lock:
            self._db.deserialize(image)

    def forget(self) -> None:
        """Empty every table except the settings."""
        with self.transaction() as db:
            for table in FORGOTTEN_BY_RESET:
                db.execute(f"DELETE FROM {table}")  # names are ours, above


def rows(db: sqlite3.Connection, query: str, *values: Any) -> list[dict[str, Any]]:
    return [dict(each) for each in db.execute(query, values)]


def row(db: sqlite3.Connection, query: str, *values: Any) -> dict[str, Any] | None:
    found = db.execute(query, values).fetchone()
    return None if found is None else dict(found)


def insert(db: sqlite3.Connection, table: str, **values: Any) -> int:
    """Insert a row and return its id; table and column names are ours, never a caller's."""
    columns, marks = ", ".join(values), ", ".join("?" * len(values))
    cursor = db.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(values.values()))
    return int(cursor.lastrowid or 0)


def setting(db: sqlite3.Connection, name: str, default: Any = None) -> Any:
    found = row(db, "SELECT value FROM setting WHERE name = ?", name)
    return default if found is None else json.loads(found["value"])


def keep_setting(db: sqlite3.Connection, name: str, value: Any) -> None:
    db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, json.dumps(value)))
