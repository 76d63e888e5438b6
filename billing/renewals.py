"""Invoice what renews: one invoice for each subscription and period, however often this runs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import groupby, takewhile

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from billing import (
    coupons,
    emails,
    invoice_days,
    invoices,
    locks,
    price_changes,
    terms,
)
from billing.models import (
    Brand,
    Coupon,
    Exchange,
    Invoice,
    InvoiceLine,
    Redemption,
    Subscription,
    current_brand,
)
from packages import rows
from packages.models import Package
from packages.money import Money
from packages.periods import Cycle, Period, index_of, period
from packages.sweeping import Quarantine

CHUNK = 1000
ACTOR = "system:billing"
# A line's text by package, cycle, language and coupon; many lines say the same.
Said = Callable[[Package, str, str, Coupon | None], str]


@dataclass(frozen=True, slots=True)
class Issued:
    """An invoice as a run's report shows it."""

    number: str
    customer: str
    due_on: date
    total: Money


def bill(on: date, *, at: datetime, quarantine: Quarantine | None = None) -> list[Issued]:
    """Issue and announce the invoice of every period whose day has come, in chunks of 1,000.

    Each chunk is a transaction of its own, and takes its subscriptions out of what is due, so a run
    that was killed is simply begun again, and two at once share the work. A subscription that was
    forgotten for long gets one invoice for each period. A chunk that fails is done again customer
    by customer, and what then fails is kept in the quarantine; without one it raises, e.g.
    tax.NoRate.
    """
    brand, issued, bad = current_brand(), list[Issued](), list[int]()
    last: locks.Place | None = None
    again = False
    while True:
        due: list[Subscription] = []
        following: locks.Place | None = None
        try:
            with transaction.atomic():
                found = locks.take_due(on, limit=CHUNK + 1, after=last, but=bad)
                due = _whole(found)
                following = locks.place_of(due[-1]) if len(found) > CHUNK else None
                invoiced = _bill(due, brand, on=on, at=at)
        # The edge of a run: done again by parts, where each fault is logged and recorded.
        except Exception:
            if quarantine is None or not due:
                raise
            invoiced = []
            for _customer, theirs in groupby(due, key=lambda each: each.customer_id):
                ids = [each.pk for each in theirs]
                invoiced += _apart(ids, bad, brand, on=on, at=at, quarantine=quarantine)
        issued += [_shown(each) for each in invoiced]
        again = again or any(_is_due(each, on) for each in due)
        if following is None and not again:
            return issued
        # To go on behind the last one passes by what the index still holds of those before; at the
        # end it begins again, if somebody has a second period due.
        last, again = following, again and following is not None


def _is_due(subscription: Subscription, on: date) -> bool:
    return subscription.next_invoice_on is not None and subscription.next_invoice_on <= on


def _whole(due: list[Subscription]) -> list[Subscription]:
    """Leave the last customer to the next chunk where there is more: what renews on a day is on one
    invoice. Whoever fills a chunk alone is not left.
    """
    if len(due) <= CHUNK:
        return due
    of_last = (due[-1].next_invoice_on, due[-1].customer_id)
    theirs = takewhile(
        lambda each: (each.next_invoice_on, each.customer_id) == of_last, reversed(due)
    )
    return due[: -sum(1 for _ in theirs)] or due


def _apart(
    ids: Sequence[int],
    bad: list[int],
    brand: Brand,
    *,
    on: date,
    at: datetime,
    quarantine: Quarantine,
) -> list[Invoice]:
    """Invoice these in a transaction of their own, and where that fails each in its own; what then
    fails joins the bad ones.
    """
    alone = len(ids) == 1
    faults = quarantine if alone else Quarantine()
    before, invoiced = len(faults.faults), list[Invoice]()
    with faults.item(f"subscription {ids[0]}, renewal"), transaction.atomic():
        invoiced += _bill(locks.take_due(on, limit=len(ids), only=ids), brand, on=on, at=at)
    if len(faults.faults) == before:
        return invoiced
    if alone:
        bad.append(ids[0])
        return []
    each_alone = (_apart([each], bad, brand, on=on, at=at, quarantine=quarantine) for each in ids)
    return [invoice for some in each_alone for invoice in some]


def _bill(
    due: Sequence[Subscription], brand: Brand, *, on: date, at: datetime
) -> Sequence[Invoice]:
    """Invoice the next period of each at its price, and announce it; needs their locks."""
    if not due:
        return []
    agreed = terms.scheduled([each for each in due if getattr(each, "has_agreed", True)])
    stretches = next_periods(due, agreed)
    wanted = [each for each in due if _has_come(each, stretches[each.pk], brand, on)]
    starts = {key: stretch.start_on for key, stretch in stretches.items()}
    # What is exchanged was agreed at its own price.
    told = [each for each in wanted if each.pk not in agreed and getattr(each, "was_told", True)]
    price_changes.apply(told, starts, at=at)
    as_charged = {
        each.pk: terms.applied(each, agreed.get(each.pk), stretches[each.pk].start_on)
        for each in wanted
    }
    lowered = coupons.running(as_charged.values())
    groups = _grouped(list(as_charged.values()), stretches, brand)
    said = cache(_said)
    drafts = [draft(group, stretches, lowered, said) for group in groups]
    issued = invoices.issue(drafts, brand, at=at, actor=ACTOR)
    billed = {each.pk for each in wanted}
    for each in due:
        stretch = stretches[each.pk]
        start_on = stretch.end_on if each.pk in billed else stretch.start_on
        each.next_invoice_on = invoice_days.day(each, start_on, brand)
    rows.update(due, "next_invoice_on")
    emails.invoice_issued(issued, brand, at=at)
    return issued


def next_periods(due: Sequence[Subscription], agreed: Mapping[int, Exchange]) -> dict[int, Period]:
    """Return for each the first period that is neither paid for nor invoiced; one query."""
    until = invoice_days.invoiced_until(due)
    return {each.pk: _period_after(each, until.get(each.pk), agreed.get(each.pk)) for each in due}


def _period_after(
    subscription: Subscription, invoiced_until: date | None, agreed: Exchange | None = None
) -> Period:
    assert subscription.anchor_on is not None, "What is due has its anchor (constraint)."
    assert subscription.paid_until is not None, "What is due has been paid for once."
    start_on = max(subscription.paid_until, invoiced_until or date.min)
    subscription = terms.applied(subscription, agreed, start_on)
    assert subscription.anchor_on is not None, "Other terms have an anchor as well."
    index = index_of(subscription.anchor_on, subscription.cycle, start_on)
    return period(subscription.anchor_on, subscription.cycle, index)


def _has_come(subscription: Subscription, stretch: Period, brand: Brand, on: date) -> bool:
    day = invoice_days.day(subscription, stretch.start_on, brand)
    return day is not None and day <= on


def _grouped(
    wanted: Sequence[Subscription], stretches: Mapping[int, Period], brand: Brand
) -> list[list[Subscription]]:
    """Return what goes on one invoice each: a customer's periods of one day and currency."""
    groups: dict[tuple[object, ...], list[Subscription]] = {}
    for each in wanted:
        day = stretches[each.pk].start_on
        key = (each.customer_id, each.currency, day) if brand.one_invoice else (each.pk,)
        groups.setdefault(key, []).append(each)
    return list(groups.values())


def draft(
    group: Sequence[Subscription],
    stretches: Mapping[int, Period],
    lowered: Mapping[int, Redemption],
    said: Said,
) -> invoices.Draft:
    """Return the one invoice of these subscriptions' periods; what lowers them is by their ids."""
    first = group[0]
    lines = [
        line
        for each in group
        for line in _lines(each, stretches[each.pk], lowered.get(each.pk), said)
    ]
    return invoices.Draft(
        first.customer,
        first.currency,
        first.customer.language,
        tuple(lines),
        due_on=stretches[first.pk].start_on,
    )


def _lines(
    subscription: Subscription, stretch: Period, redemption: Redemption | None, said: Said
) -> Iterator[invoices.Line]:
    """Yield the period's charge, and what a coupon takes off it, in the customer's language."""
    sold = (subscription.package, subscription.cycle, subscription.customer.language)
    yield invoices.Line(
        InvoiceLine.Kind.RECURRING,
        said(*sold, None),
        subscription.unit,
        subscription,
        period=stretch,
        quantity=subscription.quantity,
    )
    if redemption is not None and (off := redemption.of(subscription.amount)):
        yield invoices.Line(
            InvoiceLine.Kind.DISCOUNT,
            said(*sold, redemption.coupon),
            -off,
            subscription,
            period=stretch,
            redemption=redemption,
        )


def _said(package: Package, cycle: str, language: str, coupon: Coupon | None) -> str:
    """Return what a line says: the period's charge, or what the coupon takes off it."""
    with translation.override(language):
        name = package.text("name")
        if coupon is not None:
            return coupons.describe(coupon, name)
        return _("%(package)s, %(cycle)s") % {"package": name, "cycle": Cycle(cycle).label}


def _shown(invoice: Invoice) -> Issued:
    assert invoice.due_on is not None, "An issued invoice is due some day."
    return Issued(str(invoice.number), str(invoice.customer), invoice.due_on, invoice.total)
