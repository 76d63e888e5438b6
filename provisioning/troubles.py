"""What is wrong at the diallers and with our own clockwork, as rows tell it. Reads only."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q
from django.urls import reverse

from packages.desk.cells import list_url, row_url
from provisioning import circuits, servers
from provisioning.models import Account, Drift, Heartbeat, Job, Server, UnknownAccount

# A due job starts within seconds; one that is tried again and again is late after an hour.
LATE_AFTER = timedelta(minutes=5)
TRIED_FOR = timedelta(hours=1)
# A server's test may fail once.
SILENT_FOR = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong now. `cause` names it: the same as long as it is the same thing.

    It is told when it has lasted for `patience`; `path` is where staff see it.
    """

    kind: str
    cause: str
    path: str
    facts: dict[str, Any] = field(default_factory=dict)
    patience: timedelta = timedelta()


def find(*, at: datetime) -> Iterator[Trouble]:
    """Yield what is wrong at the diallers."""
    yield from _parked()
    yield from _late(at)
    yield from _overdue(at)
    yield from _silent()
    yield from _drifting()
    yield from _strangers()


def missing(
    expected: Mapping[str, timedelta], *, since: datetime, now: datetime
) -> Iterator[Trouble]:
    """Yield the processes and sweeps that showed no sign of life for longer than expected.

    Both times are the machine's. Before `since` nobody watched, so nothing is late by then.
    """
    seen = dict(Heartbeat.objects.values_list("process", "at"))
    for process, limit in expected.items():
        last = seen.get(process, since)
        if now - max(last, since) > limit:
            facts = {"process": process, "minutes": int((now - last).total_seconds() // 60)}
            yield Trouble("heartbeat", f"heartbeat-{process}", reverse("admin:index"), facts)


def _parked() -> Iterator[Trouble]:
    """One for a server's first parked job, another when they are many."""
    parked = Count("accounts__jobs", filter=Q(accounts__jobs__state=Job.State.PARKED))
    for server in Server.objects.annotate(parked=parked).filter(parked__gt=0):
        path = list_url(Job, state__exact="parked", account__server__id__exact=server.pk)
        facts = {"server": server.name, "count": server.parked}
        yield Trouble("parked_jobs", f"parked-jobs-{server.pk}", path, facts)
        if server.parked > 5:
            yield Trouble("parked_jobs", f"many-parked-jobs-{server.pk}", path, facts)


def _late(at: datetime) -> Iterator[Trouble]:
    """The job that has been due the longest; what stands behind a parked one is not late by itself.

    A deletion for a later day is not due before it.
    """
    working = Job.objects.filter(state__in=(Job.State.WAITING, Job.State.RUNNING))
    first = working.filter(~Exists(Job.ahead()))
    overdue = Q(run_at__lte=at - LATE_AFTER)
    tried = Q(tries__gt=0, created_at__lte=at - TRIED_FOR) & ~Q(kind=Job.Kind.TERMINATE)
    late = first.filter(overdue | tried).order_by("run_at")
    oldest = late.select_related("account__server").first()
    if oldest is not None:
        minutes = int((at - min(oldest.run_at, oldest.created_at)).total_seconds() // 60)
        facts = {"job": str(oldest), "minutes": minutes, "count": late.count()}
        yield Trouble("old_job", "oldest-job", row_url(oldest), facts)


def _overdue(at: datetime) -> Iterator[Trouble]:
    """One for each task by hand whose time is over; it is told again every day."""
    overdue = Job.objects.filter(state=Job.State.PARKED, due_at__lte=at)
    for job in overdue.select_related("account__server").order_by("due_at"):
        facts = {"job": str(job), "server": job.account.server.name}
        yield Trouble("by_hand", f"by-hand-{job.pk}", row_url(job), facts)


def _silent() -> Iterator[Trouble]:
    """A server in use that fails its tests, or too often to be asked any more."""
    running = Account.objects.filter(server=OuterRef("pk")).exclude(state=Account.State.CLOSED)
    shut_out = dict(circuits.shut_out().values_list("server_id", "reason"))
    for server in Server.objects.filter(Q(active=True) | Exists(running)).exclude(checked_at=None):
        failed = not server.check_note.startswith(servers.WORKS)
        if failed or server.pk in shut_out:
            facts = {"server": server.name, "error": shut_out.get(server.pk, server.check_note)}
            yield Trouble("server", f"server-{server.pk}", row_url(server), facts, SILENT_FOR)


def _drifting() -> Iterator[Trouble]:
    standing = Drift.objects.filter(state=Drift.State.OPEN)
    by_server = standing.order_by().values(
        server=F("account__server"), name=F("account__server__name"), count=Count("id")
    )
    for row in by_server:
        of_it = {"state__exact": "open", "account__server__id__exact": row["server"]}
        facts = {"server": row["name"], "count": row["count"]}
        yield Trouble("drift", f"drift-{row['server']}", list_url(Drift, **of_it), facts)


def _strangers() -> Iterator[Trouble]:
    unknown = UnknownAccount.objects.filter(gone_at=None, settled_by="")
    by_server = unknown.order_by().values(of=F("server"), name=F("server__name"), count=Count("id"))
    for row in by_server:
        path = list_url(UnknownAccount, server__id__exact=row["of"])
        facts = {"server": row["name"], "count": row["count"]}
        yield Trouble("unknown", f"unknown-accounts-{row['of']}", path, facts)
