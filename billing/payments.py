"""Begin payments, and believe them: every way in (webhook, browser, sweep, staff) ends in
`record`.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Q

from billing import (
    bundles,
    declines,
    disputes,
    gateways,
    invoices,
    methods,
    payers,
)
from billing.bundles import NotPayable as NotPayable
from billing.gateways.bank_transfer import BankTransfer
from billing.gateways.base import (
    Declined,
    Gateway,
    GatewayRefused,
    PaymentRequest,
    PaymentSnapshot,
    PaymentStart,
)
from billing.locks import Held, take_for_invoices, take_for_payment
from billing.models import Invoice, Payment
from packages import rows
from packages.money import Money
from packages.states import move, record_change

log = structlog.get_logger()

# A payment, and what its gateway says about it.
Told = tuple[Payment, PaymentSnapshot]
FIRST_CHECK = timedelta(seconds=60)
# A page whose address never reached us, so nobody has seen it, is begun anew after this.
SEEN_BY_NOBODY = timedelta(minutes=2)


class MethodGone(Exception):
    """The saved method is not the customer's, was removed, or was declined for good."""


class Mismatch(Exception):
    """The gateway's payment is not the one we asked for; nothing was credited."""


class UnknownPayment(Exception):
    """The gateway speaks of a payment that no row of ours began."""


def start(
    invoice: Invoice,
    gateway_code: str,
    *,
    return_url: str,
    at: datetime,
    actor: str,
    consent: dict[str, Any] | None = None,
    also: Sequence[Invoice] = (),
) -> Payment:
    """Begin to pay what is due, and return the payment with the address to go to.

    `also` are further invoices of the customer in the same currency: one payment pays them all.

    With a `consent` (what the customer agreed to, and when) the method is kept once it has paid.
    Asked again while one is open at the same gateway, it is that one; at another gateway, the
    earlier is given up. Speaks HTTP after its transaction. Raises NotPayable, Declined,
    GatewayRefused, or Unavailable (the payment stays open and the sweep finds it).
    """
    gateway = gateways.get(gateway_code)
    agreed = (consent or {}) if gateway.keeps_methods else {}
    with transaction.atomic():
        locked = bundles.locked([invoice, *also], take_for_invoices([invoice, *also]))
        payment = _open_payment(locked, gateway, consent=agreed, at=at, actor=actor)
    if payment.redirect_url:
        return payment
    try:
        payer = payers.at_gateway(payment.customer, gateway, at=at)
        request = request_of(payment, return_url=return_url, customer_id=payer)
        with payers.forgotten_if_gone(payment.customer, gateway):
            begun = gateway.start_payment(request)
    except (Declined, GatewayRefused) as error:
        declines.give_up(payment, error, at=at)
        raise
    return _remember(payment, begun)


def request_of(payment: Payment, *, return_url: str, customer_id: str) -> PaymentRequest:
    """Return what the gateway is asked for; the same row always asks the same."""
    invoice = payment.invoice
    return PaymentRequest(
        key=payment.key.hex,
        amount=payment.amount,
        description=", ".join(str(each.number) for each in payment.invoices)[:200],
        customer_email=payment.customer.email,
        language=invoice.language,
        return_url=return_url,
        save_method=bool(payment.consent),
        customer_id=customer_id,
    )


def _open_payment(
    invoices: Sequence[Invoice],
    gateway: Gateway,
    *,
    consent: dict[str, Any],
    at: datetime,
    actor: str,
) -> Payment:
    """Return the invoices' open payment at this gateway, or make one; they are locked."""
    first, due = invoices[0], bundles.due(invoices)
    earlier = first.payments.filter(state=Payment.State.CREATED, gateway=gateway.code).first()
    if earlier is not None and all(each.state == Invoice.State.OPEN for each in invoices):
        same = earlier.amount == due and bool(earlier.consent) == bool(consent)
        same = same and earlier.invoices == list(invoices)
        lost = earlier.external_id is None and at > earlier.created_at + SEEN_BY_NOBODY
        if same and not lost:
            return earlier
    for each in invoices:
        bundles.clear(each, at=at, actor=actor)
    payment = Payment.objects.create(
        customer=first.customer,
        invoice=first,
        gateway=gateway.code,
        livemode=gateway.livemode,
        amount_minor=due.minor,
        currency=first.currency,
        consent=consent,
        created_at=at,
        next_check_at=at + FIRST_CHECK,
    )
    bundles.add(payment, invoices)
    record_change(payment, before="", at=at, actor=actor, reason="begun")
    return payment


def _remember(payment: Payment, begun: PaymentStart) -> Payment:
    """Keep the gateway's id. A webhook may have come first, so only these two fields are saved."""
    payment.external_id, payment.redirect_url = begun.external_id, begun.redirect_url or ""
    payment.save(update_fields=["external_id", "redirect_url"])
    return payment


def record(snapshot: PaymentSnapshot, gateway_code: str, *, at: datetime, actor: str) -> Payment:
    """Write down what the gateway says about one payment, and all that follows from it.

    One transaction with the payment's, invoice's, order's and subscriptions' locks. A repetition
    changes nothing and locks nothing, a success is never taken back, and amounts must match to the
    cent. Raises UnknownPayment, Mismatch.
    """
    found = _find(snapshot, gateway_code)
    news = disputes.has_news(found, snapshot) or keeps_late(found, snapshot)
    if found.state == Payment.State.SUCCEEDED and not news:
        return found
    with transaction.atomic():
        payment, held = take_for_payment(found.pk)
        if payment.external_id not in (None, snapshot.external_id):
            raise Mismatch(f"payment {payment.pk} has another id at the gateway")
        if payment.state == Payment.State.SUCCEEDED:
            disputes.note(payment, snapshot.dispute, held, url=snapshot.dispute_url, at=at)
            if keeps_late(payment, snapshot):
                _keep(payment, snapshot, at=at, actor=actor)
            return payment
        if snapshot.state == "succeeded":
            succeed([(payment, snapshot)], held, at=at, actor=actor)
        else:
            _learn([(payment, snapshot)])
            _follow(payment, snapshot, at=at, actor=actor)
    return payment


def keeps_late(payment: Payment, snapshot: PaymentSnapshot) -> bool:
    """Say whether the gateway kept the method of a paid payment only after the money had come."""
    if payment.state != Payment.State.SUCCEEDED or not payment.consent or not snapshot.method:
        return False
    return not methods.is_known(payment.gateway, snapshot.method)


def succeed(told: Sequence[Told], held: Held, *, at: datetime, actor: str) -> None:
    """Believe successes, and all that follows from them.

    Needs the locks of the payments and of all that they concern; no two may be of one customer, and
    then many take as few statements as one. Raises Mismatch.
    """
    _learn(told)
    _confirm(told, at=at, actor=actor)
    for payment, snapshot in told:
        _keep(payment, snapshot, at=at, actor=actor)
    payments = [payment for payment, _ in told]
    paid = zip(payments, bundles.paid_by(payments, held), strict=True)
    invoices.settle(list(paid), held, at=at)


def revalue(payment: Payment, amount: Money, *, at: datetime, actor: str) -> None:
    """Let a transfer, which is locked, be worth what arrived."""
    if payment.amount == amount or payment.state == Payment.State.SUCCEEDED:
        return
    reason = f"{amount} arrived instead of {payment.amount}"
    payment.amount_minor = amount.minor
    payment.save(update_fields=["amount_minor"])
    record_change(payment, before=payment.state, at=at, actor=actor, reason=reason)


def _learn(told: Sequence[Told]) -> None:
    """Keep the gateway's id and page of locked payments, where an answer was lost."""
    new = []
    for payment, snapshot in told:
        before = payment.external_id, payment.redirect_url
        payment.external_id = snapshot.external_id
        payment.redirect_url = payment.redirect_url or snapshot.redirect_url or ""
        if (payment.external_id, payment.redirect_url) != before:
            new.append(payment)
    rows.update(new, "external_id", "redirect_url")


def _find(snapshot: PaymentSnapshot, gateway_code: str) -> Payment:
    payments = Payment.objects.filter(gateway=gateway_code, livemode=snapshot.livemode)
    found = payments.filter(external_id=snapshot.external_id).first()
    if found is None and (key := as_uuid(snapshot.key)):
        found = payments.filter(key=key, external_id__isnull=True).first()
    if found is None:
        raise UnknownPayment(snapshot.external_id)
    return found


def as_uuid(key: str) -> uuid.UUID | None:
    """Read our key; a payment that somebody else made at the same gateway may carry anything."""
    try:
        return uuid.UUID(key)
    except ValueError:
        return None


def _confirm(told: Sequence[Told], *, at: datetime, actor: str) -> None:
    for payment, snapshot in told:
        if snapshot.amount != payment.amount:
            raise Mismatch(f"payment {payment.pk}: {snapshot.amount} instead of {payment.amount}")
        payment.fetched_minor = snapshot.amount.minor
        payment.fetched_currency = snapshot.amount.currency
        payment.succeeded_at = _when(payment, snapshot.succeeded_at or at)
        payment.confirmed_at = at
        payment.next_check_at, payment.failure_code, payment.failure_message = None, "", ""
    also = (
        *("fetched_minor", "fetched_currency", "confirmed_at", "succeeded_at"),
        *("next_check_at", "failure_code", "failure_message"),
    )
    for before in sorted({payment.state for payment, _ in told}):
        alike = [payment for payment, _ in told if payment.state == before]
        reasons = [_why(payment) for payment in alike]
        move(alike, Payment.State.SUCCEEDED, at=at, actor=actor, reason=reasons, also=also)


def _when(payment: Payment, said: datetime) -> datetime:
    """Return when it succeeded: not before it was begun, for another clock may be behind ours.

    Of a transfer the bank knows the day, for which its noon stands; money that came on an earlier
    day than the customer chose to transfer it counts from its own.
    """
    earlier_day = said + timedelta(hours=12) < payment.created_at
    if payment.gateway == BankTransfer.code and earlier_day:
        return said
    return max(payment.created_at, said)


def _why(payment: Payment) -> str:
    by_bank = payment.gateway == BankTransfer.code
    return "the money arrived" if by_bank else "confirmed by the gateway"


def _keep(payment: Payment, snapshot: PaymentSnapshot, *, at: datetime, actor: str) -> None:
    """Keep the method if that was agreed to; money that came in never fails because of it."""
    if not payment.consent or snapshot.method is None:
        return
    try:
        with transaction.atomic():
            methods.keep(payment, snapshot.method, at=at, actor=actor)
    except IntegrityError:
        log.error("payment.method_not_kept", payment=payment.pk)


def _follow(payment: Payment, snapshot: PaymentSnapshot, *, at: datetime, actor: str) -> None:
    """Take over an outcome that is no success; `open` with a reason is a decline to be retried."""
    payment.failure_code = snapshot.failure_code or ""
    payment.failure_message = (snapshot.failure_message or "")[:200]
    payment.save(update_fields=["failure_code", "failure_message"])
    target = {
        "processing": Payment.State.PROCESSING,
        "failed": Payment.State.FAILED,
        "cancelled": Payment.State.CANCELLED,
    }.get(snapshot.state)
    if payment.method_id and snapshot.failure_code:
        # There is no page on which the customer could go on with this one.
        target = Payment.State.FAILED
    if target is None or target not in payment.MOVES[payment.state]:
        if target == payment.state == Payment.State.CANCELLED:
            # Its page is closed: nobody can pay there any more.
            payment.next_check_at = None
            payment.save(update_fields=["next_check_at"])
        return
    wakes = target == Payment.State.PROCESSING
    payment.next_check_at = (payment.next_check_at or at + FIRST_CHECK) if wakes else None
    if wakes and _another_is_open(payment):
        # An invoice has one open payment; a success of this one is believed all the same.
        payment.save(update_fields=["next_check_at"])
        return
    payment.move(target, at=at, actor=actor, reason="told by the gateway", also=("next_check_at",))
    if target == Payment.State.FAILED:
        declines.follow(payment, at=at, actor=actor)


def _another_is_open(payment: Payment) -> bool:
    ours = payment.invoices
    others = Payment.objects.filter(
        Q(invoice__in=ours) | Q(parts__invoice__in=ours), state__in=Payment.OPEN
    )
    return others.exclude(pk=payment.pk).exists()
