"""Ring for a worker after commit. The row is the queue, so a lost ring costs time, never work."""

import os
from collections.abc import Sequence
from functools import lru_cache
from time import monotonic
from typing import Any

import structlog
from celery import Task
from django.conf import settings
from django.db import transaction
from kombu import Connection
from kombu.exceptions import OperationalError
from kombu.pools import ProducerPool

log = structlog.get_logger()

# A broker that hangs must not hold up a page: one second, then silence for a while.
PATIENCE_SECONDS = 1
SILENCE_SECONDS = 5
FEW = 20
_silent_until = monotonic()
_rung: dict[str, tuple[int, int]] = {}


def ring(task: Task[[int], Any], row_id: int, *, most_a_second: int | None = None) -> None:
    """Once the open transaction commits, tell a worker that the row waits; never raises.

    Without a broker the sweep finds the row: this gives up after about a second, and does not
    even try again for the next five. With `most_a_second` this process rings no more often for
    such rows, and leaves the rest of a storm to the sweep.
    """
    if most_a_second is None or _counted(task.name) <= most_a_second:
        transaction.on_commit(lambda: _publish(task, row_id), robust=True)


def _counted(name: str) -> int:
    """How often it was to be rung in this second, this time included."""
    second = int(monotonic())
    before, count = _rung.get(name, (second, 0))
    _rung[name] = (second, count + 1 if before == second else 1)
    return _rung[name][1]


def ring_each(task: Task[[int], Any], row_ids: Sequence[int]) -> None:
    """Ring for each of a few rows. Many are left to the sweep: to ring for all takes longer than
    to write them.
    """
    for row_id in row_ids if len(row_ids) <= FEW else ():
        ring(task, row_id)


def _publish(task: Task[[int], Any], row_id: int) -> None:
    global _silent_until
    if monotonic() < _silent_until:
        return
    try:
        with _producers(os.getpid(), settings.CELERY_BROKER_URL).acquire(block=True) as producer:
            task.apply_async((row_id,), producer=producer, retry=False)
    except (OperationalError, OSError) as error:
        _silent_until = monotonic() + SILENCE_SECONDS
        log.warning("doorbell.unheard", task=task.name, row=row_id, error=type(error).__name__)


@lru_cache(maxsize=2)
def _producers(process_id: int, url: str) -> ProducerPool:
    """Return this process's own connections; a forked child must not share its parent's."""
    impatient = {"socket_timeout": PATIENCE_SECONDS, "socket_connect_timeout": PATIENCE_SECONDS}
    options = {**settings.CELERY_BROKER_TRANSPORT_OPTIONS, **impatient}
    connections = Connection(url, transport_options=options).Pool(limit=10)
    return ProducerPool(connections, limit=10)
