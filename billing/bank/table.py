"""CSV statements, read by a layout that says which column means what."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from stdnum import iban as iban_numbers

from billing.bank.lines import Line, Statement, Unreadable, iban, joined, reference
from packages.money import Money

# Banks put some facts above the heading; none needs more lines than this.
LONGEST_PREAMBLE = 30
MOST_COLUMNS = 100
DATES = {
    "dmy": re.compile(r"^(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4}|\d{2})$"),
    "ymd": re.compile(r"^(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})$"),
    "mdy": re.compile(r"^(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4}|\d{2})$"),
}
AMOUNTS = {
    ",": re.compile(r"^[+-]?\d{1,3}(\.\d{3})+(,\d{1,3})?$|^[+-]?\d+(,\d{1,3})?$"),
    ".": re.compile(r"^[+-]?\d{1,3}(,\d{3})+(\.\d{1,3})?$|^[+-]?\d+(\.\d{1,3})?$"),
}
# How banks call money that came back, in their column for the kind of booking.
RETURN_WORDS = re.compile(r"r(ü|ue)ck|retour|storno|return|revers|reject|chargeback", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns by their meaning, each with the names it may have; see `StatementLayout`."""

    source: str
    name: str
    delimiter: str
    encoding: str
    decimal: str
    dates: str
    currency: str
    columns: Mapping[str, Sequence[str]]
    pending: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Heading:
    """Where the heading stands in the file, and at which place each column."""

    row: int
    places: Mapping[str, int]


def read(content: bytes, layouts: Sequence[Layout], *, account: str) -> Statement:
    """Read the file by the layout that explains most of its columns; raises Unreadable.

    `account` counts where the file does not name our own. A line is left out when it is not booked
    yet, or has no date (a closing line); a date with an amount that cannot be read stops it all.
    """
    fitting: list[tuple[_Heading, Layout, list[list[str]]]] = []
    for layout in layouts:
        rows = _rows(content, layout)
        heading = _heading(rows, layout)
        if heading is not None:
            fitting.append((heading, layout, rows))
    if not fitting:
        names = ", ".join(layout.name for layout in layouts)
        raise Unreadable(f"no line is a heading of these layouts: {names}")
    heading, layout, rows = max(fitting, key=lambda fit: len(fit[0].places))
    return _statement(rows, heading, layout, account)


def _rows(content: bytes, layout: Layout) -> list[list[str]]:
    """Return the cells of the file; none where its letters are not those of the layout."""
    try:
        text = _decoded(content, layout.encoding)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=layout.delimiter)
        return [row[:MOST_COLUMNS] for row in reader]
    except UnicodeDecodeError:
        return []
    except csv.Error as error:
        raise Unreadable(f"not a readable CSV file: {error}") from error


def _decoded(content: bytes, encoding: str) -> str:
    """Nothing but UTF-8 is valid UTF-8 by chance, so that is tried first."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode(encoding)


def _heading(rows: Sequence[Sequence[str]], layout: Layout) -> _Heading | None:
    for index, row in enumerate(rows[:LONGEST_PREAMBLE]):
        named = [cell.strip() for cell in row]
        places = {
            meaning: next(named.index(name) for name in names if name in named)
            for meaning, names in layout.columns.items()
            if any(name in named for name in names)
        }
        if {"booked", "text"} <= set(places) and {"amount", "credit"} & set(places):
            return _Heading(index, places)
    return None


def _statement(
    rows: Sequence[Sequence[str]], heading: _Heading, layout: Layout, account: str
) -> Statement:
    own = _account_above(rows[: heading.row]) or account
    lines: list[Line] = []
    undated = 0
    for number, row in enumerate(rows[heading.row + 1 :], start=heading.row + 2):
        if not any(cell.strip() for cell in row):
            continue
        cells = {
            meaning: row[place].strip() if place < len(row) else ""
            for meaning, place in heading.places.items()
        }
        booked_on = _date(cells["booked"], layout)
        if booked_on is None:
            undated += 1
            continue
        try:
            lines += _line(cells, booked_on, layout, own)
        except ValueError as error:
            raise Unreadable(f"line {number}: {error}") from error
    if undated and not lines:
        raise Unreadable(f"no line has a date as the layout {layout.name} expects it")
    return Statement(layout.source, lines)


def _line(cells: Mapping[str, str], booked_on: date, layout: Layout, own: str) -> Iterator[Line]:
    status = cells.get("status", "").casefold()
    amount = _amount(cells, layout)
    if (status and status in layout.pending) or not amount:
        return
    kind = cells.get("kind", "")
    yield Line(
        account=iban(cells.get("account", "")) or own,
        booked_on=booked_on,
        valued_on=_date(cells.get("valued", ""), layout),
        amount=amount,
        name=joined([cells.get("name", "")])[:140],
        iban=iban(cells.get("iban", "")),
        text=joined([cells["text"]]),
        kind=joined([kind])[:140],
        end_to_end=reference(cells.get("reference", "")),
        returned=bool(RETURN_WORDS.search(kind)),
    )


def _amount(cells: Mapping[str, str], layout: Layout) -> Money:
    """Return the amount with its sign: of one column, or of money in and money out."""
    currency = (cells.get("currency") or layout.currency).upper()
    left = cells.get("debit", "")
    if left:
        money = _money(left, currency, layout)
        return -money if money.minor > 0 else money
    came = cells.get("credit") or cells.get("amount", "")
    if not came:
        raise ValueError("no amount")
    return _money(came, currency, layout)


def _money(text: str, currency: str, layout: Layout) -> Money:
    digits = re.sub(r"[\s\u00a0€']|[A-Z]{3}$", "", text).replace("\u2212", "-")
    if not AMOUNTS[layout.decimal].match(digits):
        raise ValueError(f"{text!r} is no amount of the layout {layout.name}")
    thousands = "." if layout.decimal == "," else ","
    plain = digits.replace(thousands, "").replace(layout.decimal, ".")
    try:
        return Money.of_decimal(Decimal(plain), currency)
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is no amount") from error


def _date(text: str, layout: Layout) -> date | None:
    found = DATES[layout.dates].match(text.strip())
    if found is None:
        return None
    year = int(found["year"]) + (2000 if len(found["year"]) == 2 else 0)
    try:
        return date(year, int(found["month"]), int(found["day"]))
    except ValueError:
        return None


def _account_above(rows: Sequence[Sequence[str]]) -> str:
    """Return the first IBAN in the lines above the heading."""
    cells = (iban(cell) for row in rows for cell in row)
    return next((cell for cell in cells if cell and iban_numbers.is_valid(cell)), "")
