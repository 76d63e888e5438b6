"""Credit at the dialler, told apart by where it came from: which is used first, which may lapse.

The dialler knows one balance. We know what was granted; what was used is the difference, and it
burns in one order: what resets first, then gifts by their expiry, then what persists, then what was
paid. So nobody loses paid money to a reset.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import QuerySet

from billing.models import BucketEntry, CreditBucket, InvoiceLine, OrderLine, Subscription
from packages.models import Package
from packages.money import Money
from packages.sweeping import rows_written_once
from provisioning import jobs
from provisioning.models import Account, Attempt, Job

Kind = CreditBucket.Kind
BURN_ORDER = (Kind.RESETTING, Kind.PROMOTIONAL, Kind.PERSISTING, Kind.PAID)
ORIGIN = re.compile(r"(order-line|invoice-line)-(\d+):credit")
GIFT = "gift"
ACTOR = "system:billing"
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Lot:
    """Credit of one kind: a bucket, or what a job that has not run yet will grant."""

    kind: str
    left_minor: int
    expires_on: date | None
    bucket: CreditBucket | None = None


def burn(parts: Sequence[int], used: int) -> list[int]:
    """Return how much of each part is used, the first one first; never more than there is."""
    taken = []
    for part in parts:
        taken.append(max(0, min(part, used)))
        used -= taken[-1]
    return taken


def book(job: Job, *, at: datetime) -> None:
    """Write down what a finished job did to its account's credit: a grant, or something taken back.

    Before that, what was used since the last time: grants less the balance that the job read. Then
    the take-backs behind it learn what is left for them. Runs in the transaction that ends the job,
    under its account's lock.
    """
    before = _balance_before(job, at=at)
    if before is not None:
        _settle(job, before, at=at)
    assert job.amount_minor is not None or job.kind != Job.Kind.CREDIT
    if job.kind == Job.Kind.CREDIT:
        kind, expires_on = _kind_of(job)
        granted = job.amount_minor or 0
        _grant(job.account, granted, kind, job.cause, expires_on=expires_on, at=at)
    elif job.amount_minor:
        _take(job, job.amount_minor, at=at)
    _bound_take_backs(job.account)


def lots(account: Account) -> list[Lot]:
    """Return all credit of an account in the order in which it is used, that on its way included.

    Locks the account, so that no job of it ends meanwhile.
    """
    Account.objects.select_for_update().get(pk=account.pk)
    unfinished = Job.objects.filter(
        account=account, kind=Job.Kind.CREDIT, state__in=Job.UNFINISHED
    ).order_by("seq")
    coming = [(job.amount_minor or 0, *_kind_of(job)) for job in unfinished]
    found = [
        Lot(each.kind, each.left_minor, each.expires_on, each) for each in in_burn_order(account)
    ]
    found += [Lot(kind, minor, expires_on) for minor, kind, expires_on in coming]
    return sorted(found, key=_rank)


def in_burn_order(account: Account) -> list[CreditBucket]:
    """Return the buckets that hold something, the first to be used first."""
    return sorted(_holding(account.pk), key=_rank)


@rows_written_once
def _holding(account_id: int) -> QuerySet[CreditBucket]:
    return CreditBucket.objects.filter(account=account_id, left_minor__gt=0).order_by("pk")


def gift(
    account: Account,
    amount: Money,
    *,
    expires_on: date | None,
    cause: str,
    reason: str,
    at: datetime,
    actor: str,
) -> list[Job]:
    """Ask for free credit, once per cause; it may expire. Needs a transaction.

    The reason stays with the job, for whoever asks why.
    """
    details = {GIFT: expires_on.isoformat() if expires_on else "", "reason": reason}
    return jobs.credit(account, amount, cause=cause, at=at, actor=actor, details=details)


def found(account: Account, minor: int, *, cause: str, at: datetime) -> None:
    """Book credit that nobody here granted; it counts as paid, so it never lapses."""
    _grant(account, minor, Kind.PAID, f"found-{cause}", expires_on=None, at=at)


def expire(on: date, *, at: datetime) -> int:
    """Ask to take back what is left of gifts whose day has come, once each; return how many."""
    asked = 0
    for bucket in expired(on):
        cause = f"bucket-{bucket.pk}:expired"
        if not Job.objects.filter(cause=cause).exists():
            with transaction.atomic():
                take_back_one(bucket, cause=cause, at=at, actor=ACTOR)
            asked += 1
    return asked


def expired(on: date) -> QuerySet[CreditBucket]:
    """Return the gifts whose day has come and of which something is left."""
    due = CreditBucket.objects.filter(left_minor__gt=0, expires_on__lte=on).order_by("pk")
    return due.select_related("account")


def take_back_one(
    bucket: CreditBucket, *, cause: str, at: datetime, actor: str, always: bool = False
) -> None:
    """Ask for what is left of a bucket; what is used after it is kept.

    With `always` staff do it where the API cannot.

    Needs a transaction; takes the account's lock.
    """
    later = False
    keep = Money.zero(bucket.currency)
    for lot in lots(bucket.account):
        if later:
            keep += Money(lot.left_minor, bucket.currency)
        later = later or lot.bucket == bucket
    most = Money(bucket.left_minor, bucket.currency)
    jobs.take_back(
        bucket.account, keep=keep, most=most, cause=cause, at=at, actor=actor, always=always
    )


def _balance_before(job: Job, *, at: datetime) -> int | None:
    """Return the balance as it was read before the command; None where it is unknown."""
    sent = job.attempts.filter(outcome__in=(Attempt.Outcome.DONE, Attempt.Outcome.APPLIED)).last()
    if sent is not None:
        before: int | None = sent.before.get("balance_minor")
        return before
    # Nothing was to be taken back: the job's own reading has just been kept.
    return job.account.balance_minor if job.account.balance_at == at else None


def _settle(job: Job, balance: int, *, at: datetime) -> None:
    """Book what was used; a balance above all that was granted is somebody's gift, kept as paid."""
    buckets = in_burn_order(job.account)
    held = sum(bucket.left_minor for bucket in buckets)
    if balance > held:
        found(job.account, balance - held, cause=job.cause, at=at)
    parts = burn([bucket.left_minor for bucket in buckets], held - max(balance, 0))
    _lower(buckets, parts, BucketEntry.Kind.USED, job.cause, at=at)


def _take(job: Job, amount: int, *, at: datetime) -> None:
    """Take the amount out of what the job was about: one gift, or all that resets."""
    gone = [each for each in in_burn_order(job.account) if _lapses(each, job)]
    parts = burn([bucket.left_minor for bucket in gone], amount)
    _lower(gone, parts, BucketEntry.Kind.TAKEN_BACK, job.cause, at=at)


def _bound_take_backs(account: Account) -> None:
    """Let what waits to be taken back be what is left of it, and keep all that is used later.

    When it was asked for, other jobs stood before it: by now what it is about may be used up, and
    the balance be credit that came since.
    """
    held = in_burn_order(account)
    for job in jobs.unaimed_take_backs(account):
        gone = [bucket.left_minor for bucket in held if _lapses(bucket, job)]
        after = [each.left_minor for each in held[_end(held, job) :]]
        currency = job.currency
        jobs.bound_take_back(job, keep=Money(sum(after), currency), most=Money(sum(gone), currency))


def _end(held: Sequence[CreditBucket], job: Job) -> int:
    """Return the place behind the last bucket that the job is about; zero where none is left."""
    return max((place for place, each in enumerate(held, 1) if _lapses(each, job)), default=0)


def _lapses(bucket: CreditBucket, job: Job) -> bool:
    if job.cause.startswith("bucket-"):
        return job.cause.startswith(f"bucket-{bucket.pk}:")
    renewal = job.cause.removesuffix(":take-back")
    return bucket.kind == Kind.RESETTING and bucket.cause != f"{renewal}:credit"


def _lower(
    buckets: Sequence[CreditBucket],
    parts: Sequence[int],
    kind: BucketEntry.Kind,
    cause: str,
    *,
    at: datetime,
) -> None:
    changed = [(bucket, part) for bucket, part in zip(buckets, parts, strict=True) if part]
    for bucket, part in changed:
        bucket.left_minor -= part
    CreditBucket.objects.bulk_update([bucket for bucket, _ in changed], ["left_minor"])
    BucketEntry.objects.bulk_create(
        BucketEntry(bucket=bucket, kind=kind, amount_minor=-part, cause=cause, at=at)
        for bucket, part in changed
    )


def _grant(
    account: Account, amount: int, kind: str, cause: str, *, expires_on: date | None, at: datetime
) -> None:
    currency = account.server.currency
    bucket = CreditBucket.objects.create(
        account=account,
        kind=kind,
        cause=cause,
        currency=currency,
        granted_minor=amount,
        left_minor=amount,
        expires_on=expires_on,
        at=at,
    )
    granted = BucketEntry.Kind.GRANTED
    BucketEntry.objects.create(bucket=bucket, kind=granted, amount_minor=amount, cause=cause, at=at)


def _kind_of(job: Job) -> tuple[str, date | None]:
    """Say what the credit of a job is: what nobody can call free counts as paid."""
    if GIFT in job.details:
        day = job.details[GIFT]
        return (Kind.PROMOTIONAL, date.fromisoformat(day)) if day else (Kind.PERSISTING, None)
    subscription = _included_in(job.cause)
    if subscription is None:
        return Kind.PAID, None
    resets = subscription.allowance == Package.Allowance.RESET
    return (Kind.RESETTING if resets else Kind.PERSISTING), None


def _included_in(cause: str) -> Subscription | None:
    """Return the subscription that the credit is included in, None when it was bought."""
    match = ORIGIN.fullmatch(cause)
    if match is None:
        return None
    table, identity = match.group(1), int(match.group(2))
    if table == "invoice-line":
        line = InvoiceLine.objects.select_related("subscription").filter(pk=identity).first()
        return line.subscription if line else None
    lines = OrderLine.objects.select_related("subscription__package")
    new = lines.filter(
        pk=identity,
        kind=OrderLine.Kind.NEW,
        package__kind=Package.Kind.SUBSCRIPTION,
    ).first()
    return new.subscription if new else None


def _rank(lot: Lot | CreditBucket) -> tuple[int, date]:
    """Sort by the order of use; what was granted first is used first, for sorting is stable."""
    return BURN_ORDER.index(Kind(lot.kind)), lot.expires_on or date.max


def left_of(lots: Iterable[Lot], *kinds: str) -> int:
    """Add up what is left of these kinds."""
    return sum(lot.left_minor for lot in lots if lot.kind in kinds)
