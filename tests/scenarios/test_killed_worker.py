"""A real worker is killed at the worst moments: one account, one credit, one mail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from billing.models import Mail
from packages.doorbell import ring
from provisioning import tasks
from provisioning.models import Account, Attempt, Job
from provisioning.simulator.simulator import Simulator
from tests.clock import Clock
from tests.processes import Worker, wait_until
from tests.provisioning.conftest import ordered

METHODS = {Job.Kind.CREATE: "Client_Create", Job.Kind.CREDIT: "Client_Payment_Create"}


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Real time at first, since the worker's process knows no other."""
    with Clock.at(datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")) as clock:
        yield clock


@pytest.fixture
def worker(shop: Simulator) -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.stop()


def heals(account: Account, dialler: Simulator, clock: Clock) -> None:
    """After the lease and the quiet time everything is there, and nothing twice."""
    clock.pass_by(minutes=6)
    account.refresh_from_db()
    assert account.state == Account.State.LIVE
    assert len(dialler.effects("create")) == 1
    assert [effect["amount"] for effect in dialler.effects("credit")] == ["20.00"]
    assert Mail.objects.filter(template="account_ready", state=Mail.State.SENT).count() == 1
    assert not Job.objects.exclude(state=Job.State.DONE).exists()


def requested(dialler: Simulator, method: str) -> bool:
    return any(each["method"] == method for each in dialler.log()["requests"])


def begin(clock: Clock) -> Account:
    account = ordered("business", at=clock.now())
    with transaction.atomic():
        ring(tasks.run_account, account.pk)
    return account


def test_killed_before_the_call(shop: Simulator, worker: Worker, clock: Clock) -> None:
    """It has claimed the job and is still reading; no command has left."""
    shop.faults.add("Client_Get", times=1, answer="hang:3", apply="no")
    account = begin(clock)
    wait_until(lambda: requested(shop, "Client_Get"), what="the worker looks first")
    worker.kill()
    assert not requested(shop, "Client_Create")
    assert Job.objects.filter(state=Job.State.RUNNING).count() == 1
    heals(account, shop, clock)


@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.parametrize("applied", ["yes", "no"])
def test_killed_while_the_answer_is_on_its_way(
    shop: Simulator, worker: Worker, clock: Clock, kind: Job.Kind, applied: str
) -> None:
    shop.faults.add(METHODS[kind], times=1, answer="hang:3", apply=applied)
    account = begin(clock)
    wait_until(lambda: requested(shop, METHODS[kind]), what="the command has arrived")
    worker.kill()
    assert Attempt.objects.get(job__kind=kind).outcome == Attempt.Outcome.SENT
    heals(account, shop, clock)


@pytest.mark.parametrize("kind", METHODS)
def test_killed_after_the_effect_and_before_our_commit(
    shop: Simulator, worker: Worker, clock: Clock, kind: Job.Kind
) -> None:
    """The answer has come, but the worker cannot write it down: the account's row is held."""
    shop.faults.add(METHODS[kind], times=1, answer="hang:0.3", apply="yes")
    account = begin(clock)
    wait_until(lambda: requested(shop, METHODS[kind]), what="the command has arrived")
    with transaction.atomic():
        Account.objects.select_for_update().get(pk=account.pk)
        wait_until(waits_for_a_lock, what="the worker wants to commit its answer")
        worker.kill()
    assert Attempt.objects.get(job__kind=kind).outcome == Attempt.Outcome.SENT
    heals(account, shop, clock)


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone() is not None
