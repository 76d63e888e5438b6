"""Time, statements and memory of a piece of work, and a shop with some history to do it in."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection

from billing import renewals
from tests import snapshots, world
from tests.billing import renewing

AT = datetime(2026, 2, 21, 9, tzinfo=UTC)
ON = date(2026, 2, 21)
PAID_UNTIL = date(2026, 2, 28)
DISCOUNT_BP = 1000
# Who was invoiced before, so that no table is empty: on an empty one PostgreSQL plans for nothing.
EARLIER, EARLIER_DAYS = 500, timedelta(days=2)
MIB = 2**20
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Measured:
    """What a piece of work took: of our processor, of the database's, and memory at most over what
    was there before.
    """

    seconds: float
    own: float
    server: float
    statements: int
    memory_mib: float

    @property
    def processor(self) -> float:
        return self.own + self.server


def measure(work: Callable[[], object]) -> Measured:
    """Do the work once in a new session, and say what it took; savepoints are no statements.

    The session is new because one that saw other sizes has other plans.
    """
    connection.close()
    _forget_peak()
    before, server = _status("VmRSS"), _server_seconds()
    with counted() as count:
        begun, own = time.perf_counter(), time.process_time()
        work()
        seconds, own = time.perf_counter() - begun, time.process_time() - own
    memory = (_status("VmHWM") - before) / MIB
    return Measured(seconds, own, _server_seconds() - server, count(), memory)


@contextmanager
def counted() -> Iterator[Callable[[], int]]:
    seen = 0

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal seen
        seen += not sql.startswith(("SAVEPOINT", "RELEASE"))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield lambda: seen


def open_shop(services: int) -> None:
    """Empty the shop, seed it, let some days pass, and make so many services due on ON; each
    invoice has two lines.
    """
    empty()
    world.settle_in("http://127.0.0.1:9", at=AT)
    paid_until = PAID_UNTIL - EARLIER_DAYS
    renewing.many(EARLIER, paid_until=paid_until, at=AT, discount_bp=DISCOUNT_BP)
    renewals.bill(ON - EARLIER_DAYS, at=AT - EARLIER_DAYS)
    renewing.many(services, paid_until=PAID_UNTIL, at=AT, discount_bp=DISCOUNT_BP)
    run("VACUUM ANALYZE")


def empty() -> None:
    """Truncate every table, so that nothing dead is left from an earlier measurement."""
    names = [name for name in connection.introspection.table_names() if name != "django_migrations"]
    run(f"TRUNCATE {', '.join(names)}")
    snapshots.wipe()


def run(sql: str, *params: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        return cursor.fetchall() if cursor.description else []


def _server_seconds() -> float:
    """Return the processor time of our session's process at the server, on this machine."""
    ((process,),) = run("SELECT pg_backend_pid()")
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def _status(name: str) -> int:
    """Return a value of this process in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")
