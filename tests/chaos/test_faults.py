"""Single faults of the table in docs/faults.md that have no test elsewhere."""

from __future__ import annotations

import time

import pytest
import redis
from django.db import InternalError, OperationalError, connection, transaction
from django.test import Client
from pytest_django.fixtures import Settings

from billing.models import Mail
from config.local.valkey import Valkey
from packages.doorbell import ring
from provisioning import circuits, jobs, tasks
from provisioning.models import Account, Attempt, Job
from provisioning.simulator.simulator import Simulator
from tests.clock import Clock
from tests.guards.connections import beside, together
from tests.processes import wait_until
from tests.provisioning.conftest import opened, ordered, topped_up

NOBODY = "redis://127.0.0.1:9/0"
# Pages and webhooks must not feel a broker that is away; a loaded machine is given some room.
AT_MOST_SECONDS = 3


@pytest.fixture
def account(shop: Simulator, clock: Clock) -> Account:
    return ordered("business", at=clock.now())


@pytest.fixture
def live(account: Account, clock: Clock) -> Account:
    return opened(account, clock)


def credited(dialler: Simulator) -> list[str]:
    return [effect["amount"] for effect in dialler.effects("credit")]


def test_ten_messages_at_once_do_a_thing_once(live: Account, shop: Simulator, clock: Clock) -> None:
    topped_up(live, at=clock.now())
    together(lambda _: tasks.run_account(live.pk), 10)
    clock.pass_by(minutes=3)
    assert credited(shop) == ["20.00", "25.00"]
    assert not Job.objects.exclude(state=Job.State.DONE).exists()


def test_any_number_of_sweeps_at_once_does_a_thing_once(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    """What five beats ring for comes to this."""
    topped_up(live, at=clock.now())
    together(lambda _: clock.work(), 5)
    clock.pass_by(minutes=3)
    assert credited(shop) == ["20.00", "25.00"]
    assert Mail.objects.filter(template="topped_up").count() == 1


def test_a_deadlock_costs_time_and_nothing_else(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    """A worker that the database picks as the victim, or that waits in vain, comes again."""
    topped_up(live, at=clock.now())
    with beside() as other:
        other.execute("SELECT 1 FROM provisioning_account WHERE id = %s FOR UPDATE", [live.pk])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = 150")
        with pytest.raises(OperationalError):
            tasks.run_account(live.pk)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 5000")
    assert credited(shop) == ["20.00"]
    clock.work()
    assert credited(shop) == ["20.00", "25.00"]


def test_a_full_broker_loses_no_work(
    broker: Valkey, live: Account, shop: Simulator, clock: Clock
) -> None:
    """It takes no message any more; the row that it should tell of is committed all the same."""
    client = redis.Redis.from_url(broker.url)
    client.config_set("maxmemory", 1)
    client.close()
    begun = time.monotonic()
    topped_up(live, at=clock.now())
    with transaction.atomic():
        ring(tasks.run_account, live.pk)
    assert time.monotonic() - begun < AT_MOST_SECONDS
    clock.work()
    assert credited(shop) == ["20.00", "25.00"]


def test_pages_and_webhooks_go_on_without_a_broker(
    settings: Settings, shop: Simulator, clock: Clock
) -> None:
    settings.REDIS_URL = settings.CELERY_BROKER_URL = NOBODY
    begun = time.monotonic()
    assert Client().get("/packages/business/").status_code == 200
    assert Client().get("/accounts/login/").status_code == 200
    account = ordered("business", at=clock.now())
    assert time.monotonic() - begun < AT_MOST_SECONDS
    clock.work()
    account.refresh_from_db()
    assert account.state == Account.State.LIVE


def test_after_six_hours_without_a_dialler_the_backlog_is_done_in_order(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    shop.stop()
    with transaction.atomic():
        jobs.suspend(live, cause="one", at=clock.now(), actor="test")
        jobs.unsuspend(live, cause="two", at=clock.now(), actor="test")
    topped_up(live, at=clock.now())
    for _ in range(36):
        clock.advance(minutes=10)
    runs = Job.objects.get(cause="one").tries
    assert runs <= circuits.TROUBLES_IN_A_ROW
    shop.start_again()
    clock.pass_by(minutes=8)
    assert not Job.objects.exclude(state=Job.State.DONE).exists()
    verbs = [each["verb"] for each in shop.log()["effects"]]
    assert verbs[-3:] == ["suspend", "resume", "credit"]
    assert Attempt.objects.exclude(outcome=Attempt.Outcome.DONE).count() == 0


def test_an_account_that_somebody_deleted_at_the_dialler_is_left_to_staff(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    shop.reset()
    with transaction.atomic():
        (job,) = jobs.suspend(live, cause="test", at=clock.now(), actor="test")
    clock.work()
    job.refresh_from_db()
    assert job.state == Job.State.PARKED
    assert shop.log()["effects"] == []


def test_pages_answer_503_at_once_when_the_database_takes_no_connection(
    shop: Simulator,
) -> None:
    port = connection.settings_dict["PORT"]
    connection.close()
    connection.settings_dict["PORT"] = 1
    begun = time.monotonic()
    try:
        assert Client(raise_request_exception=False).get("/packages/").status_code == 503
    finally:
        connection.close()
        connection.settings_dict["PORT"] = port
    assert time.monotonic() - begun < AT_MOST_SECONDS


def test_who_idles_in_a_transaction_is_shown_out_and_its_locks_are_free(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("1min",)
    topped_up(live, at=clock.now())
    with pytest.raises(InternalError), beside() as other:  # noqa: PT012 - it dies in between
        other.execute("SET LOCAL idle_in_transaction_session_timeout = 200")
        other.execute("SELECT 1 FROM provisioning_account WHERE id = %s FOR UPDATE", [live.pk])
        wait_until(lambda: not locked(live), what="the idle session ends")
        other.execute("SELECT 1")
    clock.work()
    assert credited(shop) == ["20.00", "25.00"]


def locked(account: Account) -> bool:
    with transaction.atomic():
        rows = Account.objects.select_for_update(skip_locked=True)
        return not rows.filter(pk=account.pk).exists()
