"""Workers that stop at a bad moment and wake later, and faults of ours after a yes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.db import transaction

from provisioning import desk, runner
from provisioning.models import Account, Attempt, Job, Server
from provisioning.signals import job_finished
from provisioning.simulator.simulator import Simulator
from tests.clock import Clock
from tests.processes import wait_until
from tests.provisioning.conftest import after_each_attempt, topped_up

CREDIT = "Client_Payment_Create"


class PowerCut(BaseException):
    """What no handler of ours sees, as a kill is."""


@pytest.fixture
def live(account: Account, clock: Clock) -> Account:
    clock.work()
    account.refresh_from_db()
    return account


def credited(dialler: Simulator) -> list[str]:
    return [effect["amount"] for effect in dialler.effects("credit")]


def sent(dialler: Simulator) -> int:
    return sum(each["method"] == CREDIT for each in dialler.log()["requests"])


@contextmanager
def told_of_credit(receive: Callable[[], None]) -> Iterator[None]:
    """Be told, inside the transaction that ends it, of every credit that is done."""

    def receiver(job: Job, **_: Any) -> None:
        if job.kind == Job.Kind.CREDIT and job.state == Job.State.DONE:
            receive()

    job_finished.connect(receiver)
    try:
        yield
    finally:
        job_finished.disconnect(receiver)


def test_a_worker_that_wakes_after_its_time_sends_nothing(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    """It stops between its note of the attempt and the first byte; another takes over."""
    Server.objects.update(connect_timeout_seconds=0.1, read_timeout_seconds=0.1)
    topped_up(live, at=clock.now())
    stopped: list[Attempt] = []

    def stop(attempt: Attempt) -> None:
        if stopped:
            return
        stopped.append(attempt)
        wakes_at = time.monotonic() + attempt.job.account.server.work_seconds
        wait_until(lambda: time.monotonic() > wakes_at, what="the claim's time is over")
        Server.objects.update(connect_timeout_seconds=3, read_timeout_seconds=3)
        clock.pass_by(minutes=5)

    with after_each_attempt(stop):
        assert runner.run_next(live.pk, at=clock.now(), worker="zombie")
    outcomes = Attempt.objects.filter(job=stopped[0].job).values_list("outcome", flat=True)
    assert list(outcomes) == [Attempt.Outcome.ABSENT, Attempt.Outcome.DONE]
    assert credited(shop) == ["20.00", "25.00"]
    assert sent(shop) == len(credited(shop))


def test_a_crash_between_the_yes_and_our_commit_credits_once(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    def crash() -> None:
        raise PowerCut

    line = topped_up(live, at=clock.now())
    with told_of_credit(crash), pytest.raises(PowerCut):
        clock.work()
    job = Job.objects.get(cause=f"order-line-{line.pk}:credit")
    assert job.state == Job.State.RUNNING
    assert job.attempts.get().outcome == Attempt.Outcome.SENT
    clock.pass_by(minutes=5)
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert job.attempts.get().outcome == Attempt.Outcome.APPLIED
    assert credited(shop) == ["20.00", "25.00"]


def test_a_fault_of_the_receiver_parks_in_the_end_and_staff_go_on(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    faults = []

    def fail() -> None:
        faults.append(clock.now())
        raise ValueError("a template is broken")

    line = topped_up(live, at=clock.now())
    job = Job.objects.get(cause=f"order-line-{line.pk}:credit")
    with told_of_credit(fail):
        for _ in range(30):
            works_as_far_as_it_can(clock)
    job.refresh_from_db()
    assert (job.state, job.reason) == (Job.State.PARKED, "fault: ValueError")
    assert len(faults) < 30
    assert credited(shop) == ["20.00", "25.00"]
    with transaction.atomic():
        desk.verify_now(job, seen=job.fence, at=clock.now(), actor="staff:1")
    clock.pass_by(minutes=2)
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert credited(shop) == ["20.00", "25.00"]


def works_as_far_as_it_can(clock: Clock) -> None:
    """Go on as Celery does: a fault ends its task, and is logged."""
    with suppress(ValueError):
        clock.advance(minutes=6)
