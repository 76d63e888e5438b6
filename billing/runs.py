"""The record of a day's run: begun by whoever rings first, once, and let go on by staff."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F, QuerySet

from billing import days
from billing.models import Run
from packages.states import insert_unless_known, record_change
from packages.sweeping import rows_written_once

log = structlog.get_logger()

# A runner that died is replaced after this, and what went wrong is tried again after this.
LEASE = timedelta(hours=1)
CLOCK = "system:billing"


class Busy(Exception):
    """A run for that day is under way."""


class NotStopped(Exception):
    """The run does not wait for staff, or it is not the latest one."""


def bill(on: date, *, now: Callable[[], datetime]) -> Run | None:
    """Do the day's work unless it is done, under way, or stopped; return the run if it was ours.

    Any number of clocks may ring: the day's row is unique, and who locks it first while it is free
    carries it out. A stopped run waits for `release`, one with faults is tried again in an hour.
    Raises days.TooMany when it was written down as stopped.
    """
    at = now()
    run = _claim(on, lambda run: _may_begin(run, at), at=at, actor=CLOCK)
    if run is None:
        return None
    _day, stop = _carry_out(run, lambda: _allowed(run), at=at, actor=CLOCK, now=now)
    if stop is not None:
        raise stop
    return run


def by_hand(on: date, *, careful: bool, now: Callable[[], datetime], actor: str) -> days.Day:
    """Do the day's work now, also when it was done before; record it with the day's run.

    `careful` lets the circuit breaker stop it. Raises Busy, days.TooMany.
    """
    at = now()

    def is_idle(run: Run) -> bool:
        return run.state != Run.State.RUNNING or _may_begin(run, at)

    run = _claim(on, is_idle, at=at, actor=actor)
    if run is None:
        raise Busy(f"A run for {on} is under way.")
    day, stop = _carry_out(run, days.usual if careful else None, at=at, actor=actor, now=now)
    if stop is not None:
        raise stop
    return day


def release(run: Run, *, reason: str, at: datetime, actor: str) -> None:
    """Let a stopped run do what it planned, and no more than that, at the clock's next ring.

    Raises NotStopped when it is not stopped any more, or a later day has run since.
    """
    with transaction.atomic():
        stopped = Run.objects.filter(pk=run.pk, state=Run.State.STOPPED)
        if Run.objects.filter(on__gt=run.on).exists() or not stopped.update(attempts=F("attempts")):
            raise NotStopped
        held = Run.objects.get(pk=run.pk)
        held.again_at = at
        held.move(Run.State.RELEASED, at=at, actor=actor, reason=reason, also=("again_at",))


def _may_begin(run: Run, at: datetime) -> bool:
    return run.again_at is not None and run.again_at <= at


def _claim(on: date, is_free: Callable[[Run], bool], *, at: datetime, actor: str) -> Run | None:
    """Take the day's run: whoever writes it, and else if it is free, with its row's lock."""
    first = Run(on=on, state=Run.State.RUNNING, started_at=at, again_at=at + LEASE, attempts=1)
    if insert_unless_known(first, at=at, actor=actor, reason="first ring of the day"):
        return first
    with transaction.atomic():
        (run,) = _locked(on)
        if not is_free(run):
            return None
        run.again_at, run.attempts = at + LEASE, run.attempts + 1
        also = ("again_at", "attempts")
        if run.state == Run.State.RUNNING:
            # Whoever had it is gone; what it did is not done again.
            run.save(update_fields=also)
            record_change(run, before=run.state, at=at, actor=actor, reason="taken over")
        else:
            run.move(Run.State.RUNNING, at=at, actor=actor, reason="begun", also=also)
    return run


@rows_written_once
def _locked(on: date) -> QuerySet[Run]:
    return Run.objects.filter(on=on).select_for_update()


def _allowed(run: Run) -> dict[str, int]:
    """Return what is usual, and what staff have released if it is more: what was planned then."""
    usual = days.usual()
    return usual | {kind: max(n, usual.get(kind, n)) for kind, n in run.planned.items()}


def _carry_out(
    run: Run,
    most: days.Most | None,
    *,
    at: datetime,
    actor: str,
    now: Callable[[], datetime],
) -> tuple[days.Day, days.TooMany | None]:
    """Run the day and write down how it ended, also when it fell over."""
    try:
        day = days.run(run.on, at=at, most=most)
    except days.TooMany as stop:
        log.error("run.stopped", on=str(run.on), planned=stop.planned)
        _finish(run, Run.State.STOPPED, stop.day, planned=stop.planned, at=now(), actor=actor)
        return stop.day, stop
    except Exception as error:
        fault = {"item": "run", "error": f"{type(error).__name__}: {error}"[:300]}
        fallen = days.Day(run.on, faults=[fault])
        _finish(run, Run.State.FAULTY, fallen, planned={}, at=now(), actor=actor)
        raise
    state = Run.State.FAULTY if day.faults else Run.State.DONE
    _finish(run, state, day, planned={}, at=now(), actor=actor)
    return day, None


def _finish(
    run: Run,
    state: Run.State,
    day: days.Day,
    *,
    planned: dict[str, int],
    at: datetime,
    actor: str,
) -> None:
    """Write the outcome, unless another runner has taken the run over meanwhile."""
    run.again_at = at + LEASE if state == Run.State.FAULTY else None
    run.finished_at, run.faults, run.planned = at, day.faults, planned
    run.counts = {
        kind: run.counts.get(kind, 0) + day.counts.get(kind, 0)
        for kind in {**run.counts, **day.counts}
    }
    also = ("again_at", "finished_at", "faults", "planned", "counts")
    reason = _outcome(day, planned)
    run.move_if_still("attempts", to=state, at=at, actor=actor, reason=reason, also=also)


def _outcome(day: days.Day, planned: dict[str, int]) -> str:
    counts = planned or day.counts
    words = ", ".join(f"{kind} {count}" for kind, count in counts.items() if count)
    return f"would do {words}" if planned else words or "nothing was due"
