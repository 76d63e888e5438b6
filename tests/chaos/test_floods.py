"""Too much at the webhooks' door, or too slowly: gunicorn as in production, over HTTP."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from django.utils import timezone

from billing.models import GatewayEvent
from billing.webhooks import BODY_SECONDS
from packages.patience import LOOK_SECONDS
from tests import world
from tests.bench import load
from tests.bench.flood import flooded, look
from tests.bench.sending import PATH
from tests.bench.serving import THREADS, WORKERS, gunicorn

# Both wait for real processes, by real time.
pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

# One for each thread, so that nobody else is served until they are given up.
SLOW = WORKERS * THREADS
# A worker may get more of them than it has threads, and a busy machine is no failure.
SPARE_SECONDS = 20


@pytest.fixture
def port() -> Iterator[int]:
    world.settle_in("http://127.0.0.1:9", at=timezone.now())
    with gunicorn("config.wsgi") as port:
        look(port, seconds=0.5)
        yield port


def test_bodies_that_come_slowly_are_given_up_and_pages_go_on(port: int) -> None:
    head = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n".encode()
    lines = [socket.create_connection((load.HOST, port), 30) for _ in range(SLOW)]
    for line in lines:
        line.sendall(head)
    ended = threading.Event()
    trickling = threading.Thread(target=_trickle, args=(lines, ended))
    trickling.start()
    try:
        begun = time.monotonic()
        assert set(look(port, seconds=0).answers) == {200}
        waited = time.monotonic() - begun
        assert [line.recv(12)[9:] for line in lines] == [b"400"] * SLOW
    finally:
        ended.set()
        trickling.join()
        for line in lines:
            line.close()
    assert waited < BODY_SECONDS + LOOK_SECONDS + SPARE_SECONDS
    assert not GatewayEvent.objects.exists()


def _trickle(lines: list[socket.socket], ended: threading.Event) -> None:
    """Send a byte now and then, so that no read ever waits for long."""
    while not ended.wait(0.2):
        for line in lines:
            try:
                line.sendall(b"x")
            except OSError:
                continue


def test_a_flood_of_forged_events_leaves_nothing_while_pages_are_answered(port: int) -> None:
    """What pages feel of it is measured where nothing else runs, by `make bench`."""
    meanwhile, came = flooded(port, seconds=5)
    assert set(came.statuses) == {400}
    assert set(meanwhile.answers) == {200}
    assert not GatewayEvent.objects.exists()
