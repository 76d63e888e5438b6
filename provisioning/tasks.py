"""Doorbells and sweeps. A task carries a row's id, reads the clock, and makes one call."""

import os
import socket
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from celery import shared_task
from django.db.models import Exists, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from packages import clock
from packages.doorbell import ring
from packages.sweeping import written_once
from provisioning import audits, circuits, crews, health, readings, runner, secrets, surveys
from provisioning.models import Heartbeat, Job, Server

BATCH = 500
# So many at most are looked for at one server.
FEW = 100
# A process that has a place at a server keeps it for so long while accounts wait for one: less than
# a worker is given to end, and short enough that what waits elsewhere gets its turn.
STAY_SECONDS = 15
NEXT_ACCOUNTS = 10
SWEEP_SECONDS = 15


# A ring that nobody has answered when the sweep rings again is one too many.
@shared_task(expires=SWEEP_SECONDS)
def run_account(account_id: int) -> None:
    """Do everything that is due for one account, then what else waits at its server.

    Where enough processes are there nothing is done: they come to this account.
    """
    leaves_at = time.monotonic() + STAY_SECONDS
    server = Server.objects.get(accounts=account_id)

    def waiting(limit: int) -> list[int]:
        return accounts_due(server.pk, limit=limit)

    with crews.joined(server, at=clock.now()) as hands:
        if hands:
            crews.stay(account_id, waiting, _run_all, hands=hands, until=leaves_at)
    if time.monotonic() >= leaves_at:
        for each in waiting(1):
            ring(run_account, each)


def _run_all(account_id: int) -> bool:
    """Do the account's jobs as long as one is due; return whether there was any."""
    worker = _worker()
    ran = False
    while runner.run_next(account_id, at=clock.now(), worker=worker):
        ran = True
    return ran


def _worker() -> str:
    return f"worker:{socket.gethostname()}:{os.getpid()}"


@shared_task
def sweep_jobs() -> None:
    """Ring for accounts with a due job or with one that a dead worker left, as many as their server
    bears at once; for servers that should be tried again; and for surveys.
    """
    secrets.destroy_expired(at=clock.now())
    for account_id in accounts_due():
        run_account.delay(account_id)
    for server_id in servers_to_probe():
        probe_server.delay(server_id)
    for survey_id in surveys_due():
        run_survey.delay(survey_id)


@shared_task
def run_survey(survey_id: int) -> None:
    """Make the steps of a survey that are left."""
    surveys.run(survey_id, at=clock.now(), worker=_worker())


@shared_task
def probe_server(server_id: int) -> None:
    """Try a server that is not asked; when it answers again, its jobs go on at once."""
    if health.probe(server_id, at=timezone.now()):
        for account_id in accounts_due(server_id, limit=NEXT_ACCOUNTS):
            ring(run_account, account_id)


@shared_task
def read_server(server_id: int) -> None:
    """Read balance and use of the accounts of one server that are due."""
    readings.read_server(server_id, at=clock.now())


@shared_task
def sweep_readings() -> None:
    """Ring for every server with accounts to read: each for itself, so that none waits for one
    that hangs.
    """
    for server_id in servers_to_read():
        read_server.delay(server_id)


@shared_task
def thin_readings() -> None:
    """Keep one reading a day of those that are old."""
    readings.thin(at=clock.now())


@shared_task
def check_server(server_id: int) -> None:
    """Test one dialler, for /healthz and the staff's list of servers."""
    health.check_server(server_id, at=timezone.now())


@shared_task
def audit(audit_id: int) -> None:
    """Give an audit its turn."""
    audits.turn(audit_id, at=clock.now())


@shared_task
def sweep_audits() -> None:
    """Begin the day's audits, and ring for those that are not finished, each for itself."""
    for audit_id in audits_due():
        audit.delay(audit_id)


@shared_task
def check_servers() -> None:
    """Ring for every server to test: each for itself, so that none waits for one that hangs."""
    for server_id in servers_to_check():
        check_server.delay(server_id)


@shared_task
def beat_heartbeat() -> None:
    """Show that beat reaches a worker."""
    Heartbeat.show("beat", at=timezone.now())


def servers_to_read() -> list[int]:
    """Return the ids of the servers with accounts to read."""
    return readings.due(at=clock.now())


def servers_to_check() -> list[int]:
    """Return the ids of the servers to test."""
    return health.to_check(at=timezone.now())


def surveys_due() -> list[int]:
    """Return the ids of the surveys that can go on."""
    return surveys.due(at=clock.now())


def servers_to_probe() -> list[int]:
    """Return the ids of the servers that are not asked, and should be tried now."""
    return circuits.due(at=timezone.now())


def audits_due() -> list[int]:
    """Insert the day's audits; return the ids of all that may have a turn."""
    at = clock.now()
    audits.begin_daily(at=at)
    return audits.waiting(at=at)


def accounts_due(server_id: int | None = None, *, limit: int = BATCH) -> list[int]:
    """Return the ids of the accounts (of one server) that can do something now, the longest waiting
    first and no more than their server bears at once; none of a server that is not asked at the
    moment.
    """
    if server_id is None:
        return _accounts_due(clock.now())[:limit]
    return _accounts_due_at(server_id, clock.now())[:limit]


def to_look_after(at: datetime) -> Sequence[QuerySet[Any]]:
    """Return the surveys, servers that are not asked, and jobs that may have to be looked after."""
    return [surveys.going_on(at), circuits.shut_out(), _due(at)]


def _due(at: datetime) -> QuerySet[Job]:
    """Return the jobs that can run, or go on, the longest waiting first."""
    due = Q(state=Job.State.WAITING, run_at__lte=at)
    left = Q(state=Job.State.RUNNING, claimed_until__lte=at)
    # Only the first of an account's jobs can run; what stands behind it must not fill the batch.
    asked = ~Q(account__server__in=circuits.shut_out().values("server_id"))
    return Job.objects.filter(~Exists(Job.ahead()), due | left, asked).order_by("run_at", "pk")


@written_once
def _accounts_due_at(server_id: int, at: datetime) -> QuerySet[Job, int]:
    there = _due(at).filter(account__server=server_id)
    return there.values_list("account_id", flat=True)[:FEW]


@written_once
def _accounts_due(at: datetime) -> QuerySet[Job, int]:
    there = Window(RowNumber(), partition_by="account__server", order_by=["run_at", "pk"])
    few = _due(at).annotate(there=there).filter(there__lte=F("account__server__runs_at_once"))
    return few.values_list("account_id", flat=True)[:BATCH]
