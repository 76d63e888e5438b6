"""The broker forgets everything, or is away: it costs seconds, never money."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event
from typing import cast

import pytest
import redis
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from kombu.simple import SimpleQueue

from billing.models import GatewayEvent, Mail, Payment
from config import celery, ticker
from config.broker import Channel
from config.local.valkey import Valkey
from provisioning.models import Heartbeat
from provisioning.simulator.simulator import Simulator
from tests.clock import Clock
from tests.processes import Worker, wait_until
from tests.story import Customer, Gateway, everything_is_there_once

LIMIT_SECONDS = 60


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Real time, since the worker's process knows no other."""
    with Clock.at(datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")) as clock:
        yield clock


@pytest.fixture
def rung(broker: Valkey, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Counter[str]]]:
    """Return which tasks a worker would find at the broker; it takes them."""
    monkeypatch.setattr(ticker, "_rung", {})
    client = redis.Redis.from_url(broker.url)

    def take() -> Counter[str]:
        queues = ("default", "provisioning", "mail")
        messages = [each for name in queues for each in client.lrange(name, 0, -1)]
        client.flushall()
        return Counter(json.loads(each)["headers"]["task"] for each in messages)

    with celery.app.connection_for_write(broker.url) as connection:
        send = partial(celery.app.send_task, connection=connection)
        monkeypatch.setattr(celery.app, "send_task", send)
        yield take
    client.close()


@pytest.mark.django_db
def test_a_lost_message_of_beat_is_rung_for_again_within_a_minute(
    rung: Callable[[], Counter[str]],
) -> None:
    now = datetime.now(UTC)
    for name, entry in celery.BEAT.items():
        due = now - timedelta(seconds=entry["schedule"])
        Heartbeat.objects.create(process=name, at=due - timedelta(seconds=10))
    Heartbeat.objects.create(process="beat", at=now)
    ticker.tick()
    assert rung() == Counter(), "Ten seconds late is nothing."
    late = timedelta(seconds=LIMIT_SECONDS - 10 - ticker.TICK_SECONDS)
    Heartbeat.objects.exclude(process__in=("beat", "worker")).update(at=F("at") - late)
    ticker.tick()
    assert rung() == Counter(
        entry["task"] for name, entry in celery.BEAT.items() if name != "beat_heartbeat"
    )
    ticker.tick()
    assert rung() == Counter(), "Once in an interval."
    longest = ticker.DEAF_AFTER + timedelta(seconds=ticker.TICK_SECONDS)
    assert longest < timedelta(seconds=LIMIT_SECONDS), "Without beat the worker sweeps by itself."


@pytest.mark.django_db
def test_a_worker_does_not_sweep_before_it_has_had_the_time_to_hear_from_beat(
    rung: Callable[[], Counter[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    now, swept = datetime.now(UTC), Counter[str]()
    monkeypatch.setattr(ticker, "sweep", lambda: swept.update(["sweep"]))
    Heartbeat.objects.create(process="beat", at=now - timedelta(days=3))
    monkeypatch.setattr(ticker, "_started_at", now)
    ticker.tick()
    assert not swept, "After three days of silence everything starts at once, beat as well."
    monkeypatch.setattr(ticker, "_started_at", now - ticker.DEAF_AFTER)
    ticker.tick()
    assert swept


@pytest.mark.django_db(transaction=True)
def test_a_sign_of_life_holds_no_row_that_others_write(transactional_db: None) -> None:
    """A process may stand still after any of its statements."""
    Heartbeat.show("worker", at=datetime.now(UTC) - timedelta(days=1))
    now = datetime.now(UTC)
    with CaptureQueriesContext(connection) as captured:
        Heartbeat.show("worker", at=now)
    assert [each["sql"].split()[0] for each in captured] == ["UPDATE"]
    assert Heartbeat.objects.get().at == now


def test_a_worker_that_is_ready_takes_tasks_while_the_ticker_sweeps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What waits after an outage may take minutes."""
    begun, sweeps, stop = Event(), Event(), Event()

    def tick() -> None:
        begun.set()
        assert sweeps.wait(timeout=10)
        stop.set()

    monkeypatch.setattr(ticker, "tick", tick)
    monkeypatch.setattr(ticker, "_ready", Event())
    monkeypatch.setattr(ticker, "_stop", stop)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(ticker._run)
        ticker.tick_at_once()
        assert begun.wait(timeout=ticker.TICK_SECONDS), "It does not wait for its first turn."
        sweeps.set()
        running.result(timeout=10)


def test_a_message_whose_connection_is_gone_says_so_in_terms_that_a_worker_survives(
    broker: Valkey,
) -> None:
    """The one channel's failure to close leaves the other one without its connection's client."""
    connection = celery.app.connection_for_write(broker.url)
    channels = [cast(Channel, connection.channel()) for _ in range(2)]
    for channel in channels:
        SimpleQueue(channel, "tasks").put({})
        SimpleQueue(channel, "tasks").get(timeout=5)
    broker.stop()
    connection.collect()
    for channel in channels:
        with suppress(*connection.connection_errors):
            channel.close()
        with pytest.raises(connection.connection_errors):
            channel.qos.restore_unacked()
        channel.do_restore = False  # when Python ends


def mailed() -> bool:
    return Mail.objects.filter(template="account_ready", state=Mail.State.SENT).exists()


def test_the_broker_forgets_everything_between_payment_and_provisioning(
    broker: Valkey, customer: Customer, gateway: Gateway, shop: Simulator
) -> None:
    customer.registers()
    customer.chooses("business")
    customer.orders()
    gateway.pays(Payment.objects.get())
    wait_until(GatewayEvent.objects.exists, what="the webhook")
    client = redis.Redis.from_url(broker.url)
    client.flushall()
    client.close()
    worker = Worker()
    try:
        wait_until(mailed, seconds=LIMIT_SECONDS, what="the login is mailed")
    finally:
        worker.stop()
    everything_is_there_once(shop)


def test_the_broker_stops_between_payment_and_provisioning(
    broker: Valkey, customer: Customer, gateway: Gateway, shop: Simulator
) -> None:
    worker = Worker()
    try:
        customer.registers()
        customer.chooses("business")
        customer.orders()
        broker.stop()
        gateway.pays(Payment.objects.get())
        wait_until(mailed, seconds=LIMIT_SECONDS, what="the login is mailed without a broker")
        assert set(gateway.answers()) == {200}
    finally:
        worker.stop()
    everything_is_there_once(shop)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("queues", "names"),
    [
        (["default", "mail"], {"worker"}),
        (["provisioning"], {"dialler-worker"}),
        (["default", "mail", "provisioning"], {"worker", "dialler-worker"}),
    ],
)
def test_a_worker_shows_the_life_of_what_it_takes_from(
    rung: Callable[[], Counter[str]],
    monkeypatch: pytest.MonkeyPatch,
    queues: list[str],
    names: set[str],
) -> None:
    now = datetime.now(UTC)
    for name in (*celery.BEAT, "beat"):
        Heartbeat.objects.create(process=name, at=now)
    monkeypatch.setattr(celery.app.amqp.queues, "_consume_from", dict.fromkeys(queues))
    ticker.tick()
    shown = set(Heartbeat.objects.values_list("process", flat=True))
    assert shown - {*celery.BEAT, "beat"} == names
