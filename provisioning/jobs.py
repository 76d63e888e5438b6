"""What may be asked of the dialler. Asking inserts a row in the caller's transaction; no HTTP
here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, Max, OuterRef

from packages import states
from packages.doorbell import ring_each
from packages.money import Money
from provisioning import tasks, vault
from provisioning.dialler.base import Limits
from provisioning.models import Account, Job


@dataclass(frozen=True, slots=True)
class Wish:
    """A job to be: for one account, for one cause, with absolute targets."""

    account: Account
    kind: Job.Kind
    cause: str
    bundle: str = ""
    amount: Money | None = None
    details: dict[str, Any] = field(default_factory=dict)
    not_before: datetime | None = None
    currency: str = ""
    overtakes: bool = False


def add(wishes: Sequence[Wish], *, at: datetime, actor: states.Said) -> list[Job]:
    """Insert a job for every wish whose cause has none yet, in order, and ring after commit.

    `actor` is one for all, or one for each wish. Needs an open transaction; locks the accounts (by
    id), so that their sequence has no gap. A repeated call inserts nothing and returns the jobs of
    the first one. A deletion that waits for its day stays the account's last job, so that nothing
    asked for until then waits for it.
    """
    if not wishes:
        return []
    accounts = sorted({wish.account.pk for wish in wishes})
    list(Account.objects.select_for_update().filter(pk__in=accounts).order_by("pk").only("pk"))
    causes = [wish.cause for wish in wishes]
    jobs = {job.cause: job for job in Job.objects.filter(cause__in=causes)}
    by = zip(wishes, states.for_each(actor, wishes), strict=True)
    new = [(wish, who) for wish, who in by if wish.cause not in jobs]
    fresh = _rows([wish for wish, _ in new], accounts, at=at)
    one = actor if isinstance(actor, str) else [who for _, who in new]
    states.insert(fresh, at=at, actor=one, reason="asked")
    jobs |= {job.cause: job for job in (*fresh, *_delete_last(accounts))}
    ring_each(tasks.run_account, accounts)
    asked = (jobs[cause] for cause in dict.fromkeys(causes))
    return sorted(asked, key=lambda job: (job.account_id, job.seq))


def create_account(
    account: Account, *, cause: str, credit: Money, at: datetime, actor: str, role: str = ""
) -> list[Job]:
    """Ask for the account itself, its limits and its opening credit: one job each, in this order.
    Without a `role` it gets the default of the server that it goes to.

    Three jobs, because each may stop half-way on its own and is resumed at the missing step.
    """
    wishes = [
        Wish(
            account,
            Job.Kind.CREATE,
            f"{cause}:create",
            cause,
            details={"role": role} if role else {},
        ),
        _limits_wish(account, cause=f"{cause}:limits", bundle=cause),
    ]
    if credit.minor > 0:
        wishes.append(Wish(account, Job.Kind.CREDIT, f"{cause}:credit", cause, credit))
    return add(wishes, at=at, actor=actor)


def credit(
    account: Account,
    amount: Money,
    *,
    cause: str,
    at: datetime,
    actor: str,
    details: dict[str, Any] | None = None,
) -> list[Job]:
    """Ask for credit, once per cause. The cause travels to the dialler as our reference."""
    return add([credit_wish(account, amount, cause=cause, details=details)], at=at, actor=actor)


def credit_wish(
    account: Account, amount: Money, *, cause: str, details: dict[str, Any] | None = None
) -> Wish:
    return Wish(account, Job.Kind.CREDIT, cause, cause, amount, details=details or {})


def take_back(
    account: Account,
    *,
    keep: Money,
    most: Money,
    cause: str,
    at: datetime,
    actor: str,
    always: bool = False,
) -> list[Job]:
    """Ask that the balance is lowered to `keep`, by `most` at the most; once per cause.

    How much that is, is decided when the job reads the balance: what was spent by then is not
    taken, and `keep` is never touched. `always`: never left to the customer, whatever the server is
    set to; what its API cannot, staff do.
    """
    wish = take_back_wish(account, keep=keep, most=most, cause=cause, always=always)
    return add([wish], at=at, actor=actor)


def take_back_wish(
    account: Account, *, keep: Money, most: Money, cause: str, always: bool = False
) -> Wish:
    details = {"keep_minor": keep.minor, "most_minor": most.minor, "always": always}
    kind = Job.Kind.TAKE_BACK
    return Wish(account, kind, cause, cause, details=details, currency=keep.currency)


def unaimed_take_backs(account: Account) -> list[Job]:
    """Return the account's take-backs that no reading has given a target yet."""
    waiting = Job.objects.filter(
        account=account, kind=Job.Kind.TAKE_BACK, state__in=Job.UNFINISHED
    ).order_by("seq")
    return [job for job in waiting if "target_minor" not in job.details]


def bound_take_back(job: Job, *, keep: Money, most: Money) -> None:
    """Replace what an unaimed take-back keeps and takes at most; needs its account's lock."""
    job.details = {**job.details, "keep_minor": keep.minor, "most_minor": most.minor}
    job.save(update_fields=["details"])


def refill_wish(account: Account, units: dict[str, int], *, keep_rest: bool, cause: str) -> Wish:
    """Return the wish for included units: these, or these beside what is left of the old."""
    details = {"units": units, "keep_rest": keep_rest}
    return Wish(account, Job.Kind.REFILL, cause, cause, details=details)


def set_limits(
    account: Account, limits: Limits, *, cause: str, at: datetime, actor: str
) -> list[Job]:
    """Make these the account's limits, also after an exchange; data and credit stay."""
    account.limits = limits.to_json()
    account.save(update_fields=["limits"])
    return add([_limits_wish(account, cause=cause, bundle=cause)], at=at, actor=actor)


def restore_limits(account: Account, *, cause: str, at: datetime, actor: str) -> list[Job]:
    """Ask for the account's limits once more; included units stay as they are at the dialler."""
    details = {"limits": {**account.limits, "keep_units": True}}
    wish = Wish(account, Job.Kind.SET_LIMITS, cause, cause, details=details)
    return add([wish], at=at, actor=actor)


def suspend(
    account: Account, *, cause: str, at: datetime, actor: str, at_once: bool = False
) -> list[Job]:
    """Ask that the account can neither sign in nor send; balance and data stay.

    `at_once` (fraud, a chargeback): before all that waits or is parked. What it overtakes may
    still have an effect that comes late, so the account is looked at once more in its turn; and
    what would let it run again is cancelled.
    """
    wish = Wish(account, Job.Kind.SUSPEND, cause, cause)
    if not at_once:
        return add([wish], at=at, actor=actor)
    Account.objects.select_for_update().get(pk=account.pk)
    _cancel_returns(account, cause, at=at, actor=actor)
    again = Wish(account, Job.Kind.SUSPEND, f"{cause}:again", cause)
    # Before the dialler has made the account there is nothing to suspend, so it takes its turn.
    made = Account.objects.filter(pk=account.pk).exclude(remote_id="").exists()
    return add([replace(wish, overtakes=made), again], at=at, actor=actor)


def _cancel_returns(account: Account, cause: str, *, at: datetime, actor: str) -> None:
    """Cancel what would let the account run again and was not sent yet; it is locked."""
    waiting = account.jobs.filter(kind=Job.Kind.UNSUSPEND, state=Job.State.WAITING)
    for job in waiting.filter(attempts__isnull=True):
        job.finished_at, job.reason = at, f"overtaken by {cause}"[:300]
        also = ("finished_at", "reason")
        job.move(Job.State.CANCELLED, at=at, actor=actor, reason=job.reason, also=also)


def unsuspend(account: Account, *, cause: str, at: datetime, actor: str) -> list[Job]:
    """Ask that a suspended account runs again."""
    return add([Wish(account, Job.Kind.UNSUSPEND, cause, cause)], at=at, actor=actor)


def change_password(
    account: Account, password: str, *, cause: str, at: datetime, actor: str
) -> list[Job]:
    """Ask for another password; it is kept sealed until the dialler has it, then destroyed."""
    sealed = vault.seal(password, purpose=f"job-password:{cause}").decode()
    wish = Wish(account, Job.Kind.CHANGE_PASSWORD, cause, cause, details={"sealed": sealed})
    return add([wish], at=at, actor=actor)


def terminate(
    account: Account, *, cause: str, delete_at: datetime, at: datetime, actor: str
) -> list[Job]:
    """Ask to suspend the account now and to delete it for good at `delete_at` (aware UTC)."""
    wishes = [
        Wish(account, Job.Kind.SUSPEND, f"{cause}:suspend", cause),
        Wish(account, Job.Kind.TERMINATE, f"{cause}:delete", cause, not_before=delete_at),
    ]
    return add(wishes, at=at, actor=actor)


def terminates_at(account: Account) -> datetime | None:
    """Return when the account will be deleted, None where that is not planned or has begun."""
    job = _termination(account)
    return job.run_at if job else None


def call_off_termination(account: Account, *, at: datetime, actor: str) -> bool:
    """Cancel the waiting deletion, with the account's lock; False if there is none, or it began."""
    Account.objects.select_for_update().get(pk=account.pk)
    job = _termination(account)
    if job is None:
        return False
    job.finished_at = at
    job.move(Job.State.CANCELLED, at=at, actor=actor, reason="called off", also=("finished_at",))
    return True


def _termination(account: Account) -> Job | None:
    """Return the deletion that waits and of which nothing was sent yet."""
    waiting = account.jobs.filter(kind=Job.Kind.TERMINATE, state=Job.State.WAITING)
    return waiting.filter(attempts__isnull=True).first()


def read_balances(accounts: Iterable[Account], *, at: datetime, actor: str) -> list[Job]:
    """Ask for the balances as of now; one reading per account and minute at most."""
    minute = f"{at:%Y%m%dT%H%M}"
    wishes = [
        Wish(account, Job.Kind.READ_BALANCE, f"balance-{account.pk}-{minute}")
        for account in accounts
    ]
    return add(wishes, at=at, actor=actor)


def _limits_wish(account: Account, *, cause: str, bundle: str) -> Wish:
    return Wish(account, Job.Kind.SET_LIMITS, cause, bundle, details={"limits": account.limits})


def _delete_last(accounts: Iterable[int]) -> list[Job]:
    """Move planned deletions behind the jobs that were just added, and return what was moved; the
    accounts are locked.
    """
    later = Job.objects.filter(account=OuterRef("account"), seq__gt=OuterRef("seq"))
    planned = Job.objects.filter(
        Exists(later),
        account_id__in=accounts,
        kind=Job.Kind.TERMINATE,
        state=Job.State.WAITING,
        attempts__isnull=True,
    )
    moved = list(planned)
    for job in moved:
        last = Job.objects.filter(account=job.account_id).aggregate(Max("seq"))["seq__max"]
        job.seq = last + 1
        job.save(update_fields=["seq"])
    return moved


def _rows(wishes: Sequence[Wish], accounts: Sequence[int], *, at: datetime) -> list[Job]:
    """Number the wishes onwards from each account's last job; the accounts are locked."""
    assert transaction.get_connection().in_atomic_block, "Jobs belong to the caller's transaction."
    last = dict(
        Job.objects.filter(account_id__in=accounts)
        .values_list("account_id")
        .annotate(Max("seq"))
        .values_list("account_id", "seq__max")
    )
    rows = []
    for wish in wishes:
        last[wish.account.pk] = last.get(wish.account.pk, 0) + 1
        rows.append(
            Job(
                account=wish.account,
                kind=wish.kind,
                cause=wish.cause,
                bundle=wish.bundle,
                seq=last[wish.account.pk],
                amount_minor=wish.amount.minor if wish.amount else None,
                currency=wish.amount.currency if wish.amount else wish.currency,
                details=wish.details,
                overtakes=wish.overtakes,
                created_at=at,
                run_at=wish.not_before or at,
            )
        )
    return rows
