"""A customer's credit, line by line: where it came from, what was used of it, when it lapses."""

from dataclasses import dataclass
from datetime import date

from billing import credits
from billing.credits import ORIGIN, Kind
from billing.models import BucketEntry, CreditBucket, Invoice, Subscription
from packages.money import Money

SHOWN = 12


@dataclass(frozen=True, slots=True)
class Line:
    """One bucket as of the last reading. The parts add up: granted is used, taken back and left."""

    bucket: CreditBucket
    granted: Money
    used: Money
    taken_back: Money
    left: Money
    lapses_on: date | None
    invoice: Invoice | None

    @property
    def kind(self) -> str:
        return self.bucket.kind

    @property
    def found(self) -> bool:
        return self.bucket.cause.startswith("found-")


def of(subscription: Subscription) -> list[Line]:
    """Return all credit that is left in the order in which it is used, then the latest used up.

    What the last reading of the balance shows as used is counted, booked or not. Reads only.
    """
    account = subscription.account
    if account is None:
        return []
    full = credits.in_burn_order(account)
    held = sum(bucket.left_minor for bucket in full)
    balance = account.balance_minor
    used = 0 if balance is None else held - max(0, balance)
    burnt = credits.burn([bucket.left_minor for bucket in full], used)
    left = {bucket.pk: bucket.left_minor - part for bucket, part in zip(full, burnt, strict=True)}
    empty = account.buckets.filter(left_minor=0).order_by("-pk")[: max(0, SHOWN - len(full))]
    rows = [*full, *empty]
    taken, invoices = _taken(rows), _invoices(rows)
    return [
        _line(
            bucket,
            subscription,
            left=left.get(bucket.pk, 0),
            taken=taken.get(bucket.pk, 0),
            invoice=invoices.get(bucket.cause),
        )
        for bucket in rows
    ]


def _line(
    bucket: CreditBucket,
    subscription: Subscription,
    *,
    left: int,
    taken: int,
    invoice: Invoice | None,
) -> Line:
    def money(minor: int) -> Money:
        return Money(minor, bucket.currency)

    lapses_on = bucket.expires_on
    if bucket.kind == Kind.RESETTING and left:
        lapses_on = subscription.allowance_on or subscription.paid_until
    used = bucket.granted_minor - left - taken
    return Line(
        bucket,
        money(bucket.granted_minor),
        money(used),
        money(taken),
        money(left),
        lapses_on,
        invoice,
    )


def _taken(buckets: list[CreditBucket]) -> dict[int, int]:
    entries = BucketEntry.objects.filter(bucket__in=buckets, kind=BucketEntry.Kind.TAKEN_BACK)
    taken: dict[int, int] = {}
    for bucket_id, amount in entries.values_list("bucket_id", "amount_minor"):
        taken[bucket_id] = taken.get(bucket_id, 0) - amount
    return taken


def _invoices(buckets: list[CreditBucket]) -> dict[str, Invoice]:
    """Return the invoice that each bucket came with, by the bucket's cause; two queries."""
    by_table: dict[str, dict[int, str]] = {"order-line": {}, "invoice-line": {}}
    for bucket in buckets:
        match = ORIGIN.fullmatch(bucket.cause)
        if match:
            by_table[match.group(1)][int(match.group(2))] = bucket.cause
    found: dict[str, Invoice] = {}
    for path, causes in (
        ("order__lines", by_table["order-line"]),
        ("lines", by_table["invoice-line"]),
    ):
        rows = Invoice.objects.filter(
            **{f"{path}__in": list(causes)}, kind=Invoice.Kind.INVOICE
        ).values_list(f"{path}__pk", "pk")
        pairs = {line: invoice for line, invoice in rows if line in causes} if causes else {}
        invoices = Invoice.objects.in_bulk(set(pairs.values()))
        found |= {causes[line]: invoices[invoice] for line, invoice in pairs.items()}
    return found
