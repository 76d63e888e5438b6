"""The kinds of job as commands: how each is sent, and how a reading shows that it took effect.

Every command is in the strongest form the dialler allows: create by natural key, everything else an
absolute target. Only credit adds, so only credit is judged by balances (docs/dialler-api.md).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from packages.money import Money
from provisioning import accounts, vault
from provisioning.dialler.base import Dialler, Limits, RemoteAccount
from provisioning.models import Attempt, Job

# Below this an unchanged balance does not tell: calls of just that sum are no wonder.
TELLING_MINOR = 1_00


class Verdict(Enum):
    """What one reading says about a command that may have been sent."""

    APPLIED = "applied"
    ABSENT = "absent"
    UNDECIDED = "undecided"


class Foreign(Exception):
    """The username belongs to an account at the dialler that is not ours."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The account as the dialler showed it at an instant; None: it said there is none."""

    remote: RemoteAccount | None
    at: datetime


Send = Callable[[Dialler, Job], None]
Judge = Callable[[Job, Reading, Attempt | None], Verdict]
# Turns a relative wish into an absolute target, by what was read; False: the reading does not tell.
Aim = Callable[[Job, Reading], bool]


@dataclass(frozen=True, slots=True)
class Verb:
    """One kind of job. `judge` without an attempt asks whether the target is already reached."""

    method: str
    capability: str
    send: Send
    judge: Judge
    # An effect that a single reading proves; credit needs two that agree.
    one_reading_proves: bool = True
    aim: Aim | None = None


def read(dialler: Dialler, job: Job) -> RemoteAccount | None:
    """Read the job's account by its id, or by its name while the id is not known yet."""
    account = job.account
    if account.remote_id:
        return dialler.get(account.remote_id)
    return dialler.find(account.username)


def _send_create(dialler: Dialler, job: Job) -> None:
    password = accounts.password_of(job.account)
    assert password is not None, "An account to be created has its first password."
    spec = accounts.spec_of(job.account, role=job.details.get("role", ""))
    dialler.create(spec, password=password, marker=str(job.account.marker))


def _judge_create(job: Job, reading: Reading, attempt: Attempt | None) -> Verdict:
    """Adopt only what is provably ours: our exact name, our e-mail, and a command of ours before.

    Where the server keeps our marker, the marker decides.
    """
    remote, account = reading.remote, job.account
    if remote is None:
        return Verdict.ABSENT
    if remote.marker:
        ours = remote.marker == str(account.marker)
    else:
        same = (remote.email or "").casefold() == account.person["email"].casefold()
        ours = attempt is not None and same
    if not ours or remote.username != account.username:
        raise Foreign(remote.username)
    return Verdict.APPLIED


def _send_limits(dialler: Dialler, job: Job) -> None:
    dialler.update_limits(job.account.remote_id, Limits.from_json(job.details["limits"]))


def _judge_limits(job: Job, reading: Reading, attempt: Attempt | None) -> Verdict:
    """Compare what the server shows; a limit that it does not show is no contradiction."""
    if reading.remote is None:
        return Verdict.UNDECIDED
    target, remote = Limits.from_json(job.details["limits"]), reading.remote
    shown: list[tuple[object, object]] = [
        (remote.tariff, target.tariff),
        (remote.channels, target.channels),
        (None if remote.services is None else set(remote.services), set(target.services)),
    ]
    if not target.keep_units and remote.units is not None:
        shown.append((_counted(remote.units), _counted(target.units)))
    known = [(is_, should) for is_, should in shown if is_ is not None]
    if not known:
        return Verdict.ABSENT
    return Verdict.APPLIED if all(is_ == should for is_, should in known) else Verdict.ABSENT


def _counted(units: tuple[tuple[str, int], ...]) -> dict[str, int]:
    """A server may show a service without units as zero, or not at all."""
    return {service: count for service, count in units if count}


def _send_credit(dialler: Dialler, job: Job) -> None:
    assert job.amount_minor is not None
    amount = Money(job.amount_minor, job.currency)
    dialler.credit(job.account.remote_id, amount, reference=job.cause)


def _judge_credit(job: Job, reading: Reading, attempt: Attempt | None) -> Verdict:
    """Judge by the balance: only credit raises it, and calls lower it by nobody knows how much.

    So a rise of at most the amount proves it, an unchanged balance disproves it, and everything
    else leaves it open (docs/money.md has the table). At zero calls end, so an unchanged zero says
    nothing: whatever came may have been spent to the last. Nor does it of a small sum, which calls
    soon cost to the cent.
    """
    if attempt is None:
        return Verdict.ABSENT
    before = attempt.before.get("balance_minor")
    after = reading.remote.balance_minor if reading.remote else None
    if before is None or after is None or job.amount_minor is None:
        return Verdict.UNDECIDED
    unspent = _nothing_can_be_spent(job)
    if after == before:
        telling = after > 0 and job.amount_minor >= TELLING_MINOR
        return Verdict.ABSENT if telling or unspent else Verdict.UNDECIDED
    most = before + job.amount_minor
    least = most if unspent else before + 1
    return Verdict.APPLIED if least <= after <= most else Verdict.UNDECIDED


def _nothing_can_be_spent(job: Job) -> bool:
    """Neither while suspended, nor before the customer has the password."""
    account = job.account
    return account.state == account.State.SUSPENDED or account.password_sealed is not None


def _aim_take_back(job: Job, reading: Reading) -> bool:
    """Set the balance to come down to, once; and how much that is from here.

    With the target the command may be sent again: spending lowers the balance too, and what was
    spent is not taken any more.
    """
    balance = reading.remote.balance_minor if reading.remote else None
    if balance is None:
        return False
    if "target_minor" not in job.details:
        lowest = max(job.details["keep_minor"], balance - job.details["most_minor"])
        job.details = {**job.details, "target_minor": min(balance, lowest)}
        job.amount_minor = 0
    if balance > job.details["target_minor"]:
        job.amount_minor = balance - job.details["target_minor"]
    elif job.amount_minor and not _may_have_come_late(job):
        # Calls have brought it there, and nothing was taken.
        job.amount_minor = 0
    return True


def _may_have_come_late(job: Job) -> bool:
    """Say whether a command that was read as absent may have come later; staff who looked know."""
    last = job.attempts.filter(outcome=Attempt.Outcome.ABSENT).order_by("number").last()
    return last is not None and not last.settled_by_staff


def _send_take_back(dialler: Dialler, job: Job) -> None:
    assert job.amount_minor, "There is something to take back, else the target was reached."
    amount = Money(-job.amount_minor, job.currency)
    dialler.credit(job.account.remote_id, amount, reference=job.cause)


def _judge_take_back(job: Job, reading: Reading, attempt: Attempt | None) -> Verdict:
    """At the target or below it nothing is left to take, whoever brought it there.

    Where what was taken is paid back, it matters who: after a command of ours only the exact target
    proves it, and none at zero, which spending reaches as well.
    """
    balance = reading.remote.balance_minor if reading.remote else None
    target = job.details.get("target_minor")
    if balance is None or target is None:
        return Verdict.UNDECIDED
    if balance > target:
        return Verdict.ABSENT
    if attempt is None or not job.details.get("always"):
        return Verdict.APPLIED
    proven = balance == target > 0 or _nothing_can_be_spent(job)
    return Verdict.APPLIED if proven else Verdict.UNDECIDED


def _aim_refill(job: Job, reading: Reading) -> bool:
    """Set the units to reach, once: what is left counts where it persists."""
    shown = reading.remote.units if reading.remote else None
    if "target" in job.details:
        return True
    if shown is None and job.details["keep_rest"]:
        return False
    left = dict(shown or ())
    rest = left if job.details["keep_rest"] else dict.fromkeys(left, 0)
    wanted = job.details["units"]
    services = sorted({*left, *wanted})
    target = {each: rest.get(each, 0) + wanted.get(each, 0) for each in services}
    job.details = {**job.details, "target": target, "before": left}
    return True


def _send_refill(dialler: Dialler, job: Job) -> None:
    limits = Limits.from_json({**job.account.limits, "units": job.details["target"]})
    dialler.update_limits(job.account.remote_id, limits)


def _judge_refill(job: Job, reading: Reading, attempt: Attempt | None) -> Verdict:
    """Only this command raises units and calls lower them: any that rose prove it."""
    target, before = job.details.get("target"), job.details.get("before")
    shown = dict(reading.remote.units) if reading.remote and reading.remote.units else None
    if shown is None or target is None or before is None:
        return Verdict.ABSENT if attempt is None else Verdict.UNDECIDED
    if all(shown.get(each, 0) == count for each, count in target.items()):
        return Verdict.APPLIED
    if attempt is None:
        return Verdict.ABSENT
    raised = [each for each, count in target.items() if count > before.get(each, 0)]
    if raised:
        rose = any(shown.get(each, 0) > before.get(each, 0) for each in raised)
    else:
        rose = all(shown.get(each, 0) <= count for each, count in target.items())
    return Verdict.APPLIED if rose else Verdict.ABSENT


def _send_suspend(dialler: Dialler, job: Job) -> None:
    dialler.set_active(job.account.remote_id, active=False)


def _send_unsuspend(dialler: Dialler, job: Job) -> None:
    dialler.set_active(job.account.remote_id, active=True)


def _judge_active(target: bool, reading: Reading) -> Verdict:
    if reading.remote is None:
        return Verdict.UNDECIDED
    return Verdict.APPLIED if reading.remote.active is target else Verdict.ABSENT


def _send_password(dialler: Dialler, job: Job) -> None:
    password = vault.unseal(job.details["sealed"].encode(), purpose=f"job-password:{job.cause}")
    dialler.set_password(job.account.remote_id, password=password)


def _judge_unreadable(job: Job, reading: Reading, attempt: Attempt | None) -> Verdict:
    """A password cannot be read back; setting the same one twice does no harm."""
    return Verdict.ABSENT


def _send_delete(dialler: Dialler, job: Job) -> None:
    dialler.delete(job.account.remote_id)


def _judge_delete(job: Job, reading: Reading, attempt: Attempt | None) -> Verdict:
    return Verdict.APPLIED if reading.remote is None else Verdict.ABSENT


VERBS: dict[str, Verb] = {
    Job.Kind.CREATE: Verb("create", "create", _send_create, _judge_create),
    Job.Kind.SET_LIMITS: Verb("update_limits", "set_limits", _send_limits, _judge_limits),
    Job.Kind.CREDIT: Verb("credit", "credit", _send_credit, _judge_credit, False),
    Job.Kind.TAKE_BACK: Verb(
        "credit", "debit", _send_take_back, _judge_take_back, False, _aim_take_back
    ),
    Job.Kind.REFILL: Verb(
        "update_limits", "set_limits", _send_refill, _judge_refill, aim=_aim_refill
    ),
    Job.Kind.SUSPEND: Verb(
        "suspend", "suspend", _send_suspend, lambda job, reading, _: _judge_active(False, reading)
    ),
    Job.Kind.UNSUSPEND: Verb(
        "unsuspend",
        "suspend",
        _send_unsuspend,
        lambda job, reading, _: _judge_active(True, reading),
    ),
    Job.Kind.CHANGE_PASSWORD: Verb(
        "set_password", "set_password", _send_password, _judge_unreadable
    ),
    Job.Kind.TERMINATE: Verb("delete", "delete", _send_delete, _judge_delete),
}
