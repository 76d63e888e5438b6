"""Do something for each row that waits; one that fails must not hold up the others."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

import structlog
from django.db import connection, transaction
from django.db.models import CharField, Model, QuerySet, Value

log = structlog.get_logger()
Row = TypeVar("Row")
Stored = TypeVar("Stored", bound=Model)
Column = TypeVar("Column")
When = ParamSpec("When")
# What stands in a query that is kept for the day, instant or id that it will be asked for.
MARKS: dict[type, Any] = {
    date: date(2000, 1, 1),
    datetime: datetime(2000, 1, 1, tzinfo=UTC),
    int: 1_111_111_111,
}


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
    """Let a function return the column that its query has, for the day, instant or id it takes.

    Sweeps ask every minute, most days bring nothing, and Django takes ten times longer to write a
    query than PostgreSQL to find that there is nothing. So it is written once in a process; all
    days and instants in it move along with the one that is asked for.
    """
    written = _once(rows)

    @wraps(rows)
    def ask(*args: When.args, **named: When.kwargs) -> list[Column]:
        _, sql, values = written(args, named)
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return [column for (column,) in cursor.fetchall()]

    return ask


def rows_written_once(
    rows: Callable[When, QuerySet[Stored]],
) -> Callable[When, list[Stored]]:
    """As `written_once`, for whole rows of one table, without those that belong to them.

    One that locks is asked in a transaction only: it is not checked again whether there is one.
    """
    written = _once(rows)

    @wraps(rows)
    def ask(*args: When.args, **named: When.kwargs) -> list[Stored]:
        model, sql, values = written(args, named)
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return [_made(model, row) for row in cursor.fetchall()]

    return ask


def _made(model: type[Stored], row: Sequence[Any]) -> Stored:
    """Make an object of what came for its columns, as Django does."""
    names, converters = _columns(model)
    values = list(row)
    for place, column, convert in converters:
        values[place] = convert(values[place], column, connection)
    return model.from_db(connection.alias, names, values)


@cache
def _columns(model: type[Model]) -> tuple[list[str], list[tuple[int, Any, Callable[..., Any]]]]:
    """Return the names of a row's columns, and what the database sends for some made values of."""
    fields = model._meta.concrete_fields
    converters = [
        (place, field.get_col(model._meta.db_table), convert)
        for place, field in enumerate(fields)
        for convert in field.get_db_converters(connection)
    ]
    return [field.attname for field in fields], converters


def _once(
    rows: Callable[..., QuerySet[Any, Any]],
) -> Callable[[tuple[Any, ...], dict[str, Any]], tuple[type[Any], str, list[Any]]]:
    """Put what is asked for where its marks stand in the query; no two of a kind."""

    def write(args: tuple[Any, ...], named: dict[str, Any]) -> tuple[type[Any], str, list[Any]]:
        given = [*args, *named.values()]
        model, sql, values, moved = written(rows, tuple(map(type, given)), tuple(named))
        by_kind = {type(each): each for each in given}
        asked = [
            by_kind[type(each)] + moved[at] if at in moved else each
            for at, each in enumerate(values)
        ]
        return model, sql, asked

    return write


@cache
def written(
    rows: Callable[..., QuerySet[Any, Any]], kinds: tuple[type, ...], named: tuple[str, ...]
) -> tuple[type[Any], str, list[Any], dict[int, Any]]:
    """Return the query for marks of these kinds, and where in its values they are, moved by how
    much.
    """
    marks = [MARKS[kind] for kind in kinds]
    positions = len(marks) - len(named)
    asked = rows(*marks[:positions], **dict(zip(named, marks[positions:], strict=True)))
    sql, values = asked.query.sql_with_params()
    places = {at: each for at, each in enumerate(values) if _stands_for(each, kinds)}
    moved = {at: each - MARKS[type(each)] for at, each in places.items()}
    return asked.model, sql, list(values), moved


def _stands_for(value: object, kinds: tuple[type, ...]) -> bool:
    """Numbers do not move along: a limit is none that was asked for."""
    return type(value) in kinds and (type(value) is not int or value == MARKS[int])


def any_of(rows: Callable[When, QuerySet[Stored]]) -> Callable[When, bool]:
    """Return the question whether there are any of these rows, `written_once`."""

    @written_once
    def first(*args: When.args, **named: When.kwargs) -> QuerySet[Stored, int]:
        return rows(*args, **named).order_by().values_list("pk", flat=True)[:1]

    return lambda *args, **named: bool(first(*args, **named))


def any_among(
    kinds: Callable[When, Sequence[QuerySet[Any]]],
) -> Callable[When, bool]:
    """Return the question whether there are rows of any of these kinds, in one statement."""

    @written_once
    def first(*args: When.args, **named: When.kwargs) -> QuerySet[Any, int]:
        some = [each.order_by().values_list("pk", flat=True)[:1] for each in kinds(*args, **named)]
        return some[0].union(*some[1:], all=True)[:1]

    return lambda *args, **named: bool(first(*args, **named))


def which_among(
    kinds: Callable[When, Mapping[str, QuerySet[Any]]],
) -> Callable[When, set[str]]:
    """Return the question of which kinds there are rows, by their names, in one statement."""

    @written_once
    def names(*args: When.args, **named: When.kwargs) -> QuerySet[Any, str]:
        some = [
            each.order_by().values_list(Value(name, CharField()), flat=True)[:1]
            for name, each in kinds(*args, **named).items()
        ]
        return some[0].union(*some[1:], all=True)

    return lambda *args, **named: set(names(*args, **named))


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
