"""Do something for each row that waits; one that fails must not hold up the others."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar, cast

import structlog
from django.db import connection, transaction
from django.db.models import Model, QuerySet

log = structlog.get_logger()
Row = TypeVar("Row")
Stored = TypeVar("Stored", bound=Model)
Column = TypeVar("Column")
When = ParamSpec("When")
# What stands in a query that is kept for the day or the instant that it will be asked for.
MARKS: dict[type, date] = {date: date(2000, 1, 1), datetime: datetime(2000, 1, 1, tzinfo=UTC)}


def each(rows: Iterable[Row], do: Callable[[Row], object]) -> None:
    """Call `do` with every row; log what goes wrong, and raise the first of it at the end."""
    first: Exception | None = None
    for row in rows:
        try:
            do(row)
        # The edge of a sweep: the fault is logged here and raised when the others are done.
        except Exception as error:  # noqa: BLE001
            log.exception("sweep.fault", row=str(getattr(row, "pk", row)))
            first = first or error
    if first is not None:
        raise first


def written_once(
    rows: Callable[When, QuerySet[Any, Column]],
) -> Callable[When, list[Column]]:
    """Let a function return the column that its query has, for the day or instant that it takes.

    Sweeps ask every minute, most days bring nothing, and Django takes ten times longer to write a
    query than PostgreSQL to find that there is nothing. So it is written once in a process; all
    days and instants in it move along with the one that is asked for.
    """

    @cache
    def written(
        kinds: tuple[type, ...], named: tuple[str, ...]
    ) -> tuple[str, list[Any], dict[int, timedelta]]:
        marked, marks = cast(Any, rows), [MARKS[kind] for kind in kinds]
        positions = len(marks) - len(named)
        query = marked(*marks[:positions], **dict(zip(named, marks[positions:], strict=True))).query
        sql, values = query.sql_with_params()
        places = [at for at, value in enumerate(values) if type(value) in kinds]
        return sql, list(values), {at: values[at] - MARKS[type(values[at])] for at in places}

    @wraps(rows)
    def ask(*args: When.args, **named: When.kwargs) -> list[Column]:
        when: list[Any] = [*args, *named.values()]
        sql, values, moved = written(tuple(map(type, when)), tuple(named))
        asked = [when[0] + moved[at] if at in moved else each for at, each in enumerate(values)]
        with connection.cursor() as cursor:
            cursor.execute(sql, asked)
            return [column for (column,) in cursor.fetchall()]

    return ask


def any_of(rows: Callable[When, QuerySet[Stored]]) -> Callable[When, bool]:
    """Return the question whether there are any of these rows, `written_once`."""

    @written_once
    def first(*args: When.args, **named: When.kwargs) -> QuerySet[Stored, int]:
        return rows(*args, **named).order_by().values_list("pk", flat=True)[:1]

    return lambda *args, **named: bool(first(*args, **named))


def waiting(rows: Callable[When, QuerySet[Stored]]) -> Callable[When, list[Stored]]:
    """Let a function return its rows, after asking `any_of` them."""
    wait = any_of(rows)

    @wraps(rows)
    def found(*args: When.args, **named: When.kwargs) -> list[Stored]:
        return list(rows(*args, **named)) if wait(*args, **named) else []

    return found


def within(rows: Iterable[Row], *, seconds: float) -> Iterator[Row]:
    """Yield the rows until so many seconds have passed; what is left waits for the next sweep."""
    limit = time.monotonic() + seconds
    for row in rows:
        yield row
        if time.monotonic() > limit:
            log.warning("sweep.cut_short", after=str(getattr(row, "pk", row)))
            return


@dataclass(slots=True)
class Quarantine:
    """Keeps the items of a run that failed, so that the others go on; staff read `faults`."""

    faults: list[dict[str, str]] = field(default_factory=list)

    @contextmanager
    def item(self, name: str) -> Iterator[None]:
        """Contain what goes wrong inside; it is logged and kept under the item's name.

        Inside of a transaction (a preview) the item is a savepoint, so that the rest goes on.
        """
        inside = transaction.get_connection().in_atomic_block
        try:
            with transaction.atomic() if inside else nullcontext():
                yield
        # The edge of a run: the fault is logged and stored with the run, and tried again later.
        except Exception as error:  # noqa: BLE001
            log.exception("run.fault", item=name)
            self.faults.append({"item": name, "error": f"{type(error).__name__}: {error}"[:300]})


def contained(quarantine: Quarantine | None, name: str) -> AbstractContextManager[None]:
    """Contain what goes wrong with the item where there is a quarantine; else it raises."""
    return quarantine.item(name) if quarantine is not None else nullcontext()
