"""How a job is done: claim, read, write down, send, read again. docs/architecture.md has the
picture.

No transaction and no row lock is open while the dialler is asked. What a dead worker left behind is
taken up again after its lease, and is read before anything is sent a second time.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Case, QuerySet, When

from packages.sweeping import rows_written_once
from provisioning import accounts, circuits, outcomes, servers
from provisioning.dialler.base import (
    Dialler,
    DiallerError,
    Misconfigured,
    NotSent,
    Refused,
    Unknown,
)
from provisioning.models import Account, Attempt, Job
from provisioning.verbs import VERBS, Foreign, Reading, Verb, Verdict, read

log = structlog.get_logger()

MAX_SENDS = 3
MAX_UNREADABLE = 5
# A yes for these is believed without a reading that shows it.
BELIEVED = (Job.Kind.CREDIT, Job.Kind.TAKE_BACK, Job.Kind.CHANGE_PASSWORD)
# How often a new account is tried to be placed while all servers of its pool are full.
LOOK_FOR_ROOM = timedelta(minutes=1)
NO_ROOM = "no server of its pool has room"
# Beyond the longest possible call: the time to write the answer down.
LEASE_MARGIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a job until its lease ends; a later claim has a higher fence."""

    job: Job
    fence: int
    at: datetime
    # What was sent for it before, the oldest first; nobody else adds to it under this fence.
    attempts: Sequence[Attempt]

    @property
    def verb(self) -> Verb:
        """Return the command of the job's kind; reading a balance has none."""
        return VERBS[self.job.kind]


def run_next(account_id: int, *, at: datetime, worker: str) -> bool:
    """Do the account's next due job as far as possible now; return whether there was one.

    Afterwards the job is done, parked, or waiting with a later `run_at`. Jobs of an account run in
    their order, one at a time; a parked one holds up those behind it. One that `overtakes` comes
    before all that do not run yet. Speaks HTTP outside of any transaction. Raises what a bug
    raises, after noting it on the row.
    """
    begun = time.monotonic()
    claim = _claim(account_id, at=at, worker=worker)
    if claim is None:
        return False
    server = claim.job.account.server
    log.info("job.run", job=claim.job.pk, kind=claim.job.kind, tries=claim.job.tries)
    try:
        _carry_out(claim, servers.connect(server, ends_at=begun + server.work_seconds))
    except outcomes.Fenced:
        log.warning("job.fenced", job=claim.job.pk)
    except Exception as error:
        outcomes.stumble(claim.job.pk, claim.fence, error, at=at)
        raise
    return True


def _claim(account_id: int, *, at: datetime, worker: str) -> Claim | None:
    """Take the account's first unfinished job if it is due, nobody holds it, and its server has
    room for one more.
    """
    with transaction.atomic():
        job = _next(accounts.lock(account_id))
        if job is None or not _is_free(job, at):
            return None
        if outcomes.dead_too_often(job):
            outcomes.give_up(job, at=at)
            return None
        if not _is_placed(job, at=at, worker=worker):
            return None
        server = job.account.server
        if not circuits.admits(server, at=at):
            return None
        job.fence += 1
        job.tries += 1
        # Counted before the run, for it may kill this process; a run that ends well takes it back.
        job.setbacks += 1
        job.claimed_until = at + timedelta(seconds=server.work_seconds) + LEASE_MARGIN
        also = ("fence", "tries", "setbacks", "claimed_until")
        job.move(Job.State.RUNNING, at=at, actor=worker, reason="claimed", also=also)
        return Claim(job, job.fence, at, _attempts(job.pk))


def _is_placed(job: Job, *, at: datetime, worker: str) -> bool:
    """Say whether the account has its server, after looking for room; else the job waits."""
    if job.account.placed or accounts.place(job.account, at=at, actor=worker):
        return True
    job.run_at, job.reason = at + LOOK_FOR_ROOM, NO_ROOM
    job.save(update_fields=["run_at", "reason"])
    return False


def _next(account: Account) -> Job | None:
    """Return the job that runs, or else the first that is not over."""
    for job in _first(account.pk):
        job.account = accounts.with_server(account)
        return job
    return None


@rows_written_once
def _first(account_id: int) -> QuerySet[Job]:
    jobs = Job.objects.filter(account=account_id, state__in=Job.UNFINISHED)
    runs_first = Case(When(state=Job.State.RUNNING, then=0), default=1)
    return jobs.order_by(runs_first, *Job.ORDER)[:1]


@rows_written_once
def _attempts(job_id: int) -> QuerySet[Attempt]:
    return Attempt.objects.filter(job=job_id).order_by("number")


def _is_free(job: Job, at: datetime) -> bool:
    if job.state == Job.State.RUNNING:
        return job.claimed_until is None or job.claimed_until <= at
    return job.state == Job.State.WAITING and job.run_at <= at


def _carry_out(claim: Claim, dialler: Dialler) -> None:
    if claim.job.kind == Job.Kind.READ_BALANCE:
        return _read_balance(claim, dialler)
    # What was sent comes first: the capability may have been switched to manual in between.
    for attempt in claim.attempts:
        if attempt.outcome in Attempt.OPEN:
            return _find_out(claim, dialler, attempt)
    if dialler.capabilities[claim.verb.capability] == "manual":
        return _by_hand(claim, dialler)
    if claim.job.kind != Job.Kind.CREATE and not claim.job.account.remote_id:
        reason = "the account has no id at the dialler"
        return outcomes.park(claim.job.pk, claim.fence, reason, at=claim.at)
    return _begin(claim, dialler)


def _by_hand(claim: Claim, dialler: Dialler) -> None:
    """Leave it to staff, with the target where a reading gives one, or leave it be as set."""
    if _is_left_be(claim):
        return outcomes.drop(claim.job.pk, claim.fence, "skipped: cannot be taken", at=claim.at)
    if claim.verb.aim is not None and claim.job.account.remote_id:
        try:
            aimed = claim.verb.aim(claim.job, Reading(read(dialler, claim.job), claim.at))
        except DiallerError:
            aimed = False
        if aimed:
            outcomes.aim(claim.job, claim.fence)
    due_at = claim.at + timedelta(hours=claim.job.account.server.by_hand_hours)
    reason = "manual: to be done by hand"
    return outcomes.park(claim.job.pk, claim.fence, reason, at=claim.at, due_at=due_at)


def _is_left_be(claim: Claim) -> bool:
    """Say whether the operator leaves unused free credit to customers on this server."""
    server = claim.job.account.server
    if claim.job.details.get("always"):
        return False
    return claim.job.kind == Job.Kind.TAKE_BACK and server.take_back == server.TakeBack.SKIP


def _read_balance(claim: Claim, dialler: Dialler) -> None:
    """A balance is only shown to people: what cannot be read now is read another time."""
    if not claim.job.account.remote_id:
        return outcomes.drop(claim.job.pk, claim.fence, "no id at the dialler", at=claim.at)
    try:
        remote = read(dialler, claim.job)
    except DiallerError as error:
        return outcomes.drop(claim.job.pk, claim.fence, type(error).__name__, at=claim.at)
    return outcomes.finish(claim.job, claim.fence, remote, at=claim.at)


def _begin(claim: Claim, dialler: Dialler) -> None:
    """Look first; send only what is not there yet.

    A command that was read as absent may have come late after all, so it is judged once more;
    where a person has decided, that stands.
    """
    absent = [each for each in claim.attempts if each.outcome == Attempt.Outcome.ABSENT]
    late = absent[-1] if absent and not absent[-1].settled_by_staff else None
    try:
        reading = Reading(read(dialler, claim.job), claim.at)
        if claim.verb.aim is not None and not claim.verb.aim(claim.job, reading):
            return _aimless(claim)
        verdict = claim.verb.judge(claim.job, reading, late)
    except Foreign:
        return _take_another_name(claim)
    except DiallerError as error:
        return _trouble_reading(claim, error)
    if verdict is Verdict.APPLIED:
        return outcomes.finish(claim.job, claim.fence, reading.remote, at=claim.at)
    if verdict is Verdict.UNDECIDED:
        reason = "the dialler does not tell whether this is needed"
        outcomes.aim(claim.job, claim.fence)
        return outcomes.park(claim.job.pk, claim.fence, reason, at=claim.at)
    return _send(claim, dialler, reading)


def _aimless(claim: Claim) -> None:
    """The server does not show what the target depends on, so nothing was sent."""
    if _is_left_be(claim):
        return outcomes.drop(claim.job.pk, claim.fence, "skipped: balance not shown", at=claim.at)
    reason = "the dialler does not show what is left"
    return outcomes.park(claim.job.pk, claim.fence, reason, at=claim.at)


def _take_another_name(claim: Claim) -> None:
    """Somebody else has our username. Choose another, unless a create of ours was ever sent."""
    harmless = (Attempt.Outcome.NOT_SENT, Attempt.Outcome.REFUSED, Attempt.Outcome.ABSENT)
    if claim.job.attempts.exclude(outcome__in=harmless).exists():
        reason = "the username exists at the dialler and is not provably ours"
        return outcomes.park(claim.job.pk, claim.fence, reason, at=claim.at)
    with outcomes.held(claim.job.pk, claim.fence) as job:
        accounts.rename(job.account)
        outcomes.wait(job, claim.at, "username was taken", at=claim.at)
    return None


def _send(claim: Claim, dialler: Dialler, before: Reading) -> None:
    """Write the attempt down, commit, then let the first byte leave."""
    if _sends(claim.attempts) >= MAX_SENDS:
        reason = f"sent {MAX_SENDS} times without effect"
        outcomes.aim(claim.job, claim.fence)
        return outcomes.park(claim.job.pk, claim.fence, reason, at=claim.at)
    attempt = outcomes.note_attempt(claim.job, claim.fence, before, at=claim.at)
    try:
        claim.verb.send(dialler, claim.job)
    except Refused as error:
        return _refused(claim, dialler, attempt, error)
    except (NotSent, Misconfigured) as error:
        outcomes.answered(attempt, claim.fence, Attempt.Outcome.NOT_SENT, error)
        return _trouble_reading(claim, error)
    except Unknown as error:
        return outcomes.unknown(attempt, claim.fence, error, at=claim.at)
    return _confirm(claim, dialler, attempt)


def _sends(attempts: Sequence[Attempt]) -> int:
    """Count the commands sent since a person last looked at the job and let it go on."""
    looked = [index for index, attempt in enumerate(attempts) if attempt.seen_by_staff]
    since = attempts[looked[-1] + 1 if looked else 0 :]
    return sum(attempt.outcome != Attempt.Outcome.NOT_SENT for attempt in since)


def _refused(claim: Claim, dialler: Dialler, attempt: Attempt, error: Refused) -> None:
    """A clear no. For a create the name may be taken: then it is sent under another."""
    outcomes.answered(attempt, claim.fence, Attempt.Outcome.REFUSED, error)
    if claim.job.kind == Job.Kind.CREATE and claim.job.attempts.count() < MAX_SENDS:
        try:
            taken = dialler.find(claim.job.account.username) is not None
        except DiallerError:
            taken = False
        if taken:
            # The next run looks whose it is: ours, come late, or a stranger's.
            with outcomes.held(claim.job.pk, claim.fence) as job:
                return outcomes.wait(job, claim.at, "username was taken", at=claim.at)
    return outcomes.park(claim.job.pk, claim.fence, f"refused: {error.reason}", at=claim.at)


def _confirm(claim: Claim, dialler: Dialler, attempt: Attempt) -> None:
    """The dialler said yes. Read back what can be read; a yes for credit is believed as it is."""
    try:
        reading = Reading(read(dialler, claim.job), claim.at)
        verdict = claim.verb.judge(claim.job, reading, attempt)
    except (DiallerError, Foreign) as error:
        if claim.job.kind == Job.Kind.CREATE:
            return outcomes.unknown(attempt, claim.fence, error, at=claim.at)
        reading, verdict = Reading(None, claim.at), Verdict.UNDECIDED
    believed = claim.job.kind in BELIEVED
    if verdict is Verdict.APPLIED or believed or verdict is Verdict.UNDECIDED:
        done = Attempt.Outcome.DONE
        return outcomes.succeed(attempt, claim.fence, done, reading.remote, at=claim.at)
    contradiction = Unknown("the dialler said yes, but a reading does not show it")
    return outcomes.unknown(attempt, claim.fence, contradiction, at=claim.at)


def _find_out(claim: Claim, dialler: Dialler, attempt: Attempt) -> None:
    """An earlier command may have had its effect: wait out the quiet time, then read."""
    server = claim.job.account.server
    quiet_until = attempt.deadline_at + timedelta(seconds=server.quiet_seconds)
    if claim.at < quiet_until:
        with outcomes.held(claim.job.pk, claim.fence) as job:
            return outcomes.wait(job, quiet_until, "an answer is missing", at=claim.at)
    try:
        reading = Reading(read(dialler, claim.job), claim.at)
        verdict = claim.verb.judge(claim.job, reading, attempt)
    except Foreign:
        reason = "the username exists at the dialler and is not provably ours"
        return outcomes.park(claim.job.pk, claim.fence, reason, at=claim.at)
    except (NotSent, Misconfigured) as error:
        return _trouble_reading(claim, error)
    except DiallerError:
        reading, verdict = Reading(None, claim.at), Verdict.UNDECIDED
    return _conclude(claim, attempt, reading, verdict)


def _conclude(claim: Claim, attempt: Attempt, reading: Reading, verdict: Verdict) -> None:
    """Decide by this reading and those before; two that agree, some time apart, are needed."""
    gap = timedelta(seconds=claim.job.account.server.read_gap_seconds)
    outcomes.note_reading(attempt, claim.fence, verdict, at=claim.at)
    agrees = outcomes.agreed(attempt, verdict, gap=gap, at=claim.at)
    if verdict is Verdict.APPLIED and (claim.verb.one_reading_proves or agrees):
        applied = Attempt.Outcome.APPLIED
        return outcomes.succeed(attempt, claim.fence, applied, reading.remote, at=claim.at)
    if verdict is Verdict.ABSENT and agrees:
        outcomes.settle(attempt, claim.fence, Attempt.Outcome.ABSENT, at=claim.at)
        next_at, reason = claim.at, "read twice: not applied, so it is sent again"
    elif len(attempt.unasked) >= MAX_UNREADABLE:
        reason = "the dialler does not tell whether the command was applied"
        return outcomes.park(claim.job.pk, claim.fence, reason, at=claim.at)
    else:
        next_at, reason = claim.at + gap, "reading again"
    with outcomes.held(claim.job.pk, claim.fence) as job:
        return outcomes.wait(job, next_at, reason, at=claim.at)


def _trouble_reading(claim: Claim, error: DiallerError) -> None:
    """Nothing was sent, so nothing is lost: try again later, and tell staff what stands in the
    way. What only a person can mend is left to them after some tries.
    """
    reason = f"{type(error).__name__}: {error.reason}"
    setback = isinstance(error, Misconfigured)
    if setback and claim.job.setbacks >= outcomes.MAX_SETBACKS:
        return outcomes.park(claim.job.pk, claim.fence, reason, at=claim.at)
    with outcomes.held(claim.job.pk, claim.fence) as job:
        later = claim.at + outcomes.backoff(job)
        return outcomes.wait(job, later, reason, at=claim.at, setback=setback)
