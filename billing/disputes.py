"""A payment that its payer contests at the gateway; meanwhile the customer is not dunned."""

from datetime import datetime

from django.db import transaction

from billing import pauses
from billing.gateways.base import DisputeState
from billing.locks import take_for_payment
from billing.models import Invoice, Payment, current_brand
from packages.periods import business_day


def note(payment: Payment, dispute: DisputeState, *, url: str = "", at: datetime) -> None:
    """Remember a dispute as the gateway tells it; needs the payment's lock.

    `url` is where staff answer it. An ended one keeps how it ended.
    """
    was_open = payment.disputed_at is not None and payment.dispute_ended_at is None
    disputed = dispute == "open"
    if (dispute, url) == (payment.dispute, payment.dispute_url) or (not dispute and not was_open):
        return
    payment.dispute, payment.dispute_url = dispute, url or payment.dispute_url
    if disputed:
        payment.disputed_at, payment.dispute_ended_at = payment.disputed_at or at, None
    elif dispute or was_open:
        payment.disputed_at, payment.dispute_ended_at = payment.disputed_at or at, at
    also = ["dispute", "dispute_url", "disputed_at", "dispute_ended_at"]
    payment.save(update_fields=also)
    if disputed != was_open:
        theirs = Invoice.objects.filter(customer=payment.customer_id)
        pauses.look_again(theirs, on=business_day(at, current_brand().zone))


def end(payment: Payment, *, at: datetime) -> None:
    """Write down that a dispute is over, as staff know; dunning goes on. Locks the payment."""
    with transaction.atomic():
        locked, _held = take_for_payment(payment.pk)
        note(locked, "", at=at)
