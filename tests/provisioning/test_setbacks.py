"""What keeps failing is left to staff, and only that: an outage does not count, a death does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from provisioning import outcomes, runner
from provisioning.models import Account, Job
from provisioning.outcomes import MAX_SETBACKS
from provisioning.simulator.simulator import Simulator
from tests.clock import Clock
from tests.provisioning.conftest import after_each_attempt


class Killed(BaseException):
    """What no handler of ours sees, as a kill is."""


def create() -> Job:
    return Job.objects.get(kind=Job.Kind.CREATE)


def die(_: object) -> None:
    raise Killed


def test_after_a_long_outage_the_first_setback_parks_nothing(
    account: Account, shop: Simulator, clock: Clock
) -> None:
    shop.faults.add("Client_Get", times=-1, answer="500")
    for _ in range(MAX_SETBACKS + 2):
        clock.advance(minutes=6)
    assert (create().state, create().setbacks) == (Job.State.WAITING, 0)
    shop.faults.clear()
    shop.faults.add("Client_Get", times=1, answer="401")
    for _ in range(4):
        clock.advance(minutes=6)
    account.refresh_from_db()
    assert account.state == Account.State.LIVE


def test_a_job_that_kills_its_processes_is_parked_and_others_go_on(
    account: Account, shop: Simulator, clock: Clock
) -> None:
    """Each run is counted before it begins, since the process may not live to count it."""
    with after_each_attempt(die):
        for _ in range(MAX_SETBACKS):
            with pytest.raises(Killed):
                runner.run_next(account.pk, at=clock.now(), worker="poisoned")
            clock.shift(minutes=10)
            # What it sent is open, and would be found out; here it dies anew each time.
            create().attempts.all().delete()
    assert not runner.run_next(account.pk, at=clock.now(), worker="careful")
    assert create().state == Job.State.PARKED
    assert create().reason == f"fault: {MAX_SETBACKS} processes died of it, one after the other"
    assert shop.effects("create") == []


def test_pauses_grow_to_a_limit_and_are_never_the_same_for_all() -> None:
    first = {outcomes.backoff(Job(pk=number, tries=1)) for number in range(50)}
    late = {outcomes.backoff(Job(pk=number, tries=90)) for number in range(50)}
    assert len(first) > 40
    assert max(first) <= timedelta(seconds=5)
    assert timedelta(seconds=45) < max(late) <= timedelta(seconds=90)
