"""Why a row came to its state, in the reader's language.

Flows keep the reason of a step in English, for it is written once and read by all. Staff read it in
theirs; what a person typed stays as it was typed.
"""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache

from django.utils.formats import date_format
from django.utils.translation import gettext

from packages.desk.cells import amount
from packages.desk.reason_texts import CLEARER, SAID
from packages.money import Money

NESTED = ("why", "what")
# Parts of several words; all others, as numbers and days, are one.
SUMS = ("amount", "asked", "below", "month", "there", "here")
LONG = {"why", "what", "proof", "reference", "problem", "server", "file", "fields"} | {
    *("numbers", "brand", *SUMS),
}
SUM = re.compile(r"(-?\d+\.?\d*) ([A-Z]{3})")
PLACE = re.compile(r"%\((\w+)\)s")


def told(reason: str) -> str:
    """Return the reason in the reader's language; what no flow says stays as it is."""
    if reason in _plain():
        return gettext(CLEARER.get(reason, reason))
    for pattern, text in _patterns():
        if found := pattern.fullmatch(reason):
            given = {name: _part(name, said) for name, said in found.groupdict().items()}
            return gettext(CLEARER.get(text, text)) % given
    parts = reason.split(", ")
    if len(parts) > 1 and all(map(is_known, parts)):
        return ", ".join(map(told, parts))
    return reason


def is_known(reason: str) -> bool:
    """Say whether this can be told in every language of the shop."""
    return reason in _plain() or any(each.fullmatch(reason) for each, _text in _patterns())


def _part(name: str, said: str) -> str:
    """Return a part as the reader writes it: a reason in its turn, a day, an amount of money."""
    if name in NESTED:
        return told(said)
    try:
        if name == "day":
            return date_format(date.fromisoformat(said))
        if name in SUMS and (found := SUM.fullmatch(said)):
            return amount(Money.of_decimal(Decimal(found[1]), found[2]))
    except ValueError:
        pass
    return said


@cache
def _plain() -> frozenset[str]:
    return frozenset(text for text in (*SAID, *CLEARER) if not PLACE.search(text))


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Return those with named parts, that with the most words of its own first."""
    named = sorted({*SAID, *CLEARER} - _plain(), key=lambda text: (-len(PLACE.sub("", text)), text))
    return [(re.compile("".join(_pieces(text)), re.DOTALL), text) for text in named]


def _pieces(text: str) -> Iterator[str]:
    """Give the words as they are, and the parts by their names."""
    for index, piece in enumerate(PLACE.split(text)):
        some = ".+" if piece in LONG else r"\S+"
        yield f"(?P<{piece}>{some})" if index % 2 else re.escape(piece)
