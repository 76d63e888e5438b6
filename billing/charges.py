"""Charge a saved method: the row first, then one request; the unknown is read, never repeated.

Nobody is redirected anywhere: whoever must confirm something gets another payment, on a page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import structlog
from celery import shared_task
from django.db import transaction

from billing import bundles, declines, emails, gateways, payers, payment_checks, payments
from billing.gateways.base import (
    Declined,
    Gateway,
    GatewayRefused,
    NotConfigured,
    Unavailable,
)
from billing.locks import take_for_invoices, take_for_payment, take_methods
from billing.models import Invoice, Payment, PaymentMethod
from packages import clock
from packages.states import record_change
from provisioning import vault

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Turn:
    """Which automatic attempt for its invoice it is, from 1, and on which day of the calendar."""

    number: int
    on: date


@dataclass(frozen=True, slots=True)
class _Claimed:
    payment: Payment
    gateway: Gateway
    token: str


@shared_task
def send_charge(payment_id: int) -> None:
    """Send one charge that waits."""
    send(payment_id, at=clock.now())


def charge(
    invoice: Invoice,
    method: PaymentMethod,
    *,
    at: datetime,
    actor: str,
    also: Sequence[Invoice] = (),
) -> Payment:
    """Charge what is due on an invoice to a saved method now, and return the payment as it is then.

    `also` are further invoices of the customer in the same currency: one charge pays them all.

    `succeeded` has settled the invoice; `failed` has its `failure_code` (see failures.VERDICTS);
    `processing` is not known yet, and the sweep finds out. Speaks HTTP after its transactions.
    Raises payments.NotPayable (not open, nothing due, or another payment is being confirmed, so a
    double click charges once) and payments.MethodGone.
    """
    return send(ask(invoice, method, at=at, actor=actor, also=also).pk, at=at)


def ask(
    invoice: Invoice,
    method: PaymentMethod,
    *,
    at: datetime,
    actor: str,
    turn: Turn | None = None,
    also: Sequence[Invoice] = (),
) -> Payment:
    """Write down that a charge is to be sent; `send` sends it, or the sweep.

    Takes the invoice's locks, speaks to nobody. Raises as `charge` does, and IntegrityError for a
    turn that was taken before.
    """
    with transaction.atomic():
        asked = bundles.locked([invoice, *also], take_for_invoices([invoice, *also]))
        methods = {each.pk: each for each in take_methods(invoice.customer_id)}
        usable = methods.get(method.pk)
        if usable is None or usable.state != PaymentMethod.State.ACTIVE:
            raise payments.MethodGone
        locked = asked[0]
        for each in asked:
            bundles.clear(each, at=at, actor=actor)
        payment = Payment.objects.create(
            customer_id=locked.customer_id,
            invoice=locked,
            gateway=usable.gateway,
            livemode=usable.livemode,
            state=Payment.State.PROCESSING,
            method=usable,
            amount_minor=bundles.due(asked).minor,
            currency=locked.currency,
            created_at=at,
            next_check_at=at,
            turn=turn.number if turn else None,
            turn_on=turn.on if turn else None,
        )
        bundles.add(payment, asked)
        record_change(payment, before="", at=at, actor=actor, reason=f"charge {usable}")
    return payment


def send(payment_id: int, *, at: datetime) -> Payment:
    """Send a charge that waits, once whoever asks; return the payment as it is afterwards.

    Without an answer it stays `processing`, and the sweep reads what became of it.
    """
    claimed = _claim(payment_id, at=at)
    if claimed is None:
        return Payment.objects.get(pk=payment_id)
    payment = claimed.payment
    back = emails.link("storefront:pay", payment.invoice.public_id)
    try:
        payer = payers.at_gateway(payment.customer, claimed.gateway, at=at)
        request = payments.request_of(payment, return_url=back, customer_id=payer)
        snapshot = claimed.gateway.charge_saved(request, claimed.token)
    except Unavailable as error:
        log.warning("charge.unknown", payment=payment.pk, error=type(error).__name__)
    except (Declined, GatewayRefused) as error:
        declines.give_up(payment, error, at=at)
    else:
        payment_checks.believe(payment, snapshot, at=at, actor="system:charge")
    return Payment.objects.get(pk=payment_id)


def _claim(payment_id: int, *, at: datetime) -> _Claimed | None:
    """Take a charge that waits: from here on it counts as sent, so it is sent at most once.

    What is not to be charged any more is given up instead, and None returned.
    """
    with transaction.atomic():
        payment, held = take_for_payment(payment_id)
        if not payment.waits_to_be_sent:
            return None
        if obstacle := _obstacle(payment, list(held.invoices.values())):
            payment.next_check_at = None
            reason, also = f"not sent: {obstacle}", ("next_check_at",)
            payment.move(
                Payment.State.CANCELLED, at=at, actor="system:charge", reason=reason, also=also
            )
            return None
        claimed = _opened(payment)
        if isinstance(claimed, Exception):
            declines.fail(payment, claimed, at=at, actor="system:charge")
            return None
        payment.sent_at, payment.next_check_at = at, at + payments.FIRST_CHECK
        payment.save(update_fields=["sent_at", "next_check_at"])
    return claimed


def _obstacle(payment: Payment, invoices: Sequence[Invoice]) -> str:
    method = payment.method
    closed = any(each.state != Invoice.State.OPEN for each in invoices)
    if closed or bundles.due(invoices) != payment.amount:
        return "another sum is due"
    if method is None or method.state != PaymentMethod.State.ACTIVE:
        return "the method is gone"
    return ""


def _opened(payment: Payment) -> _Claimed | Exception:
    """Find the gateway and unseal the token; an error is what staff must set right."""
    method = payment.method
    assert method is not None, "What waits to be sent has its method."
    try:
        gateway = gateways.get(payment.gateway, livemode=payment.livemode)
        if gateway.account != method.account:
            return Declined("method_gone", "")
        return _Claimed(payment, gateway, vault.unseal(method.token_sealed, purpose=method.purpose))
    except (NotConfigured, vault.Unsealable, KeyError) as error:
        log.error("charge.impossible", payment=payment.pk, error=type(error).__name__)
        return error
