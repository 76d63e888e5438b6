"""A payment that its payer contests at the gateway; meanwhile the customer is not dunned."""

from datetime import datetime

from django.db import transaction

from billing import charge_emails, pauses, subscriptions
from billing.gateways.base import DisputeState, PaymentSnapshot
from billing.locks import Held, take_for_payment
from billing.models import Invoice, Payment, Subscription, current_brand
from packages.periods import business_day
from packages.states import StateChange

ACTOR = "system:dispute"
REASON = "its payment is disputed"


def note(
    payment: Payment, dispute: DisputeState, held: Held, *, url: str = "", at: datetime
) -> None:
    """Remember a dispute as the gateway tells it; needs the payment's locks.

    `url` is where staff answer it. An ended one keeps how it ended. Where the brand says so, what
    the payment paid for is suspended meanwhile, and the customer is told. So it is where the first
    that is heard of it is that it is lost: a debit is taken back without any question.
    """
    if not _is_news(payment, dispute, url):
        return
    was_open, disputed = _is_open(payment), dispute == "open"
    lost_at_once = dispute == "lost" and payment.disputed_at is None
    payment.dispute, payment.dispute_url = dispute, url or payment.dispute_url
    if disputed:
        payment.disputed_at, payment.dispute_ended_at = payment.disputed_at or at, None
    elif dispute or was_open:
        payment.disputed_at, payment.dispute_ended_at = payment.disputed_at or at, at
    also = ["dispute", "dispute_url", "disputed_at", "dispute_ended_at"]
    payment.save(update_fields=also)
    if disputed == was_open and not lost_at_once:
        return
    theirs = Invoice.objects.filter(customer=payment.customer_id)
    pauses.look_again(theirs, on=business_day(at, current_brand().zone))
    if disputed or lost_at_once:
        if current_brand().suspends_disputed:
            _suspend(payment, held, at=at)
    elif dispute != "lost":
        _restore(payment, held, at=at)


def has_news(payment: Payment, snapshot: PaymentSnapshot) -> bool:
    """Say whether the gateway tells of a dispute what the payment's row does not know."""
    return _is_news(payment, snapshot.dispute, snapshot.dispute_url)


def end(payment: Payment, *, at: datetime) -> None:
    """Write down that a dispute is over, as staff know; dunning goes on. Locks the payment."""
    with transaction.atomic():
        locked, held = take_for_payment(payment.pk)
        note(locked, "", held, at=at)


def _is_news(payment: Payment, dispute: DisputeState, url: str) -> bool:
    known = (dispute, url) == (payment.dispute, payment.dispute_url)
    return not known and bool(dispute or _is_open(payment))


def _is_open(payment: Payment) -> bool:
    return payment.disputed_at is not None and payment.dispute_ended_at is None


def _suspend(payment: Payment, held: Held, *, at: datetime) -> None:
    cause = f"dispute-{payment.pk}"
    running = [
        each for each in held.subscriptions.values() if each.state == Subscription.State.ACTIVE
    ]
    for each in running:
        subscriptions.suspend(each, cause=cause, reason=REASON, at=at, actor=ACTOR, at_once=True)
    if running:
        charge_emails.disputed(payment, at=at)


def _restore(payment: Payment, held: Held, *, at: datetime) -> None:
    """Let run again what stands still for this reason alone."""
    for subscription in held.subscriptions.values():
        changes = StateChange.objects.filter(
            subject="subscription", subject_id=subscription.pk, after=Subscription.State.SUSPENDED
        )
        last = changes.order_by("-id").first()
        suspended = subscription.state == Subscription.State.SUSPENDED
        if suspended and last is not None and last.reason == REASON:
            cause = f"dispute-{payment.pk}:over"
            subscriptions.restore(subscription, cause=cause, at=at, actor=ACTOR)
