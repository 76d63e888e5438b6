"""What is charged next: the first period of each service that is neither paid for nor invoiced."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef, QuerySet

from billing import coupons, invoices, locks, price_changes, renewals, tax, terms, vat_ids
from billing.models import Brand, Coupon, Exchange, Redemption, Subscription
from packages.models import Package
from packages.money import Money, total


@dataclass(frozen=True, slots=True)
class Charge:
    """A service as its next renewal charges it, which is not saved, and what is paid then."""

    service: Subscription
    on: date
    amount: Money


@dataclass(frozen=True, slots=True)
class Coming:
    """What is charged on the earliest day, by service and in all, a sum for each currency."""

    on: date
    charges: list[Charge]
    sums: list[Money]


def marked(rows: QuerySet[Subscription]) -> QuerySet[Subscription]:
    """Mark what changes a row's next charge, so that `of` asks for it only where it is."""
    coupon = Redemption.objects.filter(subscription=OuterRef("pk"), released_at__isnull=True)
    return rows.annotate(
        has_agreed=Exists(locks.agreed()),
        was_told=Exists(locks.told()),
        has_coupon=Exists(coupon),
    )


def of(
    services: Sequence[Subscription],
    brand: Brand,
    *,
    agreed: Mapping[int, Exchange],
    on: date,
) -> Coming | None:
    """Return what is charged next of a customer's services; None when nothing is. Reads only.

    Worked out as the renewal will be: with the packages that are `agreed` (terms.scheduled), a new
    price that was told, a coupon that still runs, and the buyer's tax.
    """
    goes_on = [each for each in services if each.state == Subscription.State.ACTIVE]
    goes_on = [each for each in goes_on if each.recurs and each.paid_until is not None]
    if not goes_on:
        return None
    stretches = renewals.next_periods(goes_on, agreed)
    starts = {key: stretch.start_on for key, stretch in stretches.items()}
    left = [each for each in goes_on if each.ends_on is None or starts[each.pk] < each.ends_on]
    if not left:
        return None
    first_on = min(starts[each.pk] for each in left)
    charged = [
        terms.applied(copy(each), agreed.get(each.pk), first_on)
        for each in left
        if starts[each.pk] == first_on
    ]
    _reprice([each for each in _with(charged, "was_told") if each.pk not in agreed], starts)
    lowered = coupons.running(_with(charged, "has_coupon"))
    rates, buyer = tax.known_rates(), charged[0].customer
    proven = vat_ids.proven([buyer.vat_id], on=on) if vat_ids.matters(buyer, brand) else ()

    def priced(group: Sequence[Subscription]) -> Money:
        draft = renewals.draft(group, stretches, lowered, _unsaid)
        try:
            return invoices.price(draft, brand, on=on, rates=rates, proven=proven).sums.total
        except tax.NoRate:
            return total([each.amount.times(each.quantity) for each in draft.lines], draft.currency)

    return Coming(
        first_on,
        [Charge(each, first_on, priced([each])) for each in charged],
        [
            priced([each for each in charged if each.currency == currency])
            for currency in sorted({each.currency for each in charged})
        ],
    )


def _with(rows: Sequence[Subscription], mark: str) -> list[Subscription]:
    return [each for each in rows if getattr(each, mark, True)]


def _reprice(charged: Sequence[Subscription], starts: Mapping[int, date]) -> None:
    by_id = {each.pk: each for each in charged}
    for notice in price_changes.told(charged, starts) if charged else []:
        row = by_id[notice.subscription_id]
        row.amount_minor = notice.change.amount_of(row).minor
        row.credit_minor = notice.change.credit_of(row).minor


def _unsaid(package: Package, cycle: str, language: str, coupon: Coupon | None) -> str:
    return ""
