"""What becomes of a refund after it was sent: it may come back days later, and then it failed.

The payer's bank sends it back (a closed account, an expired card), and the gateway has the money
again. Then the books take back what they had booked, and the customer is owed the sum as before.
"""

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet

from billing import emails, gateways, ledger, payments, refunds
from billing.gateways.base import (
    GatewayRefused,
    NotConfigured,
    PaymentSnapshot,
    RefundSnapshot,
    Unavailable,
)
from billing.models import Payment, Refund
from packages.states import record
from packages.sweeping import written_once

log = structlog.get_logger()

State = Refund.State
# Stripe says that a bank may take 30 days to send one back.
WATCHED = timedelta(days=35)
BOOKED = "returned"


def learn(payment: Payment, snapshot: PaymentSnapshot, *, at: datetime, actor: str) -> None:
    """Believe what the gateway says about refunds that are here: done, failed, or come back.

    Locks the payment and the balance where there is news. A repetition, and an answer that is older
    than what is known, change nothing: failed is final.
    """
    told = [each for each in snapshot.refunds or () if each.state != "processing"]
    if not told or not any(_is_news(each, payment) for each in told):
        return
    with transaction.atomic():
        refunds.hold(payment)
        for each in told:
            refund = _ours(each, payment)
            if refund is not None:
                _follow(refund, each, at=at, actor=actor)


def look(refund_id: int, *, at: datetime) -> None:
    """Ask the gateway about a refund that is done and may still come back; plan the next time.

    Speaks HTTP between two transactions. Without an answer it is asked again on the next day.
    """
    refund = Refund.objects.select_related("payment").get(pk=refund_id)
    finished = refund.finished_at or refund.created_at
    next_at = at + refunds.EACH_DAY if at < finished + WATCHED else None
    claimed = due(at).filter(pk=refund_id)
    if not claimed.update(next_attempt_at=next_at):
        return
    payment = refund.payment
    try:
        gateway = gateways.get(payment.gateway, livemode=payment.livemode)
        snapshot = gateway.fetch_payment(str(payment.external_id))
    except (Unavailable, GatewayRefused, NotConfigured, KeyError) as error:
        log.warning("refund.not_seen", refund=refund_id, error=type(error).__name__)
        return
    learn(payment, snapshot, at=at, actor=refunds.ACTOR)


def settle(refund: Refund, *, reason: str, at: datetime, actor: str) -> None:
    """Put aside that a refund came back: staff gave the sum back, or left it on the balance."""
    with transaction.atomic():
        if in_need().filter(pk=refund.pk, state=State.FAILED).update(note=""):
            record("refund", refund.pk, "failed", "failed", at=at, actor=actor, reason=reason)


@written_once
def watched(*, at: datetime) -> QuerySet[Refund, int]:
    """Return the ids of those `due`, the longest waiting first."""
    return due(at).order_by("next_attempt_at", "pk").values_list("pk", flat=True)[:500]


def due(at: datetime) -> QuerySet[Refund]:
    """Return the refunds that are done, and that are to be asked about again."""
    return Refund.objects.filter(next_attempt_at__lte=at, state=State.SUCCEEDED)


def in_need() -> QuerySet[Refund]:
    """Return the refunds that staff must see: they stand still, or came back and wait."""
    came_back = Q(state=State.FAILED, bookings__cause__endswith=f":{BOOKED}") & ~Q(note="")
    return Refund.objects.filter(
        Q(state=State.PARKED) | Q(pk__in=Refund.objects.filter(came_back).values("pk"))
    )


def _ours(told: RefundSnapshot, payment: Payment) -> Refund | None:
    """The refund by our key, or by the gateway's id where it was made there by hand."""
    known = Q(external_id=told.external_id)
    if key := payments.as_uuid(told.key):
        known |= Q(key=key)
    rows = payment.refunds.exclude(way=Refund.Way.TRANSFER)
    return rows.select_related("payment__customer", "payment__invoice").filter(known).first()


def _is_news(told: RefundSnapshot, payment: Payment) -> bool:
    refund = _ours(told, payment)
    return refund is not None and refund.state not in (told.state, State.FAILED)


def _follow(refund: Refund, told: RefundSnapshot, *, at: datetime, actor: str) -> None:
    """Move a locked refund as the gateway says; what is another sum stays with staff."""
    if told.amount != refund.amount:
        return
    if refund.state in (State.PROCESSING, State.PARKED):
        refunds.conclude(refund, told, at=at, actor=actor)
    elif refund.state == State.SUCCEEDED and told.state == "failed":
        _come_back(refund, told, at=at, actor=actor)


def _come_back(refund: Refund, told: RefundSnapshot, *, at: datetime, actor: str) -> None:
    """Take back what was booked when it was sent: the gateway and the customer have it as before.

    The customer was told that the money is on its way, so they are told this as well.
    """
    why = f"came back to the gateway: {told.failure or 'no reason given'}"
    refund.finished_at, refund.next_attempt_at, refund.note = at, None, why[:300]
    also = ("finished_at", "next_attempt_at", "note")
    refund.move(State.FAILED, at=at, actor=actor, reason=why, also=also)
    payment = refund.payment
    payment.refunded_minor -= refund.amount_minor
    payment.save(update_fields=["refunded_minor"])
    ledger.book_refund(refund, BOOKED, at=at)
    emails.refund_returned(refund, at=at)
    log.error("refund.came_back", refund=refund.pk)
