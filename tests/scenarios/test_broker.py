"""The broker forgets everything, or is away: it costs seconds, never money."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import redis

from billing.models import GatewayEvent, Mail, Payment
from config.local.valkey import Valkey
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
