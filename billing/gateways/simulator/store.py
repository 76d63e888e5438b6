"""The simulated gateway's memory: one SQLite file, one writer at a time."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Row = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS payment (
    n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, key TEXT NOT NULL,
    state TEXT NOT NULL, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL,
    description TEXT NOT NULL, customer_email TEXT NOT NULL, language TEXT NOT NULL,
    return_url TEXT NOT NULL, save_method INTEGER NOT NULL, method TEXT,
    failure_code TEXT, pending_card TEXT, disputed INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL, succeeded_at REAL, due_at REAL, due_state TEXT);
CREATE TABLE IF NOT EXISTS method (
    token TEXT PRIMARY KEY, brand TEXT NOT NULL, last4 TEXT NOT NULL, expires_on TEXT NOT NULL,
    later TEXT, gone INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS charge (
    id INTEGER PRIMARY KEY, payment TEXT NOT NULL, amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS refund (
    id TEXT PRIMARY KEY, key TEXT NOT NULL, payment TEXT NOT NULL, amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS answer (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS event (
    n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, type TEXT NOT NULL,
    payment TEXT NOT NULL, at REAL NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY, event TEXT NOT NULL, state TEXT NOT NULL, due_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS attempt (
    id INTEGER PRIMARY KEY, delivery INTEGER NOT NULL, event TEXT NOT NULL, at REAL NOT NULL,
    status TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS call (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,
    key TEXT, status TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS payment_key ON payment (key);
CREATE INDEX IF NOT EXISTS payment_due ON payment (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (state, due_at);
INSERT OR IGNORE INTO method (token, brand, last4, expires_on)
    VALUES ('pm_demo_4242', 'Visa', '4242', '2034-12-31');
"""


class Store:
    """Opened once per process; every access goes through `transaction`."""

    def __init__(self, path: str, *, schema: str = SCHEMA) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(schema)

    @contextmanager
    def transaction(self) -> Iterator["Store"]:
        """Everything inside happens together or not at all; other threads wait meanwhile."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def rows(self, sql: str, *values: object) -> list[Row]:
        """The rows found, as dictionaries."""
        with self._lock:
            return [dict(row) for row in self._db.execute(sql, values)]

    def row(self, sql: str, *values: object) -> Row | None:
        """The first row found."""
        found = self.rows(sql, *values)
        return found[0] if found else None

    def run(self, sql: str, *values: object) -> int:
        """Execute a change; the number of rows it touched."""
        with self._lock:
            return self._db.execute(sql, values).rowcount

    def insert(self, table: str, **values: object) -> None:
        """Insert one row. Table and column names are ours, never from outside."""
        marks = ", ".join("?" * len(values))
        self.run(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", *values.values())

    def close(self) -> None:
        """Close the file; nothing may be asked afterwards."""
        with self._lock:
            self._db.close()
