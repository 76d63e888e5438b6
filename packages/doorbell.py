"""Ring for a worker after commit. The row is the queue, so a lost ring costs time, never work."""

from typing import Any

import structlog
from celery import Task
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger()


def ring(task: Task[[int], Any], row_id: int) -> None:
    """Once the open transaction commits, tell a worker that the row waits; never raises.

    Without a broker the sweep finds the row: the publish gives up within about a second
    (`broker_transport_options` in the settings) and is only logged.
    """
    transaction.on_commit(lambda: _publish(task, row_id), robust=True)


def _publish(task: Task[[int], Any], row_id: int) -> None:
    try:
        task.apply_async((row_id,), retry=False)
    except (OperationalError, OSError) as error:
        log.warning("doorbell.unheard", task=task.name, row=row_id, error=type(error).__name__)
