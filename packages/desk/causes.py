"""What caused a row, in the reader's language, with a link to the page that shows it.

Flows write causes as codes (`invoice-12:suspended:7`), for unique keys see to it by them that
nothing is done twice. Each app says, beside its pages, what the codes it makes mean.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from packages.desk import reasons
from packages.desk.cells import link

UUID = r"[0-9a-f-]{36}"
ROW = "row"
PLACE = f"%({ROW})s"
OVERTAKEN = re.compile(r"overtaken by (\S+)")


@dataclass(frozen=True, slots=True)
class Cause:
    """Codes of one form, and how they are told.

    `pattern` names the number of a row of `model` as `row`. The page of that row, or of what it
    has in the field `via`, stands in the text at `%(row)s`.
    """

    pattern: str
    text: str | Promise
    model: type[Model] | None = None
    via: str = ""
    # What the name of the page's row is made of.
    beside: tuple[str, ...] = ()

    def rows(self, numbers: Iterable[int]) -> dict[int, Model]:
        """Return those whose pages show the rows with these numbers; one query."""
        if self.model is None:
            return {}
        found: Any = self.model._default_manager.filter(pk__in=set(numbers))
        if self.via or self.beside:
            found = found.select_related(*filter(None, (self.via, *self.beside)))
        return {each.pk: getattr(each, self.via) if self.via else each for each in found}


_known: list[tuple[re.Pattern[str], Cause]] = []


def know(*causes: Cause) -> None:
    """Add causes; of two that fit a code the first one added tells it."""
    _known.extend((re.compile(each.pattern), each) for each in causes)


def is_known(code: str) -> bool:
    """Say whether this code can be told in every language of the shop."""
    return _match(code) is not None


def told(codes: Iterable[str]) -> dict[str, SafeString | str]:
    """Return for each code what it says, with a link; one query for each kind of cause.

    What is no cause is told as a reason.
    """
    return _each(codes, link)


def plain(codes: Iterable[str]) -> dict[str, SafeString | str]:
    """As `told`, without links: for a title, or a cell that is a link itself."""
    return _each(codes, lambda row: str(row))


def _each(codes: Iterable[str], show: Callable[[Model], str]) -> dict[str, SafeString | str]:
    wanted = set(codes)
    inner = {each: found[1] for each in wanted if (found := OVERTAKEN.fullmatch(each))}
    matched = {each: _match(each) for each in {*wanted, *inner.values()}}
    rows = _rows([each for each in matched.values() if each])
    said = {each: _say(each, match, rows, show) for each, match in matched.items()}
    around = gettext("overtaken by %(cause)s")
    return {
        each: _put(around, "%(cause)s", said[inner[each]]) if each in inner else said[each]
        for each in wanted
    }


def _match(code: str) -> tuple[Cause, int | None] | None:
    """Return the cause that the code is, and the number of its row."""
    for pattern, cause in _known:
        if found := pattern.fullmatch(code):
            number = found.groupdict().get(ROW)
            return cause, int(number) if number else None
    return None


def _rows(matches: Iterable[tuple[Cause, int | None]]) -> dict[tuple[Cause, int | None], Model]:
    numbers: dict[Cause, set[int]] = {}
    for cause, number in matches:
        if number is not None:
            numbers.setdefault(cause, set()).add(number)
    return {
        (cause, number): row
        for cause, wanted in numbers.items()
        for number, row in cause.rows(wanted).items()
    }


def _say(
    code: str,
    match: tuple[Cause, int | None] | None,
    rows: dict[tuple[Cause, int | None], Model],
    show: Callable[[Model], str],
) -> SafeString | str:
    if match is None:
        return reasons.told(code)
    row = rows.get(match)
    return _put(str(match[0].text), PLACE, f"#{match[1]}" if row is None else show(row))


def _put(text: str, place: str, what: str) -> SafeString | str:
    before, found, after = text.partition(place)
    return format_html("{}{}{}", before, what, after) if found else text
