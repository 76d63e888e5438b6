"""One line of a bank account as a plain value, and the key by which it is known again."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from packages.money import Money

# What banks write where they have no reference.
NO_REFERENCE = {"", "NONREF", "NOTPROVIDED", "NOT PROVIDED"}
SEPARATOR = "\x1f"


class Unreadable(Exception):
    """The file cannot be read, or not completely; nothing of it is used. The text is for staff."""


@dataclass(frozen=True, slots=True)
class Line:
    """A booked line. `amount` has its sign: what came in is positive.

    `own_reference`: the bank's reference means this line alone. `returned`: money that a bank sent
    back, or a booking that was reversed; `collective`: several payments that nobody tells apart.
    """

    account: str
    booked_on: date
    amount: Money
    valued_on: date | None = None
    name: str = ""
    iban: str = ""
    text: str = ""
    kind: str = ""
    bank_reference: str = ""
    end_to_end: str = ""
    own_reference: bool = False
    returned: bool = False
    collective: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """The lines that a file lists together; `source` names the kind of file."""

    source: str
    lines: Sequence[Line]


def keyed(statement: Statement) -> Iterator[tuple[str, Line]]:
    """Yield each line with its key: the same line of an overlapping statement has the same.

    Lines that nothing tells apart (same day, sum, parties and text, no reference) are numbered, so
    that two of them stay two, and come again as the same two.
    """
    seen: Counter[str] = Counter()
    for line in statement.lines:
        basis = SEPARATOR.join(_basis(line))
        seen[basis] += 1
        nth = f"{basis}{SEPARATOR}{seen[basis]}"
        yield hashlib.sha256(nth.encode()).hexdigest(), line


def reference(text: str) -> str:
    """Return a bank's reference, empty where it says that there is none."""
    given = " ".join(text.split())
    return "" if given.upper() in NO_REFERENCE else given[:80]


def iban(text: str) -> str:
    """Return an IBAN or account number without spaces."""
    return "".join(text.split()).upper()[:40]


def joined(parts: Iterable[str]) -> str:
    """Return the parts as one text with single spaces."""
    return " ".join(" ".join(parts).split())


def _basis(line: Line) -> Iterator[str]:
    yield from (line.account, line.booked_on.isoformat())
    yield from (line.amount.currency, str(line.amount.minor))
    if line.own_reference:
        yield line.bank_reference
        return
    yield from (line.bank_reference, line.end_to_end, line.iban)
    # A bank wraps and writes the same text differently from export to export.
    yield from (_letters(line.name), _letters(line.text))


def _letters(text: str) -> str:
    return re.sub(r"\W", "", text).casefold()
