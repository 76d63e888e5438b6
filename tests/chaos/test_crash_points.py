"""Killed at every point that an operation passes, the shop heals: once, in time, by the books.

The points are found by running the operation once without a kill (`points.py`). The test command
kills at every eighth of them, from another one each day; `make chaos` at every one.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import datetime

import pytest

from billing import runs
from billing.models import Invoice, Mail, Order, Payment
from provisioning.models import Account
from tests.chaos import judging, report
from tests.chaos.deeds import OPERATIONS, WEB, Stage, Work, credit, renew
from tests.chaos.house import House
from tests.clock import Clock

HEALED_WITHIN_SECONDS = 120
EVERY = 1 if report.FULL else 8


@pytest.mark.parametrize("name", OPERATIONS)
def test_killed_at_any_point_it_heals(house: House, clock: Clock, name: str) -> None:
    work = OPERATIONS[name](Stage(house.gateway, clock))
    for point in killed(house, work, clock, name):
        heals(house, work, clock, name, at=point)


@pytest.mark.parametrize("name", WEB)
def test_killed_at_any_point_the_web_loses_nothing(house: House, clock: Clock, name: str) -> None:
    """Whoever got no answer asks again: the gateway, and the customer."""
    work = WEB[name](Stage(house.gateway, clock))
    for point in killed(house, work, clock, name):
        again = house.forks.start(*work, at=clock.now())
        assert again.wait() == 0, house.forks.said()
        assert again.result()["returned"] in (200, 303)
        heals(house, work, clock, name, at=point)
        assert Order.objects.count() == Payment.objects.count() == 1
        assert Account.objects.count() == (1 if name == "deliver" else 0)


def test_killed_in_a_run_of_the_calendar_it_is_finished(house: House, clock: Clock) -> None:
    """The run is taken over when its lease of an hour has ended."""
    work = renew(Stage(house.gateway, clock))
    for point in killed(house, work, clock, "renew"):
        with clock.detour():
            clock.shift(seconds=runs.LEASE.total_seconds())
            assert house.forks.start(*work, at=clock.now()).wait() == 0, house.forks.said()
            heals(house, work, clock, "renew", at=point)
        assert Invoice.objects.filter(order=None, state=Invoice.State.OPEN).count() == 2
        assert Mail.objects.filter(template="invoice_issued").count() == 2


@pytest.mark.parametrize("act", ["cut", "lose"])
def test_a_commit_whose_answer_is_lost_is_done_once(house: House, clock: Clock, act: str) -> None:
    """The session ends before a commit, or after it and before its answer."""
    work = credit(Stage(house.gateway, clock))
    points = passed(house, work, clock.now())
    commits = [number for number, name in enumerate(points) if "before commit" in name]
    for number in commits[report.SEED % 2 :: 1 if report.FULL else 4]:
        house.go_back()
        at = number if act == "cut" else number + 1
        house.forks.start(*work, at=clock.now(), act_at=at, act=act).wait()
        heals(house, work, clock, f"credit, session {act}", at=points[number])


def killed(house: House, work: Work, clock: Clock, name: str) -> Iterator[str]:
    """Kill a process that does the work at one point after the other; yield where it died."""
    at = clock.now()
    points = passed(house, work, at)
    report.note("points", operation=name, points=len(points))
    for number in range(report.SEED % EVERY, len(points), EVERY):
        house.go_back()
        child = house.forks.start(*work, at=at, act_at=number)
        assert child.wait() == -signal.SIGKILL, house.forks.said()
        assert child.points() == points[: number + 1]
        yield points[number]


def passed(house: House, work: Work, at: datetime) -> list[str]:
    """Do the work without a kill, and return the points it passes; the moment is kept before."""
    house.keep()
    house.forks.warm_up(*work, at=at)
    house.go_back()
    child = house.forks.start(*work, at=at)
    assert child.wait() == 0, house.forks.said()
    assert child.result()["unwrapped"] == [], "A call left the process that no point is around."
    if work[0] == "post":
        # A request leaves the rest to workers.
        assert house.forks.start("heal", HEALED_WITHIN_SECONDS, at=at).wait() == 0
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
