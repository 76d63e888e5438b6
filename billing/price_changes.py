"""Prices that change on a day: told in time to whom they concern, and applied as they were told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import translation

from billing import emails, invoices, locks, tax
from billing.models import (
    Brand,
    InvoiceLine,
    Mail,
    PriceChange,
    PriceNotice,
    Subscription,
    current_brand,
)
from packages import prices, rows
from packages.money import Money
from packages.periods import RECURRING, business_day, first_from, index_of, period
from packages.states import record_changes

CHUNK = 500
ACTOR = "system:billing"
LIVING = (Subscription.State.ACTIVE, Subscription.State.SUSPENDED)


class NotPossible(Exception):
    """The change is not a draft any more, begins before today, or the catalogue has it already."""


@dataclass(frozen=True, slots=True)
class Concerned:
    """A subscription whose price will change: from which day, and its catalogue amounts."""

    subscription: Subscription
    starts_on: date
    before: Money
    after: Money


def concerned(change: PriceChange, brand: Brand, *, on: date) -> list[Concerned]:
    """Return whom a change concerns that is told on that day, and from when; reads only.

    Each from the first period that begins on its day or later, and after the days of notice. None
    where it is for new orders only.
    """
    return [_concerned(change, each, brand, on=on) for each in _untold(change)]


def confirm(change: PriceChange, *, on: date, at: datetime, actor: str) -> PriceChange:
    """Let the change come; the next run tells whom it concerns. Locks it; raises NotPossible."""
    with transaction.atomic():
        held = locks.take_price_change(change.pk)
        if held.state != PriceChange.State.DRAFT or held.effective_on < on:
            raise NotPossible
        held.move(PriceChange.State.CONFIRMED, at=at, actor=actor, reason="confirmed")
    return held


def withdraw(change: PriceChange, *, at: datetime, actor: str) -> PriceChange:
    """Take the change back before its day; who was told keeps the old price. Locks it.

    Raises NotPossible once the catalogue has it.
    """
    with transaction.atomic():
        held = locks.take_price_change(change.pk)
        if held.state == PriceChange.State.WITHDRAWN or held.applied_at is not None:
            raise NotPossible
        held.move(PriceChange.State.WITHDRAWN, at=at, actor=actor, reason="withdrawn")
    return held


def run(on: date, *, at: datetime) -> list[str]:
    """Bring due changes into the catalogue and queue the notices that nobody has got yet.

    Each change in a transaction of its own, under its lock; a repetition does nothing. Returns who
    was told.
    """
    for change in confirmed().filter(applied_at__isnull=True, effective_on__lte=on).order_by("pk"):
        _take_effect(change, on=on, at=at)
    brand = current_brand()
    told: list[str] = []
    for change in confirmed().filter(existing=True).order_by("pk"):
        told += _tell(change, brand, on=on, at=at)
    return told


def confirmed() -> QuerySet[PriceChange]:
    """Return the changes that hold, also those of which everybody was told."""
    return PriceChange.objects.filter(state=PriceChange.State.CONFIRMED)


def apply(
    due: Sequence[Subscription], starts: Mapping[int, date], *, at: datetime
) -> list[PriceNotice]:
    """Give each subscription the price of its period that starts on that day; one query for all.

    Needs the subscriptions' locks.
    """
    used = told(due, starts)
    by_id = {each.pk: each for each in due}
    for notice in used:
        subscription = by_id[notice.subscription_id]
        notice.credit_before_minor = subscription.credit_minor
        subscription.amount_minor = notice.change.amount_of(subscription).minor
        subscription.credit_minor = notice.change.credit_of(subscription).minor
        notice.applies_from = starts[subscription.pk]
    if used:
        _store(used, by_id, at=at)
    return used


def told(due: Sequence[Subscription], starts: Mapping[int, date]) -> list[PriceNotice]:
    """Return what holds for each one's period that starts on that day; one query, reads only.

    Of several changes the last one holds. A notice counts if it was sent its days before the
    period; whom it did not reach keeps the old price.
    """
    by_id = {each.pk: each for each in due}
    notices = PriceNotice.objects.filter(
        subscription__in=list(by_id),
        applies_from__isnull=True,
        change__state=PriceChange.State.CONFIRMED,
        mail__state=Mail.State.SENT,
        # Another package's price says nothing about what it was exchanged for.
        subscription__price=F("change__price"),
    ).select_related("change", "mail")
    return [
        each
        for each in notices.order_by("change__effective_on", "pk")
        if _holds(each, by_id[each.subscription_id], starts[each.subscription_id])
    ]


def _holds(notice: PriceNotice, subscription: Subscription, start_on: date) -> bool:
    if notice.change.price_id != subscription.price_id or start_on < notice.starts_on:
        return False
    assert notice.mail.sent_at is not None, "A mail that was sent has its instant."
    sent_on = business_day(notice.mail.sent_at, subscription.zone)
    return sent_on + timedelta(days=notice.days) <= start_on


def _store(used: Sequence[PriceNotice], by_id: Mapping[int, Subscription], *, at: datetime) -> None:
    changed = [by_id[key] for key in sorted({notice.subscription_id for notice in used})]
    rows.update(used, "applies_from", "credit_before_minor")
    rows.update(changed, "amount_minor", "credit_minor")
    record_changes(
        changed, before=Subscription.State.ACTIVE, at=at, actor=ACTOR, reason="new price"
    )


def _take_effect(change: PriceChange, *, on: date, at: datetime) -> None:
    with transaction.atomic():
        held = locks.take_price_change(change.pk)
        if held.state != PriceChange.State.CONFIRMED or held.applied_at is not None:
            return
        price = held.price
        sums = {"amount_minor": held.amount_minor, "credit_minor": held.credit_minor}
        wanted = {(price.cycle, price.currency): sums}
        prices.write(price.package, wanted, at=at, actor=ACTOR)
        held.applied_at = at
        held.save(update_fields=["applied_at"])


def _tell(change: PriceChange, brand: Brand, *, on: date, at: datetime) -> list[str]:
    """Queue a change's missing notices, in chunks that are transactions of their own."""
    told: list[str] = []
    while True:
        with transaction.atomic():
            held = locks.take_price_change(change.pk)
            found = list(_untold(held)[:CHUNK])
            if held.state != PriceChange.State.CONFIRMED or not found:
                return told
            _notify(held, found, brand, on=on, at=at)
            told += [str(each) for each in found]


def _notify(
    change: PriceChange,
    found: Sequence[Subscription],
    brand: Brand,
    *,
    on: date,
    at: datetime,
) -> None:
    """Queue and note one mail each; under the change's lock nobody is told twice."""
    rates = tax.known_rates()
    for each in found:
        concerned = _concerned(change, each, brand, on=on)
        customer, cause = each.customer, f"price-change-{change.pk}:{each.pk}"
        said = _said(change, concerned, brand, rates=rates, on=on)
        mail = emails.queue(
            "price_changed",
            cause,
            customer.email,
            said,
            language=customer.language,
            at=at,
            customer=customer,
        )
        PriceNotice.objects.create(
            change=change,
            subscription=each,
            mail=mail or Mail.objects.get(template="price_changed", cause=cause),
            starts_on=concerned.starts_on,
            days=change.days(brand.price_notice_days),
        )


def _said(
    change: PriceChange, each: Concerned, brand: Brand, *, rates: tax.Rates, on: date
) -> dict[str, Any]:
    """Return what a notice says; the prices are what this customer pays for a period, with tax."""
    subscription = each.subscription
    with translation.override(subscription.customer.language):
        name = subscription.package.text("name")
    sums = [_priced(each, amount, brand, rates, on) for amount in (each.before, each.after)]
    return {
        "customer": subscription.customer,
        "name": name,
        "starts_on": each.starts_on,
        "before": sums[0].total,
        "after": sums[1].total,
        "taxed": bool(sums[1].tax or sums[0].tax),
        "credit_before": subscription.credit,
        "credit_after": change.credit_of(subscription),
        "cancel_url": emails.link("storefront:service_cancel", subscription.public_id),
        "button_url": emails.link("storefront:service", subscription.public_id),
    }


def _priced(each: Concerned, amount: Money, brand: Brand, rates: tax.Rates, on: date) -> tax.Sums:
    """Price the first period that is charged at the new price."""
    subscription = each.subscription
    assert subscription.anchor_on is not None, "What is active has its anchor (constraint)."
    index = index_of(subscription.anchor_on, subscription.cycle, each.starts_on)
    stretch = period(subscription.anchor_on, subscription.cycle, index)
    line = invoices.Line(InvoiceLine.Kind.RECURRING, "", amount, period=stretch)
    customer = subscription.customer
    draft = invoices.Draft(customer, amount.currency, customer.language, (line,))
    return invoices.price(draft, brand, on=on, rates=rates).sums


def _untold(change: PriceChange) -> QuerySet[Subscription]:
    """Return the living subscriptions at another price whom no notice of the change was queued."""
    if not change.existing:
        return Subscription.objects.none()
    # A change that is only previewed has told nobody.
    told = PriceNotice.objects.filter(change_id=change.pk or 0, subscription=OuterRef("pk"))
    same = Q(
        amount_minor=F("quantity") * change.amount_minor,
        credit_minor=F("quantity") * change.credit_minor,
    )
    living = Subscription.objects.filter(
        ~same,
        ~Exists(told),
        price=change.price_id,
        cycle__in=RECURRING,
        state__in=LIVING,
        ends_on__isnull=True,
    )
    return living.select_related("customer", "package").order_by("pk")


def _concerned(
    change: PriceChange, subscription: Subscription, brand: Brand, *, on: date
) -> Concerned:
    assert subscription.anchor_on is not None, "What is active has its anchor (constraint)."
    told_for = on + timedelta(days=change.days(brand.price_notice_days))
    day = max(change.effective_on, told_for, subscription.anchor_on)
    starts_on = first_from(subscription.anchor_on, subscription.cycle, day)
    return Concerned(subscription, starts_on, subscription.amount, change.amount_of(subscription))
