"""A clock beside every worker: shows that it lives, and does what is due while nobody rings.

So whatever the broker loses costs less than a minute, also what beat rings for once an hour.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from celery.signals import worker_init, worker_ready, worker_shutdown
from django.db import Error, close_old_connections, connection
from django.utils import timezone

from config.watcher import note_life
from packages.sweeping import each

log = structlog.get_logger()

TICK_SECONDS = 5.0
# Beat's sign of life goes through the broker; when it is this old, nobody rings any more.
DEAF_AFTER = timedelta(seconds=25)
# An entry of beat that shows no life for so much longer than its interval is rung for again.
LATE_AFTER = timedelta(seconds=20)
_ready, _stop = threading.Event(), threading.Event()
_started_at = datetime.min.replace(tzinfo=UTC)
_rung: dict[str, datetime] = {}


@worker_init.connect
def start(**_: Any) -> None:
    global _started_at
    _started_at = timezone.now()
    threading.Thread(target=_run, name="ticker", daemon=True).start()


@worker_ready.connect
def tick_at_once(**_: Any) -> None:
    """Let the thread tick; here the worker is about to take its first task."""
    _ready.set()


@worker_shutdown.connect
def stop(**_: Any) -> None:
    _stop.set()


def _run() -> None:
    # Without a broker a worker is never ready.
    _ready.wait(TICK_SECONDS)
    while not _stop.is_set():
        _try()
        _stop.wait(TICK_SECONDS)


def _try() -> None:
    try:
        close_old_connections()
        tick()
    except Error as error:
        log.warning("ticker.database", error=type(error).__name__)
        connection.close()
    # The edge of a thread: whatever it was is logged, and the next tick tries again.
    except Exception:  # noqa: BLE001
        log.exception("ticker.fault")


def tick() -> None:
    """Write this worker's heartbeats; with beat or the broker away, do here what waits, else ring
    for what was lost.
    """
    from provisioning.models import Heartbeat

    at = timezone.now()
    for name in _names():
        Heartbeat.show(name, at=at)
    seen = dict(Heartbeat.objects.values_list("process", "at"))
    # Whoever has just come has had no time to hear from beat.
    if "beat" not in seen or max(seen["beat"], _started_at) < at - DEAF_AFTER:
        sweep()
    else:
        ring_again(seen, at=at)


def _names() -> list[str]:
    """Return as whom this process works, by the queues that it takes from."""
    from config.celery import app
    from provisioning.models import Heartbeat

    taken = app.amqp.queues.consume_from
    return [name for queue, name in Heartbeat.WORKERS.items() if queue in taken]


def ring_again(seen: Mapping[str, datetime], *, at: datetime) -> None:
    """Ring for the entries of beat whose message was lost, by the signs of life that were `seen`.

    Once in an entry's interval: one that fails, or takes long, shows no life either.
    """
    from config.celery import BEAT, app

    for name, entry in BEAT.items():
        signs = [each[name] for each in (seen, _rung) if name in each]
        patience = timedelta(seconds=entry["schedule"]) + LATE_AFTER
        if name != "beat_heartbeat" and (not signs or max(signs) + patience < at):
            app.send_task(entry["task"], **entry["options"])
            _rung[name] = at


def sweep() -> None:
    """Do everything that waits, in this process, without a broker."""
    from billing import tasks as billing
    from provisioning import tasks as provisioning

    # By the names of their entries in beat's table, so that each shows its life here as well.
    steps: dict[str, Callable[[], None]] = {
        "sweep_events": billing.sweep_events,
        "sweep_payments": billing.sweep_payments,
        "sweep_refunds": billing.sweep_refunds,
        "sweep_methods": billing.sweep_methods,
        "sweep_statements": billing.sweep_statements,
        "sweep_jobs": _do_jobs,
        "bill_due": billing.bill_due,
        "watch_balances": billing.watch_balances,
        "sweep_data_exports": billing.sweep_data_exports,
        "sweep_mails": billing.sweep_mails,
        "check_servers": lambda: each(provisioning.servers_to_check(), provisioning.check_server),
        "sweep_readings": lambda: each(provisioning.servers_to_read(), provisioning.read_server),
        "weigh_readings": billing.weigh_readings,
        "sweep_audits": lambda: each(provisioning.audits_due(), provisioning.audit),
        "sweep_vat_ids": billing.sweep_vat_ids,
        "check_invariants": billing.check_invariants,
    }

    def do(name: str) -> None:
        steps[name]()
        note_life(name)

    each(steps, do)


def _do_jobs() -> None:
    """Do what sweep_jobs would ring for: due jobs, servers to try again, and surveys."""
    from provisioning import tasks as provisioning

    each(provisioning.accounts_due(), provisioning.run_account)
    each(provisioning.servers_to_probe(), provisioning.probe_server)
    each(provisioning.surveys_due(), provisioning.run_survey)
