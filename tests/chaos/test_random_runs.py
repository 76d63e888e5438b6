"""Accounts live through whatever their seed says, then heal: once, in time, by the books.

`make chaos SEED=…` plays the same plans again; a failure names the batch.
"""

from __future__ import annotations

import pytest

from tests.chaos import batches, plans, report
from tests.chaos.house import House
from tests.clock import Clock

# Small enough for idle processes to find something left to do.
PARTS = 10 if report.FULL else 2
RUNS = 2000 if report.FULL else 200
BATCHES = RUNS // plans.RUNS_IN_A_BATCH


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_it_heals(house: House, clock: Clock, part: int) -> None:
    batches.prepare(house, clock)
    wrong = []
    for seed in seeds(part):
        with clock.detour():
            outcome = batches.Batch(house, clock, seed).play(plans.thrown(seed))
        report.note(
            "batch",
            seed=seed,
            runs=plans.RUNS_IN_A_BATCH,
            seconds=outcome.seconds,
            parked=outcome.parked,
            problems=outcome.problems,
        )
        late = [] if outcome.seconds is not None else ["not healed within two minutes"]
        wrong += [f"{seed}: {each}" for each in (*outcome.problems, *late)]
    assert wrong == [], "BATCH=… plays one of them again."


def seeds(part: int) -> list[str]:
    """Return the batches of this part; together the parts play all of them."""
    if report.BATCH:
        return [report.BATCH] if part == 0 else []
    return [f"{report.SEED}-{number}" for number in range(part, BATCHES, PARTS)]


def test_a_seed_is_a_plan() -> None:
    assert plans.thrown("1-1") == plans.thrown("1-1")
    assert plans.thrown("1-1") != plans.thrown("1-2")
