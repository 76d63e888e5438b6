"""A payment that its payer contests at the gateway; meanwhile the customer is not dunned."""

from datetime import datetime

from django.db import transaction

from billing import pauses
from billing.locks import take_for_payment
from billing.models import Invoice, Payment, current_brand
from packages.periods import business_day


def note(payment: Payment, *, disputed: bool, at: datetime) -> None:
    """Remember a dispute as the gateway tells it; needs the payment's lock."""
    was_open = payment.disputed_at is not None and payment.dispute_ended_at is None
    if disputed == was_open:
        return
    if disputed:
        payment.disputed_at, payment.dispute_ended_at = payment.disputed_at or at, None
    else:
        payment.dispute_ended_at = at
    payment.save(update_fields=["disputed_at", "dispute_ended_at"])
    theirs = Invoice.objects.filter(customer=payment.customer_id)
    pauses.look_again(theirs, on=business_day(at, current_brand().zone))


def end(payment: Payment, *, at: datetime) -> None:
    """Write down that a dispute is over, as staff know; dunning goes on. Locks the payment."""
    with transaction.atomic():
        locked, _held = take_for_payment(payment.pk)
        note(locked, disputed=False, at=at)
