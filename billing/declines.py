"""What follows when a payment fails, and when a saved method was declined."""

from datetime import datetime

from django.db import transaction

from billing import charge_emails, methods, timetables, turns
from billing.gateways import failures
from billing.locks import take_for_payment
from billing.models import Payment


def give_up(payment: Payment, error: Exception, *, at: datetime) -> None:
    """Call an open payment failed that the gateway declined or refused to take."""
    with transaction.atomic():
        payment, _ = take_for_payment(payment.pk)
        if payment.state in Payment.OPEN:
            # Still asked about: another tab may have begun it with success.
            fail(payment, error, at=at, actor="system:gateway")


def fail(payment: Payment, error: Exception, *, at: datetime, actor: str) -> None:
    """Move a locked payment to failed for an error of ours or the gateway's."""
    payment.failure_message = getattr(error, "message", "")[:200]
    payment.failure_code = getattr(error, "code", "payment_failed" if payment.method_id else "")
    also = ("failure_code", "failure_message")
    reason = f"{type(error).__name__} at the gateway"
    payment.move(Payment.State.FAILED, at=at, actor=actor, reason=reason, also=also)
    follow(payment, at=at, actor=actor)


def follow(payment: Payment, *, at: datetime, actor: str) -> None:
    """Draw the consequences of a failed charge of a saved method; needs the payment's lock."""
    method = payment.method
    if method is None:
        return
    verdict = failures.VERDICTS.get(payment.failure_code)
    if verdict == failures.Verdict.NEVER:
        methods.give_up(method, code=payment.failure_code, at=at, actor=actor)
    if payment.turn is None:
        return
    if verdict == failures.Verdict.CUSTOMER:
        charge_emails.needs_authentication(payment, at=at)
        return
    invoice = payment.invoice
    assert invoice.due_on is not None, "An issued invoice is due some day."
    taken = list(invoice.payments.filter(turn__isnull=False))
    (timetable,) = timetables.of([invoice]).values()
    default = methods.default_of(payment.customer)
    upcoming = turns.next_turn(invoice.due_on, taken, default, timetable.charge_days)
    charge_emails.charge_failed(payment, next_on=upcoming[1] if upcoming else None, at=at)
