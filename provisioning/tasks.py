"""Doorbells and sweeps. A task carries a row's id, reads the clock, and makes one call."""

import os
import socket

from celery import shared_task
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from packages import clock
from provisioning import health, readings, runner, secrets
from provisioning.models import Heartbeat, Job

BATCH = 500


@shared_task
def run_account(account_id: int) -> None:
    """Do everything that is due for one account."""
    worker = f"worker:{socket.gethostname()}:{os.getpid()}"
    while runner.run_next(account_id, at=clock.now(), worker=worker):
        continue


@shared_task
def sweep_jobs() -> None:
    """Ring for every account with a due job or with one that a dead worker left."""
    secrets.destroy_expired(at=clock.now())
    for account_id in accounts_due():
        run_account.delay(account_id)


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
def check_servers() -> None:
    """Test the diallers, for /healthz and the staff's list of servers."""
    health.check_servers(at=timezone.now())


@shared_task
def beat_heartbeat() -> None:
    """Show that beat reaches a worker."""
    Heartbeat.objects.update_or_create(process="beat", defaults={"at": timezone.now()})


def servers_to_read() -> list[int]:
    """Return the ids of the servers with accounts to read."""
    return readings.due(at=clock.now())


def accounts_due() -> list[int]:
    """Return the ids of the accounts that can do something now, the longest waiting first."""
    at = clock.now()
    due = Q(state=Job.State.WAITING, run_at__lte=at)
    left = Q(state=Job.State.RUNNING, claimed_until__lte=at)
    earlier = Job.objects.filter(
        account=OuterRef("account"), seq__lt=OuterRef("seq"), state__in=Job.UNFINISHED
    )
    # Only the first of an account's jobs can run; what stands behind it must not fill the batch.
    first = Job.objects.filter(~Exists(earlier), due | left).order_by("run_at")
    return list(first.values_list("account_id", flat=True)[:BATCH])
