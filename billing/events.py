"""A stored gateway event becomes a recorded payment: by asking the gateway, never by its word."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F, Q

from billing import captures, failed_refunds, gateways, payments, refunds, setups
from billing.gateways.base import GatewayRefused, NotConfigured, PaymentSnapshot, Unavailable
from billing.models import GatewayEvent, MethodSetup
from packages.money import Money
from provisioning.pools import NoServer

log = structlog.get_logger()

LEASE = timedelta(seconds=60)
BACKOFF_CAP = timedelta(minutes=10)
MAX_ATTEMPTS = 30
# What staff must know of, by the kind of event.
NEEDS_STAFF = {
    "payment.disputed": "dispute at the gateway: book it by hand",
    "CUSTOMER.DISPUTE.CREATED": "disputed: answer it at PayPal (its address is at the payment)",
    "PAYMENT.CAPTURE.REVERSED": "PayPal took this payment back: see there why. Its statement is "
    "booked by itself; whether the customer owes it again is yours to decide",
    "charge.dispute.created": "disputed: answer it at the gateway (its address is at the payment)",
}


def process(event_id: int, *, at: datetime) -> None:
    """Fetch what the event speaks of and record it; mark the event in the same transaction.

    Does nothing if the event is done, or another worker has it. Speaks HTTP before any lock. What
    had come by then about the same payment is done with it: one answer serves all. What cannot be
    decided is parked with a note; an unreachable gateway means another attempt later.
    """
    event = _claim(event_id, at=at)
    if event is None:
        return None
    if event.payment_external_id == "":
        return _finish([event.pk], GatewayEvent.State.IGNORED, "speaks of no payment", at=at)
    told = [event.pk, *_others(event)]
    try:
        if setup := _setup(event):
            setups.check(setup, at=at, actor=f"event:{event.pk}")
            return _finish(told, GatewayEvent.State.PROCESSED, "", at=at)
        gateway = gateways.get(event.gateway, livemode=event.livemode)
        snapshot = gateway.fetch_payment(event.payment_external_id)
        snapshot = captures.take(gateway, snapshot, approval=f"event-{event.pk}")
    except (Unavailable, GatewayRefused, NotConfigured, KeyError) as error:
        return _postpone(event, type(error).__name__, at=at)
    try:
        return _record(event, told, snapshot, at=at)
    except Exception as error:
        # A fault of ours must not lose the event: it is tried again, and parked in the end.
        _postpone(event, f"fault: {type(error).__name__}", at=at)
        raise


def _setup(event: GatewayEvent) -> MethodSetup | None:
    """The visit to keep a method that the event speaks of, if it is one."""
    ours = MethodSetup.objects.filter(gateway=event.gateway, livemode=event.livemode)
    return ours.filter(external_id=event.payment_external_id).first()


def _others(event: GatewayEvent) -> list[int]:
    """What else waits about the same payment, so that the gateway is asked after it came; but not
    what staff must see.
    """
    waiting = GatewayEvent.objects.filter(state=GatewayEvent.State.RECEIVED).exclude(pk=event.pk)
    same = waiting.filter(
        gateway=event.gateway,
        livemode=event.livemode,
        payment_external_id=event.payment_external_id,
    )
    return list(same.exclude(kind__in=NEEDS_STAFF).values_list("pk", flat=True))


def _record(
    event: GatewayEvent, told: Sequence[int], snapshot: PaymentSnapshot, *, at: datetime
) -> None:
    try:
        with transaction.atomic():
            actor = f"event:{event.pk}"
            payment = payments.record(snapshot, event.gateway, at=at, actor=actor)
            failed_refunds.learn(payment, snapshot, at=at, actor=actor)
            refunds.record_outside(payment, snapshot, at=at, actor=actor)
            if note := NEEDS_STAFF.get(event.kind):
                return _finish([event.pk], GatewayEvent.State.PARKED, note, at=at)
            return _finish(told, GatewayEvent.State.PROCESSED, "", at=at)
    except NoServer as error:
        # Paid, but no dialler takes it now: staff see the note, and it goes on when one does.
        return _postpone(event, f"NoServer: {error}", at=at)
    except refunds.NotRefundable:
        return _without_credit_note(event, snapshot, at=at)
    except (payments.Mismatch, payments.UnknownPayment) as error:
        if isinstance(error, payments.UnknownPayment) and not snapshot.key:
            # Another program, or a person, uses the same account.
            return _finish([event.pk], GatewayEvent.State.IGNORED, "not made by this shop", at=at)
        log.error("event.parked", event_id=event.pk, reason=type(error).__name__)
        note = f"{type(error).__name__}: {error}"
        return _finish([event.pk], GatewayEvent.State.PARKED, note, at=at)


def _without_credit_note(event: GatewayEvent, snapshot: PaymentSnapshot, *, at: datetime) -> None:
    """Record the payment all the same; its refund waits until a document says what it is for."""
    actor = f"event:{event.pk}"
    with transaction.atomic():
        payment = payments.record(snapshot, event.gateway, at=at, actor=actor)
        failed_refunds.learn(payment, snapshot, at=at, actor=actor)
    note = (
        f"refunded at the gateway, {Money(snapshot.refunded_minor, snapshot.amount.currency)} in "
        "all, and not on the balance: credit the invoice, then fetch this event again"
    )
    _finish([event.pk], GatewayEvent.State.PARKED, note, at=at)


def _claim(event_id: int, *, at: datetime) -> GatewayEvent | None:
    """Take the event by one conditional UPDATE; the count of rows says whether it is ours."""
    due = Q(next_attempt_at__lte=at) | Q(next_attempt_at__isnull=True)
    claimed = GatewayEvent.objects.filter(due, pk=event_id, state=GatewayEvent.State.RECEIVED)
    if claimed.update(next_attempt_at=at + LEASE, attempts=F("attempts") + 1) != 1:
        return None
    return GatewayEvent.objects.defer("body").get(pk=event_id)


def _finish(told: Sequence[int], state: GatewayEvent.State, note: str, *, at: datetime) -> None:
    waiting = GatewayEvent.objects.filter(pk__in=told, state=GatewayEvent.State.RECEIVED)
    waiting.update(state=state, note=note[:300], processed_at=at, next_attempt_at=None)


def _postpone(event: GatewayEvent, note: str, *, at: datetime) -> None:
    if event.attempts >= MAX_ATTEMPTS:
        return _finish([event.pk], GatewayEvent.State.PARKED, note, at=at)
    pause = min(BACKOFF_CAP, timedelta(seconds=2) * 2 ** min(event.attempts, 10))
    GatewayEvent.objects.filter(pk=event.pk, state=GatewayEvent.State.RECEIVED).update(
        next_attempt_at=at + pause, note=note[:300]
    )
    return None
