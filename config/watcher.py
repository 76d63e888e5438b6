"""A clock beside every worker and beat: finds what is wrong, and tells the operator.

It needs the database alone. A thread of its own, so that a mail server that hangs delays no sign of
life. When all of them are dead nobody tells: let monitoring read /healthz.
"""

import threading
from datetime import datetime, timedelta
from typing import Any

import structlog
from celery.signals import beat_init, task_success, worker_init, worker_shutdown
from django.db import Error, close_old_connections, connection
from django.utils import timezone

log = structlog.get_logger()

LOOK_SECONDS = 10.0
_stop = threading.Event()


def limits(beat: dict[str, dict[str, Any]]) -> dict[str, timedelta]:
    """Return how long each process and entry of beat may show no sign of life.

    Thinning old readings is of no consequence; everything else is rung for within minutes.
    """
    from provisioning.models import Heartbeat

    swept = {
        name: timedelta(seconds=max(300.0, 3 * entry["schedule"]))
        for name, entry in beat.items()
        if name not in ("thin_readings", "beat_heartbeat")
    }
    workers = dict.fromkeys(Heartbeat.WORKERS.values(), timedelta(minutes=1))
    return {**workers, "beat": timedelta(minutes=2), **swept}


@worker_init.connect
@beat_init.connect
def start(**_: Any) -> None:
    since = timezone.now()
    threading.Thread(target=_run, args=(since,), name="watcher", daemon=True).start()


@worker_shutdown.connect
def stop(**_: Any) -> None:
    _stop.set()


@task_success.connect
def show_life(sender: Any = None, **_: Any) -> None:
    """A sweep has ended well: that is its sign of life."""
    from config.celery import BEAT

    for name, entry in BEAT.items():
        if sender is not None and entry["task"] == sender.name and name != "beat_heartbeat":
            note_life(name)


def note_life(name: str) -> None:
    """Write that the entry of beat has just done its work, whoever did it."""
    from provisioning.models import Heartbeat

    Heartbeat.show(name, at=timezone.now())


def look(since: datetime) -> None:
    """Find what is wrong if it is our turn, and send what waits to be told.

    Signs of life are missed from `since` on, when this process began to watch.
    """
    from billing import alert_posts, alerts
    from config.celery import BEAT
    from packages import clock

    alerts.watch(limits(BEAT), since=since, at=clock.now(), now=timezone.now())
    alert_posts.send_waiting(at=clock.now(), now=timezone.now())


def _run(since: datetime) -> None:
    while not _stop.wait(LOOK_SECONDS):
        try:
            close_old_connections()
            look(since)
        except Error as error:
            log.warning("watcher.database", error=type(error).__name__)
            connection.close()
        # The edge of a thread: whatever it was is logged, and the next look tries again.
        except Exception:  # noqa: BLE001
            log.exception("watcher.fault")
