"""A balance as a picture: where the points and bars of its chart lie, in whole numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from billing.balances import Line
from billing.usage import Point
from packages.money import Money

WIDTH, HEIGHT = 720, 180
GAP = 2
# More changes than a reader can tell apart in a picture.
MOST = 200


@dataclass(frozen=True, slots=True)
class Bar:
    """What was used until a point."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A line for the balance, bars for use, both by one scale that begins at zero."""

    line: str
    area: str
    bars: list[Bar]
    top: Money
    first: Point
    last: Point

    @property
    def box(self) -> str:
        return f"0 0 {WIDTH} {HEIGHT}"


def drawn(points: Sequence[Point]) -> Chart | None:
    """Return the chart; None while there are not two points to join."""
    if len(points) < 2:
        return None
    first, last = points[0], points[-1]
    amounts = [each.balance for each in points] + [each.used for each in points if each.used]
    top = max(amounts, key=lambda amount: amount.minor)
    highest = max(1, top.minor)
    long = max(1, int((last.at - first.at).total_seconds()))

    def x(point: Point) -> int:
        return int((point.at - first.at).total_seconds()) * WIDTH // long

    def y(amount: Money) -> int:
        return HEIGHT - max(0, amount.minor) * HEIGHT // highest

    line = " ".join(f"{x(point)},{y(point.balance)}" for point in points)
    bars = [
        Bar(
            x(before) + GAP,
            y(point.used),
            max(1, x(point) - x(before) - 2 * GAP),
            HEIGHT - y(point.used),
        )
        for before, point in zip(points, points[1:], strict=False)
        if point.used
    ]
    return Chart(line, f"0,{HEIGHT} {line} {WIDTH},{HEIGHT}", bars, top, first, last)


def steps(lines: Sequence[Line], *, at: datetime) -> Chart | None:
    """Return the chart of a balance with us until now, from its history, the latest change first.

    It changes by its documents alone, so it is a staircase; None while nothing has changed it.
    """
    points: list[Point] = []
    for line in reversed(lines[:MOST]):
        points += [Point(line.at, line.after - line.amount, None), Point(line.at, line.after, None)]
    return drawn([*points, Point(at, lines[0].after, None)]) if lines else None
