"""A table of a report: shown on a page, and given as a file that a spreadsheet may open safely."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.http import HttpResponse
from django.utils.functional import Promise
from django.utils.translation import get_language

from packages.desk.cells import EMPTY, amount, share
from packages.money import Money

TENTH = Decimal("0.1")
Value = str | Promise | int | Decimal | Money | None
# What a spreadsheet takes for a formula at the beginning of a cell (OWASP, CSV injection, 2026-11).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class Cell:
    """One value, with the list of the rows that it is the sum of."""

    value: Value
    url: str = ""
    # What a reader sees instead of a code that files keep.
    name: str = ""

    @property
    def text(self) -> str:
        if self.value is None or self.is_zero:
            return EMPTY
        if self.name:
            return self.name
        if isinstance(self.value, Decimal):
            return share(self.value.quantize(TENTH))
        return amount(self.value) if isinstance(self.value, Money) else str(self.value)

    @property
    def is_zero(self) -> bool:
        return isinstance(self.value, int | Money) and not self.value

    @property
    def is_bare(self) -> bool:
        """Say whether there is nothing to read, so that a phone leaves it out."""
        return self.text in ("", EMPTY)

    @property
    def is_number(self) -> bool:
        return not isinstance(self.value, str | Promise)


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows; a sum of money has its currency in a column of its own."""

    code: str
    title: str | Promise
    head: Sequence[str | Promise]
    rows: Sequence[Sequence[Cell]]
    note: str | Promise = ""
    # What is said where there are no rows.
    nothing: str | Promise = ""

    @property
    def named(self) -> list[list[tuple[str | Promise, Cell]]]:
        """Return the rows, each value with its column's name: a phone shows no head."""
        return [list(zip(self.head, row, strict=True)) for row in self.rows]


def as_csv(table: Table, *, name: str) -> HttpResponse:
    """Return the table as a file; see `as_file`."""
    rows = ([each.value for each in row] for row in table.rows)
    return as_file(table.head, rows, name=name)


def as_file(
    head: Sequence[str | Promise], rows: Iterable[Iterable[Value]], *, name: str
) -> HttpResponse:
    """Return a file of these columns, in UTF-8, written as the reader's spreadsheet expects it.

    No text of it is run as a formula: what begins like one gets an apostrophe in front.
    """
    german = (get_language() or "en").startswith("de")
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if german else ",", lineterminator="\r\n")
    writer.writerow([_safe(str(each)) for each in head])
    for row in rows:
        writer.writerow([_written(each, comma=german) for each in row])
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    text = "\ufeff" + out.getvalue()
    return HttpResponse(text.encode(), content_type="text/csv; charset=utf-8", headers=headers)


def _written(value: Value, *, comma: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, Money | Decimal):
        number = str(value.decimal() if isinstance(value, Money) else value)
        return number.replace(".", ",") if comma else number
    return str(value) if isinstance(value, int) else _safe(str(value))


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
