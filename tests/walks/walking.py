"""Walks by a seed: the same steps every time, more and others on demand.

`WALK_SEED=7 WALK_STEPS=50000` explores; `WALK_SHRINK=1` looks for the shortest walk that fails.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.walks.machine import Walk

SEED = int(os.environ.get("WALK_SEED", "1"))
STEPS = int(os.environ.get("WALK_STEPS", "5000"))
SHRINK = [Phase.shrink] if os.environ.get("WALK_SHRINK") else []
# So many deeds a walk; those that find nothing to do are no steps.
LENGTH = 250


def walk(*, number: int, steps: int) -> int:
    """Walk until so many steps are done; return how many they were. Raises what a walk finds."""
    Walk.outcomes.clear()
    with _quiet():
        while Walk.steps() < steps:
            run_state_machine_as_test(
                seed(number)(Walk),
                settings=settings(
                    # The first one is always the simplest, and so does next to nothing.
                    max_examples=1 + math.ceil((steps - Walk.steps()) / LENGTH),
                    stateful_step_count=LENGTH,
                    phases=[Phase.generate, *SHRINK],
                    deadline=None,
                    database=None,
                    derandomize=False,
                    suppress_health_check=list(HealthCheck),
                ),
            )
            number += 1_000
    return Walk.steps()


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
