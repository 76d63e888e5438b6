"""What a run leaves behind. Every function here checks the fence, so a woken zombie writes
nothing.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from packages.sweeping import rows_written_once
from provisioning import accounts
from provisioning.dialler.base import DiallerError, Limits, RemoteAccount
from provisioning.models import Account, Attempt, Job
from provisioning.signals import job_finished
from provisioning.verbs import VERBS, Reading, Verdict

RUNNER = "system:runner"
BACKOFF_BASE_SECONDS = 5
BACKOFF_CAP_SECONDS = 90
MAX_SETBACKS = 8


class Fenced(Exception):
    """Another worker has taken the job over; this one must stop without writing."""


@contextmanager
def held(job_id: int, fence: int) -> Iterator[Job]:
    """Open a transaction with the account's and the job's lock; raise Fenced if it is not ours."""
    with transaction.atomic():
        account = accounts.lock_for(job_id)
        (job,) = _locked(job_id)
        if job.fence != fence or job.state != Job.State.RUNNING:
            raise Fenced(job_id)
        job.account = account
        yield job


@rows_written_once
def _locked(job_id: int) -> QuerySet[Job]:
    return Job.objects.filter(pk=job_id).select_for_update()


def aim(job: Job, fence: int) -> None:
    """Keep the target that a reading gave the job; commits."""
    with held(job.pk, fence) as row:
        _keep_aim(row, job)


def _keep_aim(row: Job, job: Job) -> None:
    """Give the locked row the target of the job that was claimed, in the same transaction as what
    follows from it.
    """
    if (row.details, row.amount_minor) != (job.details, job.amount_minor):
        row.details, row.amount_minor = job.details, job.amount_minor
        row.save(update_fields=["details", "amount_minor"])


def note_attempt(job: Job, fence: int, before: Reading, *, at: datetime) -> Attempt:
    """Write down that a command is about to leave, its target, what was read before; commits."""
    with held(job.pk, fence) as row:
        _keep_aim(row, job)
        return Attempt.objects.create(
            job=job,
            number=job.attempts.count() + 1,
            fence=fence,
            method=VERBS[job.kind].method,
            before={"balance_minor": before.remote.balance_minor if before.remote else None},
            sent_at=at,
            deadline_at=at + timedelta(seconds=job.account.server.work_seconds),
        )


def answered(attempt: Attempt, fence: int, outcome: Attempt.Outcome, error: Exception) -> None:
    """Note a clear no on the attempt; commits. A yes is noted by `succeed`, with its job."""
    with held(attempt.job_id, fence):
        _answer(attempt, outcome, error)


def unknown(attempt: Attempt, fence: int, error: Exception, *, at: datetime) -> None:
    """The command may have had its effect: leave the attempt open, look after the quiet time."""
    with held(attempt.job_id, fence) as job:
        _answer(attempt, Attempt.Outcome.UNKNOWN, error)
        quiet = timedelta(seconds=job.account.server.quiet_seconds)
        wait(job, attempt.deadline_at + quiet, "the answer was not clear", at=at)


def settle(attempt: Attempt, fence: int, outcome: Attempt.Outcome, *, at: datetime) -> None:
    """Close an open attempt by what was read; commits."""
    with held(attempt.job_id, fence):
        attempt.outcome, attempt.finished_at = outcome, at
        attempt.save(update_fields=["outcome", "finished_at"])


def note_reading(attempt: Attempt, fence: int, verdict: Verdict, *, at: datetime) -> None:
    """Keep the reading as evidence; commits."""
    with held(attempt.job_id, fence):
        attempt.readings = [*attempt.readings, {"at": at.isoformat(), "verdict": verdict.value}]
        attempt.save(update_fields=["readings"])


def agreed(attempt: Attempt, verdict: Verdict, *, gap: timedelta, at: datetime) -> bool:
    """Say whether an earlier reading, at least `gap` ago, and all since then said the same."""
    for reading in reversed(attempt.unasked[:-1]):
        if reading["verdict"] != verdict.value:
            return False
        if datetime.fromisoformat(reading["at"]) + gap <= at:
            return True
    return False


def finish(job: Job, fence: int, remote: RemoteAccount | None, *, at: datetime) -> None:
    """Mark the job done with its target, write what it means for the account, and tell billing; one
    transaction.
    """
    with held(job.pk, fence) as row:
        _keep_aim(row, job)
        finish_held(row, remote, at=at, actor=RUNNER, reason="done")


def succeed(
    attempt: Attempt,
    fence: int,
    outcome: Attempt.Outcome,
    remote: RemoteAccount | None,
    *,
    at: datetime,
) -> None:
    """Note that the command was applied, and finish its job, in one transaction.

    Were they two, a crash in between would leave a job whose effect nobody looks for any more.
    """
    with held(attempt.job_id, fence) as job:
        attempt.outcome, attempt.finished_at = outcome, at
        attempt.save(update_fields=["outcome", "finished_at"])
        finish_held(job, remote, at=at, actor=RUNNER, reason="done")


def finish_held(
    job: Job, remote: RemoteAccount | None, *, at: datetime, actor: str, reason: str
) -> None:
    """As `finish`, for a caller who holds the locks (staff marking a parked job as applied)."""
    job.finished_at, job.reason, job.claimed_until = at, "", None
    job.details = {key: value for key, value in job.details.items() if key != "sealed"}
    also = ("finished_at", "reason", "claimed_until", "details")
    job.move(Job.State.DONE, at=at, actor=actor, reason=reason, also=also)
    _change_account(job, remote, at=at, actor=actor)
    job_finished.send(sender=Job, job=job, at=at)


def park(
    job_id: int, fence: int, reason: str, *, at: datetime, due_at: datetime | None = None
) -> None:
    """Leave the job to staff, with the reason, and by when they are to have done it by hand.

    Nothing behind it runs until they decide.
    """
    with held(job_id, fence) as job:
        _stand(job, reason, at=at, due_at=due_at)
        job_finished.send(sender=Job, job=job, at=at)


def _stand(job: Job, reason: str, *, at: datetime, due_at: datetime | None = None) -> None:
    job.reason, job.claimed_until, job.due_at, job.setbacks = reason[:300], None, due_at, 0
    also = ("reason", "claimed_until", "due_at", "setbacks")
    job.move(Job.State.PARKED, at=at, actor=RUNNER, reason=reason, also=also)


def drop(job_id: int, fence: int, reason: str, *, at: datetime) -> None:
    """Give up a job that only wanted to know something; nothing behind it waits for it."""
    with held(job_id, fence) as job:
        job.finished_at, job.reason, job.claimed_until = at, reason[:300], None
        also = ("finished_at", "reason", "claimed_until")
        job.move(Job.State.CANCELLED, at=at, actor=RUNNER, reason=reason, also=also)


def wait(job: Job, run_at: datetime, reason: str, *, at: datetime, setback: bool = False) -> None:
    """Put the held job back for later; unless this was a `setback`, those in a row are over."""
    job.run_at, job.reason, job.claimed_until = run_at, reason[:300], None
    job.setbacks = job.setbacks if setback else 0
    also = ("run_at", "reason", "claimed_until", "setbacks")
    job.move(Job.State.WAITING, at=at, actor=RUNNER, reason=reason, also=also)


def stumble(job_id: int, fence: int, error: Exception, *, at: datetime) -> None:
    """Our own code failed: note it, try later, park what keeps failing. Open attempts stay open."""
    reason = f"fault: {type(error).__name__}"
    try:
        with held(job_id, fence) as job:
            if job.setbacks < MAX_SETBACKS:
                return wait(job, at + backoff(job), reason, at=at, setback=True)
            # No news of it: what failed may be the one who receives the news.
            return _stand(job, reason, at=at)
    except Fenced:
        return None


def dead_too_often(job: Job) -> bool:
    """Say whether so many processes in a row died of the job that the next would, too."""
    return job.state == Job.State.RUNNING and job.setbacks >= MAX_SETBACKS


def give_up(job: Job, *, at: datetime) -> None:
    """Park a job whose processes keep dying; needs the account's lock and the end of its lease."""
    _stand(job, f"fault: {job.setbacks} processes died of it, one after the other", at=at)


def backoff(job: Job) -> timedelta:
    """Return a pause between a second and a limit that doubles with every run, up to a minute and
    a half. It is thrown by the job and its run: not all come back at once, and what was random can
    be played again.
    """
    most = min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS << min(job.tries - 1, 10))
    return timedelta(seconds=random.Random(f"{job.pk}.{job.tries}").uniform(1, most))


def _answer(attempt: Attempt, outcome: Attempt.Outcome, error: Exception) -> None:
    attempt.outcome = outcome
    if isinstance(error, DiallerError):
        attempt.answer = f"{error.reason} {error.excerpt}".strip()[:400]
    else:
        attempt.answer = type(error).__name__
    attempt.save(update_fields=["outcome", "answer"])


def _change_account(job: Job, remote: RemoteAccount | None, *, at: datetime, actor: str) -> None:
    account = job.account
    changed = set[str]()
    if remote is not None and account.state != Account.State.CLOSED:
        changed |= _take_over(account, remote, at)
    if job.kind == Job.Kind.SET_LIMITS:
        account.limits = Limits.from_json(job.details["limits"]).to_json()
        changed.add("limits")
    target = {
        Job.Kind.CREATE: Account.State.LIVE,
        Job.Kind.UNSUSPEND: Account.State.LIVE,
        Job.Kind.SUSPEND: Account.State.SUSPENDED,
        Job.Kind.TERMINATE: Account.State.CLOSED,
    }.get(Job.Kind(job.kind))
    if target is not None and account.state != target:
        account.move(target, at=at, actor=actor, reason=job.cause, also=tuple(sorted(changed)))
    elif changed:
        account.save(update_fields=sorted(changed))


def _take_over(account: Account, remote: RemoteAccount, at: datetime) -> set[str]:
    """Take the dialler's id, and its balance when it shows one; an absent one is unknown, not
    zero. Return the fields to save.
    """
    account.remote_id = remote.remote_id
    if remote.balance_minor is None:
        return {"remote_id"}
    account.balance_minor, account.balance_at = remote.balance_minor, at
    return {"remote_id", "balance_minor", "balance_at"}


def unfinished_in_bundle(job: Job) -> bool:
    """Say whether any job that was asked for together with this one still waits or runs."""
    open_states = (Job.State.WAITING, Job.State.RUNNING)
    bundle = Job.objects.filter(account_id=job.account_id, bundle=job.bundle)
    return bundle.filter(state__in=open_states).exclude(pk=job.pk).exists()
