"""The doorbell: heard by a worker, and never in the way of anybody."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from time import monotonic

import pytest
import redis
from django.conf import settings
from django.db import transaction
from pytest_django.fixtures import Settings

from packages import doorbell
from provisioning.tasks import run_account


@pytest.fixture(autouse=True)
def not_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbell, "_silent_until", 0.0)


@pytest.fixture
def hanging_broker(settings: Settings) -> Iterator[None]:
    """A broker that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        yield


@pytest.mark.django_db(transaction=True)
def test_a_ring_is_a_message_with_nothing_but_the_row(transactional_db: None) -> None:
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.delete("provisioning")
    with transaction.atomic():
        doorbell.ring(run_account, 4711)
        assert client.llen("provisioning") == 0
    assert client.llen("provisioning") == 1
    message = json.loads(client.lindex("provisioning", 0) or b"")
    arguments, options, _ = json.loads(base64.b64decode(message["body"]))
    assert (arguments, options) == ([4711], {})
    client.delete("provisioning")
    client.close()


@pytest.mark.django_db(transaction=True)
def test_a_hanging_broker_costs_a_second_once(hanging_broker: None) -> None:
    begun = monotonic()
    with transaction.atomic():
        for row in range(20):
            doorbell.ring(run_account, row)
    assert monotonic() - begun < 3


@pytest.mark.django_db(transaction=True)
def test_in_a_storm_the_doorbell_rings_some_times_and_the_sweep_does_the_rest(
    transactional_db: None,
) -> None:
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.delete("provisioning")
    begun = monotonic()
    for row in range(40):
        doorbell.ring(run_account, row, most_a_second=3)
    rung = client.llen("provisioning")
    assert 3 <= rung <= 3 * (monotonic() - begun + 2)
    client.delete("provisioning")
    client.close()
