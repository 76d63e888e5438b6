"""What a rule of the books is, and what was found against it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Invariant:
    """One rule, worded for `gettext`; the query returns a row for every violation."""

    code: str
    rule: str
    sql: str


@dataclass(frozen=True, slots=True)
class Finding:
    """An invariant with the rows that violate it (at most a hundred of them)."""

    invariant: Invariant
    rows: tuple[tuple[object, ...], ...]
