"""Credit by our books beside the balance at the dialler. For people to read: nothing corrects it.

The books know what was granted, and what was used when they were last settled; calls use up credit
since. So a lower balance is use, and only a higher one is more than we granted.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import DateTimeField, F, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.models import BucketEntry, CreditBucket
from packages.money import Money
from provisioning.models import Account, Job


@dataclass(frozen=True, slots=True)
class Compared:
    """An account's credit: by kind of entry, what the books hold and expect, what the server has.

    `balance` is None while nobody has read one.
    """

    granted: Money
    used: Money
    taken_back: Money
    coming: Money
    balance: Money | None
    read_at: datetime | None

    @property
    def left(self) -> Money:
        return self.granted - self.used - self.taken_back

    @property
    def beyond(self) -> Money:
        """Return what is there beyond all that we granted or are about to; zero if it is less."""
        zero = Money.zero(self.granted.currency)
        if self.balance is None:
            return zero
        return max(zero, self.balance - self.left - self.coming, key=lambda sum_: sum_.minor)


def compared(account: Account) -> Compared:
    """Return the account's credit as it was last read and booked; reads only."""
    currency = account.server.currency
    entries = BucketEntry.objects.filter(bucket__account=account)
    sums = {kind: Money(0, currency) for kind in BucketEntry.Kind.values}
    for row in entries.order_by("kind").values("kind").annotate(sum=Sum("amount_minor")):
        sums[row["kind"]] = Money(abs(row["sum"]), currency)
    coming = _coming().filter(account=account).aggregate(sum=Sum("amount_minor"))["sum"]
    balance = account.balance_minor
    return Compared(
        granted=sums[BucketEntry.Kind.GRANTED],
        used=sums[BucketEntry.Kind.USED],
        taken_back=sums[BucketEntry.Kind.TAKEN_BACK],
        coming=Money(coming or 0, currency),
        balance=None if balance is None else Money(balance, currency),
        read_at=account.balance_at,
    )


def with_surplus() -> QuerySet[Account]:
    """Return the accounts whose balance, read since their books were settled, is beyond them."""
    of_it = {"account": OuterRef("pk")}
    left = _summed(CreditBucket.objects.filter(**of_it), "left_minor")
    coming = _summed(_coming().filter(**of_it), "amount_minor")
    settled = (
        BucketEntry.objects.filter(bucket__account=OuterRef("pk"))
        .order_by()
        .values("bucket__account")
        .annotate(last=Max("at"))
        .values("last")
    )
    last = Subquery(settled, output_field=DateTimeField())
    open_accounts = Account.objects.exclude(state=Account.State.CLOSED)
    return open_accounts.annotate(expected=left + coming, settled_at=last).filter(
        Q(settled_at__isnull=True) | Q(settled_at__lte=F("balance_at")),
        balance_minor__gt=F("expected"),
    )


def _coming() -> QuerySet[Job]:
    return Job.objects.filter(kind=Job.Kind.CREDIT, state__in=Job.UNFINISHED)


def _summed(rows: QuerySet[CreditBucket] | QuerySet[Job], field: str) -> Coalesce:
    total = rows.order_by().values("account").annotate(sum=Sum(field)).values("sum")
    return Coalesce(Subquery(total), 0)
