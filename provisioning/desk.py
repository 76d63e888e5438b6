"""What staff decide about a job that stands still. Each decision says who took it and why.

Every function locks the account, then the job, and raises Impossible without a change when the
job is not parked any more or has moved on since the person looked (`seen` is the fence they saw).
After commit a worker is rung for. Nothing here speaks HTTP.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from packages.desk import Impossible
from packages.doorbell import ring
from packages.states import IllegalMove
from provisioning import outcomes, tasks
from provisioning.dialler.base import RemoteAccount
from provisioning.models import Account, Attempt, Job

PARKED: tuple[str, ...] = (Job.State.PARKED.value,)
# A deletion for a later day can be called off while it waits.
CANCELLABLE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(Job.Kind.values, PARKED),
    Job.Kind.TERMINATE.value: (*PARKED, Job.State.WAITING.value),
}


def verify_now(job: Job, *, seen: int, at: datetime, actor: str) -> None:
    """Let the job run at once: it reads first, and sends only what is clearly missing.

    The person's look is noted at the last command: readings and sendings count anew from there.
    """
    with _held(job.pk, seen=seen) as held:
        attempt = held.attempts.last()
        if attempt is not None:
            attempt.readings = [*attempt.readings, {"at": at.isoformat(), "by": actor}]
            attempt.save(update_fields=["readings"])
        _let_wait(held, "verify now", at=at, actor=actor)


def mark_applied(
    job: Job, *, proof: str, seen: int, at: datetime, actor: str, remote_id: str = ""
) -> None:
    """The dialler has it: finish the job with everything that follows from it (state, mails).

    `proof` says how the person knows. A create needs the account's id at the dialler.
    """
    with _held(job.pk, seen=seen) as held:
        remote = _remote(held, remote_id)
        _close(held, Attempt.Outcome.APPLIED, proof=proof, at=at, actor=actor)
        try:
            outcomes.finish_held(held, remote, at=at, actor=actor, reason=f"by hand: {proof}")
        except IllegalMove as error:
            raise Impossible(
                _("The account is %(state)s, so this cannot have been done to it.")
                % {"state": held.account.get_state_display()}
            ) from error


def mark_not_applied(job: Job, *, proof: str, seen: int, at: datetime, actor: str) -> None:
    """The dialler does not have it: settle the attempt in doubt as not applied and send again."""
    with _held(job.pk, seen=seen) as held:
        if attempt_in_doubt(held) is None:
            raise Impossible(_("No command of this job is unanswered, so nothing is in doubt."))
        _close(held, Attempt.Outcome.ABSENT, proof=proof, at=at, actor=actor)
        _let_wait(held, f"not applied: {proof}", at=at, actor=actor)


def cancel(job: Job, *, reason: str, seen: int, at: datetime, actor: str) -> None:
    """Give the job up for good; what waits behind it goes on. Money is not paid back by this.

    A deletion that only waits for its day can be called off as well.
    """
    with _held(job.pk, seen=seen, states=CANCELLABLE[job.kind]) as held:
        _give_up(held, reason=reason, at=at, actor=actor)


def abandon(job: Job, *, reason: str, seen: int, at: datetime, actor: str) -> None:
    """Give up an account that was never made, with all its jobs. Money is not paid back by this.

    Should the dialler make it late all the same, an audit lists it as an unknown account.
    """
    with _held(job.pk, seen=seen) as held:
        account = Account.objects.get(pk=held.account_id)
        if account.state != Account.State.PLANNED:
            raise Impossible(_("The account exists, so it cannot be given up like this."))
        for each in account.jobs.filter(state__in=Job.UNFINISHED).order_by("seq"):
            _give_up(each, reason=reason, at=at, actor=actor)
        account.move(Account.State.CLOSED, at=at, actor=actor, reason=reason)


def open_attempt(job: Job) -> Attempt | None:
    """Return the command that nobody has answered, and that was not found out yet."""
    return job.attempts.filter(outcome__in=Attempt.OPEN).first()


def attempt_in_doubt(job: Job) -> Attempt | None:
    """Return the command of which a person may say what became of it.

    It is the open one, or the last that was read as absent: that may have come late, so it is
    judged once more before anything is sent again, and the dialler may not tell by then.
    """
    attempt = open_attempt(job) or job.attempts.filter(outcome=Attempt.Outcome.ABSENT).last()
    return None if attempt is None or attempt.settled_by_staff else attempt


def by_hand(job: Job) -> bool:
    """Say whether a person has to do the job, because the server's API cannot."""
    return job.state == Job.State.PARKED and job.reason.startswith("manual:")


@contextmanager
def _held(job_id: int, *, seen: int, states: tuple[str, ...] = PARKED) -> Iterator[Job]:
    """Open a transaction with both locks on a job that is as the person saw it; ring afterwards."""
    with transaction.atomic():
        account_id = Job.objects.values_list("account_id", flat=True).get(pk=job_id)
        Account.objects.select_for_update().get(pk=account_id)
        jobs = Job.objects.select_for_update(of=("self",)).select_related("account__server")
        job = jobs.get(pk=job_id)
        if job.state not in states:
            raise Impossible(
                _("This job does not wait for staff any more, it is: %(state)s.")
                % {"state": job.get_state_display()}
            )
        if job.fence != seen:
            raise Impossible(_("The job has run since you opened this page. Look at it again."))
        yield job
        ring(tasks.run_account, account_id)


def _let_wait(job: Job, reason: str, *, at: datetime, actor: str) -> None:
    job.run_at, job.reason = at, ""
    job.move(Job.State.WAITING, at=at, actor=actor, reason=reason, also=("run_at", "reason"))


def _give_up(job: Job, *, reason: str, at: datetime, actor: str) -> None:
    job.finished_at, job.reason = at, reason[:300]
    job.details = {key: value for key, value in job.details.items() if key != "sealed"}
    also = ("finished_at", "reason", "details")
    job.move(Job.State.CANCELLED, at=at, actor=actor, reason=reason, also=also)


def _close(job: Job, outcome: Attempt.Outcome, *, proof: str, at: datetime, actor: str) -> None:
    """Settle what is in doubt, if anything, by what the person saw, beside our own readings."""
    attempt = attempt_in_doubt(job)
    if attempt is None:
        return
    seen = {"at": at.isoformat(), "verdict": outcome.value, "by": actor, "proof": proof}
    attempt.readings = [*attempt.readings, seen]
    attempt.outcome, attempt.finished_at = outcome, at
    attempt.save(update_fields=["readings", "outcome", "finished_at"])


def _remote(job: Job, remote_id: str) -> RemoteAccount | None:
    """Return what a create done by hand made at the dialler; None for every other job."""
    if job.kind != Job.Kind.CREATE:
        return None
    remote_id = remote_id or job.account.remote_id
    if not remote_id:
        raise Impossible(_("Enter the id that the dialler gave the account."))
    same = Account.objects.filter(server=job.account.server, remote_id=remote_id)
    other = same.exclude(pk=job.account_id).first()
    if other is not None:
        raise Impossible(
            _("The id %(id)s belongs to the account %(username)s already.")
            % {"id": remote_id, "username": other.username}
        )
    return RemoteAccount(remote_id=remote_id, username=job.account.username)
