"""Walks by a seed: the same steps every time, more and others on demand.

`WALK_SEED=7 WALK_STEPS=50000` explores; `WALK_SHRINK=1` looks for fewer steps that fail as well.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from tests.walks import deeds
from tests.walks.deeds import Step
from tests.walks.machine import Walk

SEED = int(os.environ.get("WALK_SEED", "1"))
STEPS = int(os.environ.get("WALK_STEPS", "5000"))
SHRINK = bool(os.environ.get("WALK_SHRINK"))
# So many deeds a walk; those that find nothing to do are no steps.
LENGTH = 250


def walk(*, number: int, steps: int) -> int:
    """Walk until so many steps are done; return how many they were. Raises what a walk finds."""
    done = 0
    with _quiet():
        while done < steps:
            walk = Walk(deeds.drawn(number, LENGTH))
            try:
                walk.go()
            except Exception as error:
                error.add_note(f"Seed {number}.")
                if SHRINK:
                    _shrink(walk.steps, error)
                raise
            done, number = done + walk.done, number + 1_000
    return done


def _shrink(steps: list[Step], found: Exception) -> None:
    """Leave out whatever is not needed to find it, by halves, quarters, and so on; raise that."""
    size = len(steps) // 2
    while size:
        for begin in range(len(steps), -1, -size):
            fewer = steps[:begin] + steps[begin + size :]
            try:
                Walk(fewer).go()
            except Exception as error:  # noqa: BLE001
                if (type(error), error.args[:1]) == (type(found), found.args[:1]):
                    steps, found = fewer, error
        size //= 2
    raise found


@contextmanager
def _quiet() -> Iterator[None]:
    """Write no log: a walk does in seconds what a shop does in months."""
    before = structlog.get_config()
    silent = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=silent)
    try:
        yield
    finally:
        structlog.configure(**before)
