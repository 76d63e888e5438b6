"""What the figures must be: each bar with what was measured, and whether it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MISSED = "FAIL"


@dataclass(frozen=True, slots=True)
class Bar:
    """A sentence that must be true, with the figure that decides."""

    says: str
    measured: str
    holds: bool


def at_most(says: str, measured: float, most: float, unit: str = "") -> Bar:
    return Bar(f"{says}: at most {most:g}{unit}", f"{measured:,.2f}{unit}", measured <= most)


def at_least(says: str, measured: float, least: float, unit: str = "") -> Bar:
    return Bar(f"{says}: at least {least:g}{unit}", f"{measured:,.2f}{unit}", measured >= least)


def exactly(says: str, measured: object, wanted: object) -> Bar:
    return Bar(f"{says}: {wanted}", f"{measured}", measured == wanted)


def table(bars: Sequence[Bar]) -> Iterator[str]:
    yield ""
    yield "| bar | measured | |"
    yield "|---|---|---|"
    for bar in bars:
        yield f"| {bar.says} | {bar.measured} | {'ok' if bar.holds else MISSED} |"


def is_missed(line: str) -> bool:
    """Say whether a line of the report is a bar that does not hold."""
    return line.endswith(f"| {MISSED} |")
