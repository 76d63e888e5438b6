"""Real workers and beats, and what ends, stops or cuts them or their servers."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import redis
from django.db import Error, connection, transaction
from pytest_django import DjangoDbBlocker

from billing.models import Mail
from packages.doorbell import ring
from provisioning import tasks
from provisioning.models import Account, Attempt, Heartbeat, Job, Server
from provisioning.simulator.simulator import Simulator
from tests import snapshots, world
from tests.billing import smtp
from tests.chaos import judging, report, town
from tests.chaos.town import Hole, Process, Town
from tests.processes import wait_until
from tests.provisioning.conftest import ordered

# Each waits for real processes, by real time.
pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

CREATE, CREDIT = "Client_Create", "Client_Payment_Create"
HEALED_WITHIN_SECONDS = 120
VALKEY_COSTS_SECONDS = 60
SOAK_SECONDS, SOAK_ACCOUNTS = 180, 40


@pytest.fixture(scope="module")
def built_town(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Town]:
    with django_db_blocker.unblock(), town.built() as found:
        yield found


@pytest.fixture
def here(
    built_town: Town, dialler: Simulator, django_db_blocker: DjangoDbBlocker
) -> Iterator[Town]:
    """The town with an open shop, by the real time; nobody works in it yet."""
    with django_db_blocker.unblock():
        snapshots.wipe()
        world.settle_in(dialler.url, at=datetime.now(UTC))
        Server.objects.update(
            connect_timeout_seconds=0.3, read_timeout_seconds=1.2, quiet_seconds=1,
            read_gap_seconds=0.5,
        )  # fmt: skip
        redis.Redis.from_url(built_town.valkey.url).flushall()
        yield built_town
        built_town.end_all()


def begin(count: int = 1) -> list[Account]:
    """Let so many customers order and pay, and ring for a worker."""
    found = []
    for number in range(count):
        account = ordered("business", at=datetime.now(UTC), email=f"c{number}@example.com")
        with transaction.atomic():
            ring(tasks.run_account, account.pk)
        found.append(account)
    return found


def asked(dialler: Simulator, method: str) -> Callable[[], bool]:
    return lambda: any(each["method"] == method for each in dialler.log()["requests"])


def over() -> bool:
    """Say whether nothing waits for a machine any more."""
    try:
        return not list(judging.unfinished())
    except Error:
        connection.close()
        return False


def heals(dialler: Simulator, name: str) -> None:
    """Wait until everything is over; then it must be there once."""
    begun = time.monotonic()
    try:
        wait_until(over, seconds=HEALED_WITHIN_SECONDS, what=name)
    except AssertionError as error:
        left = list(judging.unfinished())
        report.note("trouble", name=name, seconds=None, problems=left, parked=judging.parked())
        raise AssertionError(left) from error
    with smtp.serving() as nobody:
        found = judging.problems(dialler, nobody)
    seconds = time.monotonic() - begun
    report.note("trouble", name=name, seconds=seconds, problems=found, parked=judging.parked())
    assert found == []


def is_complete(dialler: Simulator) -> None:
    assert not Job.objects.exclude(state=Job.State.DONE).exists()
    assert [each["amount"] for each in dialler.effects("credit")] == ["20.00"]
    assert Mail.objects.filter(template="account_ready").count() == 1


def test_a_worker_that_stands_still_in_a_call_wakes_to_find_the_work_done(
    here: Town, dialler: Simulator
) -> None:
    dialler.faults.add(CREDIT, answer="hang:0.7", apply="yes")
    zombie = here.worker()
    begin()
    wait_until(asked(dialler, CREDIT), what="the command has arrived")
    zombie.send(signal.SIGSTOP)
    here.worker()
    heals(dialler, "a worker stands still in a call, and wakes")
    zombie.send(signal.SIGCONT)
    zombie.ends()
    is_complete(dialler)


def test_the_database_ends_in_a_call(here: Town, dialler: Simulator) -> None:
    dialler.faults.add(CREDIT, answer="hang:0.7", apply="yes")
    here.worker()
    begin()
    wait_until(asked(dialler, CREDIT), what="the command has arrived")
    here.end_postgres()
    heals(dialler, "PostgreSQL crashes in a call")
    is_complete(dialler)
    assert Attempt.objects.filter(job__kind=Job.Kind.CREDIT).count() == 1


def test_a_worker_that_hears_no_message_any_more_does_the_work_by_its_own_clock(
    here: Town, dialler: Simulator
) -> None:
    hole = Hole(here.valkey.port)
    here.worker(REDIS_URL=town.through(here.valkey.url, hole))
    hole.close()
    begin()
    heals(dialler, "a worker hears no message any more")
    is_complete(dialler)
    hole.end()


def test_a_worker_that_is_told_to_end_finishes_its_call(here: Town, dialler: Simulator) -> None:
    dialler.faults.add(CREATE, answer="hang:0.7", apply="yes")
    worker = here.worker()
    begin()
    wait_until(asked(dialler, CREATE), what="the command has arrived")
    assert worker.ends() == 0
    assert Attempt.objects.get(job__kind=Job.Kind.CREATE).outcome == Attempt.Outcome.DONE
    here.worker()
    heals(dialler, "a worker is told to end in a call")
    is_complete(dialler)


def test_two_beats_are_as_good_as_one(here: Town, dialler: Simulator) -> None:
    here.worker()
    for _ in range(2):
        here.beat()
    begin()
    heals(dialler, "two beats")
    is_complete(dialler)


@pytest.mark.parametrize("what", ["forgets", "restarts", "is away"])
def test_valkey_costs_less_than_a_minute(here: Town, dialler: Simulator, what: str) -> None:
    """By the product's own intervals; whoever paid before has what they paid for in that time."""
    here.worker(app=town.AS_IT_IS)
    here.beat(app=town.AS_IT_IS)
    beat = Heartbeat.objects.filter(process="beat")
    wait_until(beat.exists, seconds=60, what="beat reaches the worker")
    if what == "is away":
        here.valkey.stop()
    begin(3)
    begun = time.monotonic()
    if what == "forgets":
        redis.Redis.from_url(here.valkey.url).flushall()
    elif what == "restarts":
        restart_the_broker(here, dialler, [], [])
    try:
        heals(dialler, f"Valkey {what}")
    finally:
        if what == "is away":
            here.valkey.start()
    assert time.monotonic() - begun <= VALKEY_COSTS_SECONDS
    assert Account.objects.filter(state=Account.State.LIVE).count() == 3


def test_everything_at_once(here: Town, dialler: Simulator) -> None:
    """Customers order while processes and servers end, stand still and forget."""
    dice = random.Random(report.SEED)
    workers = [here.worker()]
    stopped: list[Process] = []
    begin(SOAK_ACCOUNTS)
    until = time.monotonic() + SOAK_SECONDS
    while time.monotonic() < until:
        dice.choice(TROUBLES)(here, dialler, workers, stopped)
    for each in stopped:
        each.send(signal.SIGCONT)
    dialler.faults.clear()
    here.worker()
    heals(dialler, f"everything at once, for {SOAK_SECONDS} s")
    assert Account.objects.filter(state=Account.State.LIVE).count() >= SOAK_ACCOUNTS // 2


Trouble = Callable[[Town, Simulator, list[Process], list[Process]], None]


def kill_a_worker(here: Town, _: Simulator, workers: list[Process], __: list[Process]) -> None:
    workers.pop(0).kill()
    workers.append(here.worker())


def stop_a_worker(here: Town, _: Simulator, workers: list[Process], stopped: list[Process]) -> None:
    workers[0].send(signal.SIGSTOP)
    stopped.append(workers.pop(0))
    workers.append(here.worker())


def wake_a_worker(_: Town, __: Simulator, workers: list[Process], stopped: list[Process]) -> None:
    if stopped:
        stopped[0].send(signal.SIGCONT)
        workers.append(stopped.pop(0))


def crash_the_database(here: Town, _: Simulator, __: list[Process], ___: list[Process]) -> None:
    here.end_postgres()


def forget_all_messages(here: Town, _: Simulator, __: list[Process], ___: list[Process]) -> None:
    redis.Redis.from_url(here.valkey.url).flushall()


def restart_the_broker(here: Town, _: Simulator, __: list[Process], ___: list[Process]) -> None:
    here.valkey.stop()
    here.valkey.start()


def lose_answers(_: Town, dialler: Simulator, __: list[Process], ___: list[Process]) -> None:
    for answer in ("500", "reset_after", "html"):
        dialler.faults.add("mutating", answer=answer, apply="yes")


TROUBLES: tuple[Trouble, ...] = (
    kill_a_worker,
    stop_a_worker,
    wake_a_worker,
    crash_the_database,
    forget_all_messages,
    restart_the_broker,
    lose_answers,
)
