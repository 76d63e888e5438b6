"""Cancel a service to the end of its paid time, take that back, and end it on its day."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from billing import (
    credit_notes,
    exchanges,
    invoice_days,
    locks,
    rests,
    service_emails,
    subscriptions,
)
from billing.models import Invoice, InvoiceLine, Payment, Subscription
from packages.periods import business_day
from packages.states import record_change
from packages.sweeping import Quarantine, contained, written_once

ACTOR = "system:billing"


class NotCancellable(Exception):
    """The service does not renew, or it has ended."""


def cancel(
    subscription: Subscription, *, at: datetime, actor: str, reason: str = ""
) -> Subscription:
    """Let the service end after its paid time; no renewal is invoiced any more. Locks it.

    A period that has begun was invoiced and is still owed: then it ends after that one. A repeated
    call changes nothing. Raises NotCancellable.
    """
    with transaction.atomic():
        held = _held(subscription)
        if held.ends_on is None:
            held.ends_on = _end_of_invoiced(held, on=business_day(at, held.zone))
            exchanges.drop_scheduled(held.pk, at=at, actor=actor)
            _note(held, f"cancelled to {held.ends_on}", reason, at=at, actor=actor)
    return held


def withdraw(
    subscription: Subscription, *, at: datetime, actor: str, reason: str = ""
) -> Subscription:
    """Take a cancellation back: the service renews as before. Locks it; raises NotCancellable."""
    with transaction.atomic():
        held = _held(subscription)
        if held.ends_on is not None:
            held.ends_on = None
            _note(held, "cancellation withdrawn", reason, at=at, actor=actor)
            subscriptions.go_on(held, at=at, actor=actor)
    return held


@written_once
def due(on: date) -> QuerySet[Subscription, int]:
    """Return the ids of the cancelled subscriptions whose last day is over."""
    return over(on).order_by("ends_on", "id").values_list("pk", flat=True)


def end(
    ids: Sequence[int], *, on: date, at: datetime, quarantine: Quarantine | None = None
) -> list[str]:
    """End these subscriptions, each in a transaction of its own; return who was concerned.

    An open invoice for a time after the end is taken back by a credit note. Whoever paid meanwhile
    goes on. One that fails is kept in the quarantine; without one it raises.
    """
    ended: list[str | None] = []
    for each in ids:
        with contained(quarantine, f"subscription {each}, end"):
            ended.append(_end(each, on=on, at=at))
    return [name for name in ended if name]


def _held(subscription: Subscription) -> Subscription:
    held = locks.take(subscriptions=[subscription.pk]).subscriptions[subscription.pk]
    if held.state not in Subscription.LIVING or not held.recurs:
        raise NotCancellable
    return held


def _end_of_invoiced(subscription: Subscription, *, on: date) -> date:
    """Return the end of the paid time, or of the period that is running and was invoiced."""
    assert subscription.paid_until is not None, "What renews has been paid for once."
    begun = InvoiceLine.objects.filter(
        subscription=subscription,
        kind=InvoiceLine.Kind.RECURRING,
        period_start_on__lte=on,
        invoice__state=Invoice.State.OPEN,
    )
    last = begun.aggregate(last=Max("period_end_on"))["last"]
    return max(subscription.paid_until, last or date.min)


def _note(subscription: Subscription, what: str, reason: str, *, at: datetime, actor: str) -> None:
    subscription.next_invoice_on = invoice_days.next_day(subscription)
    subscription.save(update_fields=["ends_on", "next_invoice_on"])
    state, said = subscription.state, ": ".join(filter(None, (what, reason)))
    record_change(subscription, before=state, at=at, actor=actor, reason=said)


def over(on: date) -> QuerySet[Subscription]:
    """What has come to its end; who is just paying for more waits for the gateway's answer."""
    ours = Q(invoice__lines__subscription=OuterRef("pk"))
    shared = Q(parts__invoice__lines__subscription=OuterRef("pk"))
    confirming = Payment.objects.filter(ours | shared, state=Payment.State.PROCESSING)
    return Subscription.objects.filter(
        ~Exists(confirming), state__in=Subscription.LIVING, ends_on__lte=on
    )


def _end(subscription_id: int, *, on: date, at: datetime) -> str | None:
    with transaction.atomic():
        # Issuing takes this lock too, so no further invoice appears behind it. What is on the same
        # invoices is locked with it, in the one order.
        locks.take(subscriptions=_beside(subscription_id))
        subscription = over(on).filter(pk=subscription_id).select_related("account").first()
        if subscription is None:
            return None
        cause = subscriptions.cause_of_end(subscription)
        subscriptions.end(subscription, cause=cause, reason="cancelled", at=at, actor=ACTOR)
        for invoice in _after_the_end(subscription):
            _take_back(invoice, subscription, at=at)
        service_emails.ended(
            subscription, cause=cause, deleted_on=on + subscriptions.KEPT_FOR, at=at
        )
    return str(subscription)


def _beside(subscription_id: int) -> list[int]:
    """Return the subscription with all that share an open invoice with it."""
    shared = Invoice.objects.filter(
        state=Invoice.State.OPEN, lines__subscription=subscription_id
    ).values("pk")
    lines = InvoiceLine.objects.filter(invoice__in=shared, subscription__isnull=False)
    return [subscription_id, *lines.values_list("subscription_id", flat=True)]


def _take_back(invoice: Invoice, subscription: Subscription, *, at: datetime) -> None:
    """Credit the service's lines for the time after its end; other services' lines stay."""
    amounts = {
        line.pk: rest
        for line, rest in rests.left_of(invoice).items()
        if line.subscription_id == subscription.pk
        and line.period_start_on is not None
        and line.period_start_on >= (subscription.ends_on or line.period_start_on)
    }
    if any(amounts.values()):
        reason = "the service was cancelled"
        credit_notes.issue(invoice, amounts, reason=reason, at=at, actor=ACTOR)


def _after_the_end(subscription: Subscription) -> list[Invoice]:
    lines = InvoiceLine.objects.filter(
        invoice=OuterRef("pk"),
        subscription=subscription,
        period_start_on__gte=subscription.ends_on,
    )
    rows = Invoice.objects.filter(Exists(lines), state=Invoice.State.OPEN)
    return list(rows.order_by("pk"))
