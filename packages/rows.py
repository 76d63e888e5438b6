"""Many rows in one statement: they travel as one JSON document, which PostgreSQL makes rows again.

For what is written by the thousand. It is several times faster than Django's bulk_create and
bulk_update, which spell out every value, and than arrays, which psycopg spells out in Python; and
it asks for one statement however many rows there are.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models

Row = TypeVar("Row", bound=models.Model)
# The values of a row to be, by the names of its columns' attributes, e.g. `invoice_id`.
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """An INSERT or UPDATE of many rows that returns their ids; it may be part of a larger one."""

    sql: str
    parameters: tuple[Any, ...]


def insert(rows: Iterable[Row]) -> list[Row]:
    """Insert new rows and return them with their ids; raise IntegrityError as a save would."""
    new = list(rows)
    return number(new, _run(inserting(type(new[0]), records(new)))) if new else []


def add(
    model: type[models.Model], records: Iterable[Record], *, unless_known: bool = False
) -> list[int]:
    """Insert a row for each record and return their ids in order; raise IntegrityError.

    For rows that nobody looks at afterwards: to make an object of each takes longer than to store
    it. With `unless_known` a row that meets a unique key is left out, and then no ids are returned.
    """
    new = list(records)
    ids = _run(inserting(model, new, unless_known=unless_known)) if new else []
    return sorted(ids) if len(ids) == len(new) else []


def update(rows: Sequence[models.Model], *names: str) -> int:
    """Write the named fields of rows that exist, whatever else is in these rows; return how many
    were there.
    """
    return len(_run(updating(rows, *names))) if rows else 0


def inserting(
    model: type[models.Model], records: Sequence[Record], *, unless_known: bool = False
) -> Statement:
    """Return the INSERT of these records, whose ids ascend in their order.

    All records name the same columns; the others get the model's default.
    """
    meta = model._meta
    fields = {field.attname: field for field in meta.concrete_fields if not field.primary_key}
    assert fields.keys() >= records[0].keys(), f"{meta.label}: {records[0].keys() - fields.keys()}"
    columns = _Columns()
    for name, field in fields.items():
        given = name in records[0]
        columns.add(field, [row[name] if given else field.get_default() for row in records])
    sql = (
        f"INSERT INTO {meta.db_table} ({', '.join(columns.names)})"
        f" SELECT {', '.join(columns.values)} FROM {columns.source(len(records))} ORDER BY nth"
        f"{' ON CONFLICT DO NOTHING' if unless_known else ''} RETURNING id"
    )
    return Statement(sql, columns.parameters())


def updating(
    rows: Sequence[models.Model], *names: str, still: Mapping[str, Any] = MappingProxyType({})
) -> Statement:
    """Return the UPDATE of the named fields of these rows, where the fields in `still` are so."""
    meta = rows[0]._meta
    columns = _Columns()
    for name in names:
        field: Any = meta.get_field(name)
        columns.add(field, [getattr(row, field.attname) for row in rows])
    pairs = zip(columns.names, columns.values, strict=True)
    changes = ", ".join(" = ".join(pair) for pair in pairs)
    # What is the same in all rows comes before the others: one row alone has nothing else.
    columns.add(meta.pk, [row.pk for row in rows])
    places = len(columns.names) - 1
    for name, value in still.items():
        columns.constant(meta.get_field(name), value)
    asked = zip(columns.names[places:], columns.values[places:], strict=True)
    where = " AND ".join(f"old.{name} = {value}" for name, value in asked)
    source = columns.source(len(rows))
    sql = f"UPDATE {meta.db_table} old SET {changes} FROM {source} WHERE {where} RETURNING old.id"
    return Statement(sql, columns.parameters())


def records(rows: Sequence[models.Model]) -> list[Record]:
    """Return what is in new rows."""
    names = [field.attname for field in rows[0]._meta.concrete_fields if not field.primary_key]
    return [{name: getattr(row, name) for name in names} for row in rows]


def number(rows: list[Row], ids: Iterable[int]) -> list[Row]:
    """Give rows that were inserted their ids, which ascend in the rows' order."""
    for row, row_id in zip(rows, sorted(ids), strict=True):
        row.pk, row._state.adding = row_id, False
    return rows


class _Columns:
    """The rows turned by ninety degrees; what is the same in all rows is sent once."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.values: list[str] = []
        self._constants: list[Any] = []
        self._varying: dict[str, list[Any]] = {}
        self._types: list[str] = []
        # Django's proxy looks its connection up at every touch.
        self._real = connections[DEFAULT_DB_ALIAS]

    def add(self, field: Any, values: list[Any]) -> None:
        if values.count(values[0]) == len(values):
            self.constant(field, values[0])
        else:
            self.varying(field, values)

    def constant(self, field: Any, value: Any) -> None:
        self.names.append(self._real.ops.quote_name(field.column))
        self.values.append(f"%s::{self._type(field)}")
        self._constants.append(field.get_db_prep_save(value, self._real))

    def varying(self, field: Any, values: list[Any]) -> None:
        name = self._real.ops.quote_name(field.column)
        self.names.append(name)
        self.values.append(f"new.{name}")
        self._varying[field.column] = values
        self._types.append(f"{name} {self._type(field)}")

    def source(self, count: int) -> str:
        if not self._varying:
            return f"generate_series(1, {count}) AS new (nth)"
        names = ", ".join(self._real.ops.quote_name(name) for name in (*self._varying, "nth"))
        records = f"json_to_recordset(%s) AS ({', '.join(self._types)})"
        return f"ROWS FROM ({records}) WITH ORDINALITY AS new ({names})"

    def parameters(self) -> tuple[Any, ...]:
        """Return the constants, then the rows as JSON for `source`, unless all are alike."""
        if not self._varying:
            return tuple(self._constants)
        names = tuple(self._varying)
        rows = [
            dict(zip(names, row, strict=True)) for row in zip(*self._varying.values(), strict=True)
        ]
        document = json.dumps(rows, default=_text, separators=(",", ":"))
        return (*self._constants, document)

    def _type(self, field: Any) -> str:
        """Return the column's type without its length: a cast would cut what an INSERT refuses."""
        real = self._real
        written = field.rel_db_type(real) if field.primary_key else field.db_type(real)
        return str(written).split("(")[0]


def _text(value: object) -> str:
    """Return what JSON has no word for as PostgreSQL reads it: dates, UUIDs, bytes, lazy texts."""
    return f"\\x{bytes(value).hex()}" if isinstance(value, bytes | memoryview) else str(value)


def _run(statement: Statement) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.parameters)
        return [row_id for (row_id,) in cursor.fetchall()]
