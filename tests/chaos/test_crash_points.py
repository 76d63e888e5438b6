"""Killed at every point that an operation passes, the shop heals: once, in time, by the books.

The points are found by running the operation once without a kill (`points.py`). The test command
kills at every eighth of them, from another one each day; `make chaos` at every one.
"""

from __future__ import annotations

import signal
from datetime import datetime

import pytest

from tests.chaos import judging, report
from tests.chaos.deeds import OPERATIONS, Stage, Work
from tests.chaos.house import House
from tests.clock import Clock

HEALED_WITHIN_SECONDS = 120
EVERY = 1 if report.FULL else 8


@pytest.mark.parametrize("name", OPERATIONS)
def test_killed_at_any_point_it_heals(house: House, clock: Clock, name: str) -> None:
    work = OPERATIONS[name](Stage(house.gateway, clock))
    house.keep()
    at = clock.now()
    points = recorded(house, work, at)
    for number in range(report.SEED % EVERY, len(points), EVERY):
        house.go_back()
        child = house.forks.start(*work, at=at, act_at=number)
        assert child.wait() == -signal.SIGKILL, house.forks.said()
        assert child.points() == points[: number + 1]
        heals(house, work, clock, name, at=points[number])
    report.note("points", operation=name, points=len(points))


def recorded(house: House, work: Work, at: datetime) -> list[str]:
    """Do the work without a kill, and return the points it passes."""
    house.forks.warm_up(*work, at=at)
    house.go_back()
    child = house.forks.start(*work, at=at)
    assert child.wait() == 0, house.forks.said()
    assert child.result()["unwrapped"] == [], "A call left the process that no point is around."
    assert judging.problems(house.dialler, house.post) == []
    return child.points()


def heals(house: House, work: Work, clock: Clock, name: str, *, at: str) -> None:
    """Let other processes go on; who asked for something and saw no answer asks again."""
    if work[0] == "ask":
        assert house.forks.start(*work, at=clock.now()).wait() == 0, house.forks.said()
    healer = house.forks.start("heal", HEALED_WITHIN_SECONDS, at=clock.now())
    assert healer.wait() == 0, house.forks.said()
    seconds = healer.result()["returned"]
    found = judging.problems(house.dialler, house.post)
    report.note(
        "killed",
        operation=name,
        at=at,
        seconds=seconds,
        problems=found,
        parked=judging.parked(),
    )
    assert found == [], f"killed {at}"
    assert seconds is not None, f"killed {at}, not healed within {HEALED_WITHIN_SECONDS} s"
