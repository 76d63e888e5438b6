"""Bars as a picture: where they lie, in whole numbers, for a template to draw without style."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720, 160
GAP_PERCENT = 18


@dataclass(frozen=True, slots=True)
class Bar:
    x: int
    y: int
    width: int
    height: int
    title: str
    below: bool


@dataclass(frozen=True, slots=True)
class Bars:
    """One bar for each value, from a zero line at `zero`; `highest` is the largest value."""

    bars: list[Bar]
    zero: int
    highest: int

    @property
    def box(self) -> str:
        return f"0 0 {WIDTH} {HEIGHT}"

    @property
    def has_below(self) -> bool:
        return any(bar.below for bar in self.bars)

    @property
    def width(self) -> int:
        return WIDTH


def bars(values: Sequence[tuple[str, int]]) -> Bars | None:
    """Return the bars of titled values; None while all of them are zero."""
    highest = max([0, *(value for _title, value in values)])
    lowest = min([0, *(value for _title, value in values)])
    if highest == lowest:
        return None
    zero = HEIGHT * highest // (highest - lowest)
    step = WIDTH // len(values)
    gap = max(1, step * GAP_PERCENT // 200)
    drawn = []
    for place, (title, value) in enumerate(values):
        size = abs(value) * HEIGHT // (highest - lowest)
        top = zero if value < 0 else zero - size
        left = place * WIDTH // len(values) + gap
        drawn.append(Bar(left, top, max(1, step - 2 * gap), size, title, value < 0))
    return Bars(drawn, zero, highest)
