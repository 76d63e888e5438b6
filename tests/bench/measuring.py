"""Time, statements and memory of a piece of work, and a fresh shop to do it in."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.db import connection

from tests import snapshots, world
from tests.billing import renewing

AT = datetime(2026, 2, 21, 9, tzinfo=UTC)
ON = date(2026, 2, 21)
PAID_UNTIL = date(2026, 2, 28)
DISCOUNT_BP = 1000
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Measured:
    """What a piece of work took; memory is what it needed at most over what was there before."""

    seconds: float
    processor: float
    statements: int
    memory_mib: float


def measure(work: Callable[[], object]) -> Measured:
    """Do the work once and say what it took; transactions and savepoints are no statements."""
    _forget_peak()
    before = _status("VmRSS")
    with counted() as count:
        begun, processor = time.perf_counter(), time.process_time()
        work()
        seconds = time.perf_counter() - begun
        processor = time.process_time() - processor
    return Measured(seconds, processor, count(), (_peak() - before) / MIB)


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
    """Empty the shop, seed it, and make so many services due on ON; each invoice has two lines."""
    empty()
    world.settle_in("http://127.0.0.1:9", at=AT)
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


def _status(name: str) -> int:
    """Return a value of this process in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _peak() -> int:
    return _status("VmHWM")


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")
