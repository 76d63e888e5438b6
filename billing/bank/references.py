"""Finding our invoice numbers in what a customer typed into a transfer, and comparing names."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

WORD = re.compile(r"[A-Z]+|\d+|[^A-Z\d]+")
MOST_GROUPS = 4
LONGEST_SEQUENCE = 8
WIDTHS = range(3, 7)
YEAR = 4
# Said of a company or a person, and not what tells them apart.
COMMON = {
    *("gmbh", "mbh", "ag", "ug", "kg", "ohg", "gbr", "eg", "ev", "se", "ltd", "limited", "inc"),
    *("llc", "bv", "sarl", "co", "cie", "und", "and", "haftungsbeschraenkt"),
    *("herr", "frau", "dr", "prof", "dipl", "ing", "med", "firma"),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A printed number that the text may mean; `exact` if its prefix stands there by itself."""

    number: str
    exact: bool


def candidates(text: str) -> set[Candidate]:
    """Return every invoice number that the text may contain, however it was typed.

    `R-2026-0042`, `R 2026/42`, `r20260042` and one that the bank has wrapped in the middle are all
    R-2026-0042. A group of digits is never cut, so R-2026-00421 is not the number before it.
    """
    words = WORD.findall(text.upper())
    return {
        candidate
        for index, word in enumerate(words)
        if word.isascii() and word.isalpha()
        for candidate in _from(word, _groups(words[index + 1 :]))
    }


def alike(one: str, other: str) -> bool:
    """Say whether two names can mean the same person or company; order and form do not matter."""
    first, second = _names(one), _names(other)
    if not first or not second:
        return False
    common = first & second
    return common in (first, second) or 2 * len(common) > len(first | second)


def _groups(words: list[str]) -> list[str]:
    """Return the groups of digits that follow, with nothing but separators between them."""
    groups: list[str] = []
    for word in words[: 2 * MOST_GROUPS]:
        if word.isascii() and word.isdigit():
            groups.append(word)
        elif word[0].isalpha():
            break
    return groups[:MOST_GROUPS]


def _from(letters: str, groups: list[str]) -> Iterator[Candidate]:
    for count in range(1, len(groups) + 1):
        for tail in set(_tails(groups[:count])):
            for start in range(max(0, len(letters) - LONGEST_SEQUENCE), len(letters)):
                yield Candidate(f"{letters[start:]}-{tail}", exact=start == 0)


def _tails(groups: list[str]) -> Iterator[str]:
    """Yield what may stand behind the prefix: with a year or without, padded or not."""
    digits = "".join(groups)
    if len(digits) > YEAR + LONGEST_SEQUENCE:
        return
    yield from _padded(digits)
    if len(digits) > YEAR:
        yield from (f"{digits[:YEAR]}-{each}" for each in _padded(digits[YEAR:]))


def _padded(digits: str) -> Iterator[str]:
    yield digits
    plain = digits.lstrip("0")
    if plain:
        yield from (plain.zfill(width) for width in WIDTHS)


def _names(text: str) -> frozenset[str]:
    spelled = text.casefold()
    for letter, pair in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        spelled = spelled.replace(letter, pair)
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return frozenset(re.findall(r"[a-z0-9]{2,}", plain)) - COMMON
