"""The breaker and the pace of each server, kept in the database: all processes share them.

A server that fails too often is asked nothing any more: its circuit opens, its jobs wait and use up
no run. From time to time one process tries it with harmless reads; three good ones close the
circuit. This is the machine's business and not the shop's, so its times are the machine's.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from packages.states import history_of, record_change
from packages.sweeping import rows_written_once, written_once
from provisioning.dialler import replies, transport
from provisioning.dialler.base import DiallerError, Endpoint, NotSent, Unknown
from provisioning.dialler.transport import Answer
from provisioning.models import Circuit, Job, Server

ACTOR = "system:circuit"
TROUBLES_IN_A_ROW = 5
WINDOW = 20
MOST_TROUBLES = 10
GOOD_READS = 3
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=5)


def shut_out() -> QuerySet[Circuit]:
    """Return the circuits of the servers that are not asked at the moment."""
    return Circuit.objects.exclude(state=Circuit.State.CLOSED)


def is_closed(server_id: int) -> bool:
    """Say whether the server is asked as usual."""
    return not shut_out().filter(server_id=server_id).exists()


def admits(server: Server, *, at: datetime) -> bool:
    """Say whether one more job may run at the server now.

    Needs an open transaction and locks the circuit until it ends: claims are counted one after the
    other, so no more than `runs_at_once` pass.
    """
    if _held(server.pk).state != Circuit.State.CLOSED:
        return False
    return len(_running(server.pk, at)) < server.runs_at_once


@written_once
def _running(server_id: int, at: datetime) -> QuerySet[Job, int]:
    running = Job.objects.filter(account__server=server_id, state=Job.State.RUNNING)
    return running.filter(claimed_until__gt=at).order_by().values_list("pk", flat=True)


class UnnotedLine:
    """How calls travel to one server: at its pace. What comes of them says nothing about it."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def __call__(
        self,
        endpoint: Endpoint,
        method: str,
        arguments: Mapping[str, str],
        *,
        secrets: tuple[str, ...],
    ) -> Answer:
        """As `transport.post`; NotSent also where the pace leaves no turn before `ends_at`."""
        if self._server.requests_a_second:
            _wait(_book(self._server), until=endpoint.ends_at)
        return transport.post(endpoint, method, arguments, secrets=secrets)


class Line(UnnotedLine):
    """The same, each call noted for the server's circuit."""

    def __call__(
        self,
        endpoint: Endpoint,
        method: str,
        arguments: Mapping[str, str],
        *,
        secrets: tuple[str, ...],
    ) -> Answer:
        try:
            answer = super().__call__(endpoint, method, arguments, secrets=secrets)
        except NoTurn:
            raise
        except (NotSent, Unknown) as error:
            note(self._server.pk, error.reason, at=timezone.now())
            raise
        note(self._server.pk, _trouble_in(answer), at=timezone.now())
        return answer


class NoTurn(NotSent):
    """The server's pace left no turn for the request in time; nobody was asked."""


def note(server_id: int, trouble: str, *, at: datetime) -> None:
    """Keep how an exchange went, `trouble` empty for an answer; open the circuit after too many.

    Commits by itself, with the circuit's lock. A circuit that is not closed is left alone: what was
    under way when it opened says nothing new.
    """
    if not trouble and not _troubled(server_id):
        return
    with transaction.atomic():
        circuit = _held(server_id)
        if circuit.state != Circuit.State.CLOSED:
            return
        circuit.recent = (circuit.recent + ("x" if trouble else "."))[-WINDOW:]
        circuit.save(update_fields=["recent"])
        if _is_too_much(circuit.recent):
            _open(circuit, trouble, at=at)


@dataclass(frozen=True, slots=True)
class Probe:
    """The right to try one server until `lease_ends_at`; a later probe has a later end."""

    server_id: int
    lease_ends_at: datetime


@written_once
def due(*, at: datetime) -> QuerySet[Circuit, int]:
    """Return the ids of the servers that should be tried now."""
    rows = shut_out().filter(probe_at__lte=at).order_by("probe_at")
    return rows.values_list("server_id", flat=True)


def begin_probe(server: Server, *, at: datetime) -> Probe | None:
    """Half open the circuit for whoever called, None if it is not due or another tries it already.

    Commits with the circuit's lock. A prober that died is replaced when its lease has ended.
    """
    with transaction.atomic():
        circuit = _held(server.pk)
        if circuit.probe_at is None or circuit.probe_at > at:
            return None
        circuit.probe_at = at + timedelta(seconds=server.work_seconds)
        half_open = Circuit.State.HALF_OPEN
        circuit.move(half_open, at=at, actor=ACTOR, reason="trying", also=("probe_at",))
        return Probe(server.pk, circuit.probe_at)


def end_probe(probe: Probe, trouble: str, *, at: datetime) -> bool:
    """Close the circuit, or open it for longer where there was trouble; return whether it closed.

    Commits with the circuit's lock; a probe that another has replaced changes nothing.
    """
    with transaction.atomic():
        circuit = _held(probe.server_id)
        mine = circuit.state == Circuit.State.HALF_OPEN and circuit.probe_at == probe.lease_ends_at
        if not mine:
            return False
        if not trouble:
            _close(circuit, f"{GOOD_READS} good reads", at=at, actor=ACTOR)
            return True
        circuit.failed_probes += 1
        circuit.reason = trouble[:300]
        circuit.probe_at = at + min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(circuit.failed_probes, 9))
        also = ("probe_at", "failed_probes", "reason")
        circuit.move(Circuit.State.OPEN, at=at, actor=ACTOR, reason=trouble, also=also)
        return False


def close(server_id: int, reason: str, *, at: datetime, actor: str) -> bool:
    """Let jobs through again because a person says so; return whether they were shut out.

    Commits with the circuit's lock.
    """
    with transaction.atomic():
        circuit = _held(server_id)
        if circuit.state == Circuit.State.CLOSED:
            return False
        _close(circuit, reason, at=at, actor=actor)
        return True


def time_open(server_id: int, start: datetime, end: datetime) -> timedelta:
    """Return for how long of that time the server was not asked: no job's age counts it."""
    circuit = Circuit.objects.filter(server_id=server_id).first()
    total, since = timedelta(0), None
    for change in history_of(circuit).order_by("id") if circuit else ():
        if change.after != Circuit.State.CLOSED:
            since = since or change.at
        elif since is not None:
            total, since = total + _overlap(since, change.at, start, end), None
    return total + _overlap(since, end, start, end) if since is not None else total


def _overlap(since: datetime, until: datetime, start: datetime, end: datetime) -> timedelta:
    return max(timedelta(0), min(until, end) - max(since, start))


def _held(server_id: int) -> Circuit:
    """Return the server's circuit, locked; the first who asks for it makes it."""
    if not (locked := _locked(server_id)):
        made, fresh = Circuit.objects.get_or_create(server_id=server_id)
        if fresh:
            record_change(made, before="", at=timezone.now(), actor=ACTOR, reason="first call")
        locked = _locked(server_id)
    (circuit,) = locked
    return circuit


@rows_written_once
def _locked(server_id: int) -> QuerySet[Circuit]:
    return Circuit.objects.filter(server_id=server_id).select_for_update()


@written_once
def _troubled(server_id: int) -> QuerySet[Circuit, int]:
    troubled = Circuit.objects.filter(server_id=server_id, recent__contains="x")
    return troubled.values_list("pk", flat=True)


def _is_too_much(recent: str) -> bool:
    return recent.endswith("x" * TROUBLES_IN_A_ROW) or recent.count("x") >= MOST_TROUBLES


def _open(circuit: Circuit, reason: str, *, at: datetime) -> None:
    circuit.recent, circuit.reason, circuit.failed_probes = "", reason[:300], 0
    circuit.opened_at, circuit.probe_at = at, at + FIRST_PAUSE
    also = ("recent", "reason", "failed_probes", "opened_at", "probe_at")
    circuit.move(Circuit.State.OPEN, at=at, actor=ACTOR, reason=reason, also=also)


def _close(circuit: Circuit, reason: str, *, at: datetime, actor: str) -> None:
    circuit.recent, circuit.reason, circuit.failed_probes = "", "", 0
    circuit.opened_at, circuit.probe_at = None, None
    also = ("recent", "reason", "failed_probes", "opened_at", "probe_at")
    circuit.move(Circuit.State.CLOSED, at=at, actor=actor, reason=reason, also=also)


def _trouble_in(answer: Answer) -> str:
    """Return why the answer is unclear; empty for a clear one, be it a yes or a no."""
    try:
        replies.read(answer)
    except Unknown as error:
        return error.reason
    except DiallerError:
        return ""
    return ""


def _book(server: Server) -> float:
    """Take the next free place in the server's pace; return in how many seconds it comes.

    One statement on the database's clock, so processes queue fairly whatever their own clocks say.
    """
    pace = 1 / server.requests_a_second
    with transaction.atomic(), connection.cursor() as cursor:
        _held(server.pk)
        cursor.execute(
            """UPDATE provisioning_circuit
               SET booked_until = GREATEST(booked_until, clock_timestamp())
                                  + make_interval(secs => %s)
               WHERE server_id = %s
               RETURNING extract(epoch FROM booked_until - clock_timestamp())""",
            [pace, server.pk],
        )
        return max(0.0, float(cursor.fetchone()[0]) - pace)


def _wait(seconds: float, *, until: float) -> None:
    if time.monotonic() + seconds >= until:
        raise NoTurn("The server's pace left no turn for this request in time.")
    time.sleep(seconds)
