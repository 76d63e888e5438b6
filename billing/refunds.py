"""Give money back: only what is on the customer's balance, and never more than was paid.

The row first, then the request, outside of locks. A lost answer is asked for again with the same
key, which the gateway refunds once.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import structlog
from celery import shared_task
from django.db import transaction
from django.db.models import QuerySet

from billing import balances, credit_notes, emails, gateways, ledger
from billing.gateways.bank_transfer import BankTransfer
from billing.gateways.base import (
    GatewayRefused,
    NotConfigured,
    PaymentSnapshot,
    RefundSnapshot,
    Unavailable,
)
from billing.locks import take, take_for_invoice
from billing.models import Invoice, Payment, Refund, paying
from packages import clock
from packages.doorbell import ring
from packages.money import Money
from packages.states import record_change
from packages.sweeping import written_once

log = structlog.get_logger()

FIRST_PAUSE = timedelta(seconds=30)
LAST_PAUSE = timedelta(hours=1)
# What the gateway has and is still about: hours, and days where a bank is asked.
UNDER_WAY = timedelta(hours=6)
# How often a refund is asked about that is done and may still come back.
EACH_DAY = timedelta(days=1)
MAX_ATTEMPTS = 30
ACTOR = "system:refund"


class NotRefundable(Exception):
    """More than is left of the payment or is on the balance, or the payment did not succeed."""


@shared_task
def send_refund(refund_id: int) -> None:
    """Send one refund that waits."""
    send(refund_id, at=clock.now())


def left_of(payment: Payment) -> Money:
    """Return what may at most be refunded: the payment's rest, as far as the balance has it."""
    if payment.state != Payment.State.SUCCEEDED:
        return Money.zero(payment.currency)
    rest = Money(payment.amount_minor - payment.refunded_minor, payment.currency)
    return min(rest, balances.of(payment.customer, payment.currency))


def request(
    payment: Payment, amount: Money, *, way: Refund.Way, reason: str, at: datetime, actor: str
) -> Refund:
    """Take the sum off the balance and ask for its refund; a transfer waits for staff.

    What came by bank transfer goes back by one. Locks the payment and the balance; the gateway is
    asked after the transaction. Raises NotRefundable.
    """
    if payment.gateway == BankTransfer.code:
        way = Refund.Way.TRANSFER
    with transaction.atomic():
        refund = _insert(
            hold(payment), amount, way=way, reason=reason, at=at, actor=actor, external_id=None
        )
        if way == Refund.Way.GATEWAY:
            ring(send_refund, refund.pk)
    return refund


def credit(
    invoice: Invoice,
    amounts: Mapping[int, Money] | None = None,
    *,
    way: Refund.Way,
    reason: str,
    at: datetime,
    actor: str,
    seen: int | None = None,
) -> tuple[Invoice, list[Refund]]:
    """Issue a credit note and refund what was paid of it, in one transaction.

    What none of the invoice's payments can give back stays on the balance. Raises as
    `credit_notes.issue` does.
    """
    with transaction.atomic():
        ours = Payment.objects.filter(paying(invoice), state=Payment.State.SUCCEEDED)
        paid = ours.distinct().order_by("-id")
        payments = list(paid.values_list("pk", flat=True))
        take_for_invoice(invoice, payments=payments)
        note = credit_notes.issue(invoice, amounts, reason=reason, at=at, actor=actor, seen=seen)
        rest = ledger.credited(note)
        refunds = []
        for payment in paid:
            part = min(rest, left_of(payment))
            if part:
                refunds.append(
                    request(payment, part, way=way, reason=str(note.number), at=at, actor=actor)
                )
                rest -= part
    return note, refunds


def send(refund_id: int, *, at: datetime) -> Refund:
    """Ask the gateway for a refund whose time has come; return it as it is afterwards.

    Speaks HTTP between two transactions. Without an answer it is asked for again, later each time;
    what the gateway refuses waits for staff.
    """
    claimed = _claim(refund_id, at=at)
    if claimed is None:
        return Refund.objects.get(pk=refund_id)
    try:
        paid = claimed.payment
        gateway = gateways.get(paid.gateway, livemode=paid.livemode)
        snapshot = gateway.refund(str(paid.external_id), claimed.amount, key=claimed.key.hex)
    except Unavailable:
        log.warning("refund.unknown", refund=refund_id)
    except (GatewayRefused, NotConfigured, KeyError) as error:
        _park(claimed, f"{type(error).__name__}: {error}", at=at)
    else:
        _record(claimed, snapshot, at=at)
    return Refund.objects.get(pk=refund_id)


def confirm(refund: Refund, *, reference: str, at: datetime, actor: str) -> None:
    """Record that staff have sent a transfer; raises NotRefundable if it does not wait for that."""
    with transaction.atomic():
        held = fresh(refund)
        if held.way != Refund.Way.TRANSFER or held.state != Refund.State.REQUESTED:
            raise NotRefundable("not waiting for a transfer")
        held.reference = reference[:250]
        _succeed(held, at=at, actor=actor, reason=f"sent: {reference}")


def ask_again(refund: Refund, *, at: datetime, actor: str) -> None:
    """Ask the gateway once more about a parked refund, with the same key."""
    with transaction.atomic():
        held = fresh(refund)
        if held.state != Refund.State.PARKED:
            raise NotRefundable("not parked")
        held.attempts, held.next_attempt_at, held.note = 0, at, ""
        also = ("attempts", "next_attempt_at", "note")
        held.move(Refund.State.PROCESSING, at=at, actor=actor, reason="asked again", also=also)
        ring(send_refund, held.pk)


def give_up(refund: Refund, *, reason: str, at: datetime, actor: str) -> None:
    """Put the sum back onto the balance: staff saw that it was not, and will not be, refunded."""
    with transaction.atomic():
        held = fresh(refund)
        waits = held.way == Refund.Way.TRANSFER and held.state == Refund.State.REQUESTED
        if not waits and held.state != Refund.State.PARKED:
            raise NotRefundable("on its way, or done")
        _fail(held, at=at, actor=actor, reason=reason)


def record_outside(
    payment: Payment, snapshot: PaymentSnapshot, *, at: datetime, actor: str
) -> None:
    """Book what was refunded at the gateway by hand, beyond our own refunds.

    Locks the payment and the balance; a repetition changes nothing. Raises NotRefundable when the
    balance does not have it: then no credit note says yet why it was given back.
    """
    if not snapshot.refunded_minor:
        return
    with transaction.atomic():
        held = hold(payment)
        for external_id, amount in _made_outside(held, snapshot):
            _insert(
                held,
                amount,
                way=Refund.Way.OUTSIDE,
                reason="refunded at the gateway",
                at=at,
                actor=actor,
                external_id=external_id,
            )


def undo(payment: Payment, *, reason: str, at: datetime, actor: str) -> Refund:
    """Take a payment that was booked wrongly off the customer's balance again, all of it.

    Nothing is sent and nobody is mailed: the money is still ours to book. Locks the payment and the
    balance. Raises NotRefundable when the balance does not have it.
    """
    with transaction.atomic():
        held = hold(payment)
        return _insert(
            held,
            held.amount,
            way=Refund.Way.UNDONE,
            reason=reason,
            at=at,
            actor=actor,
            external_id="undone",
        )


@written_once
def waiting(*, at: datetime) -> QuerySet[Refund, int]:
    """Return the ids of those `due`, the longest waiting first."""
    return due(at).order_by("next_attempt_at", "pk").values_list("pk", flat=True)[:500]


def due(at: datetime) -> QuerySet[Refund]:
    """Return the refunds whose doorbell nobody heard, and those due for another attempt."""
    return Refund.objects.filter(next_attempt_at__lte=at, state__in=Refund.ASKED)


def _made_outside(held: Payment, snapshot: PaymentSnapshot) -> Iterator[tuple[str, Money]]:
    """Yield the gateway's name and sum of each refund there that is none of ours yet.

    One that failed here stays known by its id, so an answer from before that books nothing.
    """
    there = held.refunds.exclude(way=Refund.Way.TRANSFER)
    if snapshot.refunds is None:
        ours = there.exclude(state=Refund.State.FAILED)
        known = sum(ours.values_list("amount_minor", flat=True))
        if snapshot.refunded_minor > known:
            more = Money(snapshot.refunded_minor - known, held.currency)
            yield f"total-{snapshot.refunded_minor}", more
        return
    rows = there.values_list("key", "external_id", "amount_minor")
    names = {name for key, external_id, _ in rows for name in (key.hex, external_id)}
    # Some were booked by their sum alone, before they were told one by one.
    by_sum = sum(minor for _, name, minor in rows if str(name).startswith("total-"))
    for each in reversed(snapshot.refunds):
        if each.state == "failed" or {each.key, each.external_id} & names:
            continue
        if each.amount.minor <= by_sum:
            by_sum -= each.amount.minor
        else:
            yield each.external_id, each.amount


def hold(payment: Payment) -> Payment:
    """Lock a payment and the balance of its customer; return it as it is now."""
    held = take(payments=[payment.pk], balances=[payment.customer_id])
    return held.payments[payment.pk]


def fresh(refund: Refund) -> Refund:
    """Lock what the refund moves: its payment and the balance; return it as it is now."""
    hold(Payment.objects.get(pk=refund.payment_id))
    return Refund.objects.select_related("payment__customer", "payment__invoice").get(pk=refund.pk)


def _insert(
    payment: Payment,
    amount: Money,
    *,
    way: Refund.Way,
    reason: str,
    at: datetime,
    actor: str,
    external_id: str | None,
) -> Refund:
    """Store and book a refund of the locked payment; one from outside is done already."""
    if not Money.zero(amount.currency) < amount <= left_of(payment):
        raise NotRefundable("more than is left of the payment, or than is on the balance")
    refund = Refund.objects.create(
        payment=payment,
        way=way,
        amount_minor=amount.minor,
        currency=amount.currency,
        reason=reason[:250],
        external_id=external_id,
        created_at=at,
        next_attempt_at=at if way == Refund.Way.GATEWAY else None,
    )
    record_change(refund, before="", at=at, actor=actor, reason=reason)
    payment.refunded_minor += amount.minor
    payment.save(update_fields=["refunded_minor"])
    ledger.book_refund(refund, "requested", at=at)
    if way in (Refund.Way.OUTSIDE, Refund.Way.UNDONE):
        _succeed(refund, at=at, actor=actor, reason=reason)
    return refund


def _claim(refund_id: int, *, at: datetime) -> Refund | None:
    """Take a refund that waits, and plan the next time before asking."""
    with transaction.atomic():
        refund = fresh(Refund.objects.get(pk=refund_id))
        due = refund.next_attempt_at is not None and refund.next_attempt_at <= at
        if not due or refund.state not in Refund.ASKED:
            return None
        pause = min(LAST_PAUSE, FIRST_PAUSE * 2 ** min(refund.attempts, 10))
        refund.attempts, refund.next_attempt_at = refund.attempts + 1, at + pause
        also = ("attempts", "next_attempt_at")
        if refund.state == Refund.State.REQUESTED:
            refund.move(Refund.State.PROCESSING, at=at, actor=ACTOR, reason="sent", also=also)
        elif refund.attempts > MAX_ATTEMPTS:
            _parked(refund, "no answer for a long time", at=at)
            return None
        else:
            refund.save(update_fields=also)
    return refund


def _record(refund: Refund, snapshot: RefundSnapshot, *, at: datetime) -> None:
    with transaction.atomic():
        held = fresh(refund)
        if held.state != Refund.State.PROCESSING:
            return
        held.external_id = snapshot.external_id
        held.save(update_fields=["external_id"])
        if snapshot.amount != held.amount:
            _parked(held, f"the gateway says {snapshot.amount}", at=at)
        elif snapshot.state != "processing":
            conclude(held, snapshot, at=at, actor=ACTOR)
        else:
            held.next_attempt_at = at + UNDER_WAY
            held.save(update_fields=["next_attempt_at"])


def _park(refund: Refund, note: str, *, at: datetime) -> None:
    with transaction.atomic():
        held = fresh(refund)
        if held.state == Refund.State.PROCESSING:
            _parked(held, note, at=at)


def _parked(refund: Refund, note: str, *, at: datetime) -> None:
    refund.note, refund.next_attempt_at = note[:300], None
    also = ("note", "next_attempt_at", "attempts")
    refund.move(Refund.State.PARKED, at=at, actor=ACTOR, reason=note, also=also)


def conclude(refund: Refund, told: RefundSnapshot, *, at: datetime, actor: str) -> None:
    """Book a locked refund as the gateway says that it ended, and keep its name there."""
    refund.external_id = told.external_id
    if told.state == "succeeded":
        _succeed(refund, at=at, actor=actor, reason="confirmed by the gateway")
    else:
        _fail(refund, at=at, actor=actor, reason=f"failed at the gateway: {told.failure}")


def _succeed(refund: Refund, *, at: datetime, actor: str, reason: str) -> None:
    """Book a locked refund as done and tell the customer; it is watched for a while."""
    watched = refund.way in (Refund.Way.GATEWAY, Refund.Way.OUTSIDE)
    refund.finished_at, refund.next_attempt_at = at, at + EACH_DAY if watched else None
    refund.note = ""
    also = ("finished_at", "next_attempt_at", "reference", "external_id", "note")
    refund.move(Refund.State.SUCCEEDED, at=at, actor=actor, reason=reason, also=also)
    ledger.book_refund(refund, "succeeded", at=at)
    if refund.way != Refund.Way.UNDONE:
        emails.refund(refund, at=at)


def _fail(refund: Refund, *, at: datetime, actor: str, reason: str) -> None:
    """Put the sum of a locked refund back onto the balance: it may be refunded another way."""
    refund.finished_at, refund.next_attempt_at = at, None
    also = ("finished_at", "next_attempt_at", "external_id")
    refund.move(Refund.State.FAILED, at=at, actor=actor, reason=reason, also=also)
    payment = refund.payment
    payment.refunded_minor -= refund.amount_minor
    payment.save(update_fields=["refunded_minor"])
    ledger.book_refund(refund, "failed", at=at)
