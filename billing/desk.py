"""What staff decide about money and mails. Each decision ends in the one flow there is for it."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing import deliveries, events, payment_checks, payments, transfers
from billing.gateways import bank_transfer
from billing.gateways.base import GatewayRefused, NotConfigured, Unavailable
from billing.locks import take_for_payment
from billing.models import GatewayEvent, Invoice, Mail, Payment
from packages.desk import Impossible
from packages.desk.cells import amount as shown
from packages.doorbell import ring
from packages.money import Money
from packages.states import record
from provisioning.pools import NoServer

BANK_TRANSFER = bank_transfer.BankTransfer.code


def confirm_transfer(
    payment: Payment, amount: Money, *, differs: bool = False, at: datetime, actor: str
) -> None:
    """Record that a bank transfer arrived, with all that follows from a success.

    `amount` is what staff read on the bank statement. It must be the payment's to the cent, or
    `differs` says that really another sum arrived: then the payment is worth that. Less leaves the
    invoice open with its rest, more goes onto the balance. A second call raises Impossible and
    changes nothing; so does any other mistake.
    """
    if payment.gateway != BANK_TRANSFER:
        raise Impossible(_("Only a bank transfer is confirmed by hand."))
    if payment.state == Payment.State.SUCCEEDED:
        raise Impossible(_("This payment has been confirmed before."))
    if amount != payment.amount and not (differs and amount.minor > 0):
        given = {"given": shown(amount), "expected": shown(payment.amount)}
        raise Impossible(
            _(
                "%(given)s is not the amount of this payment, which is %(expected)s. "
                "If another sum arrived, say so below."
            )
            % given
        )
    snapshot = bank_transfer.confirmed(payment.key.hex, amount, at)
    try:
        with transaction.atomic():
            locked, _held = take_for_payment(payment.pk)
            payments.revalue(locked, amount, at=at, actor=actor)
            payments.record(snapshot, BANK_TRANSFER, at=at, actor=actor)
    except (payments.Mismatch, payments.UnknownPayment) as error:
        raise Impossible(str(error)) from error


def book_transfer(invoice: Invoice, amount: Money, *, at: datetime, actor: str) -> Payment:
    """Record a bank transfer for an invoice that nobody had announced in the shop.

    Raises Impossible when the invoice is not open.
    """
    if amount.minor <= 0:
        raise Impossible(_("Please give the amount that arrived."))
    if invoice.state != Invoice.State.OPEN:
        raise Impossible(_("This invoice is not open any more."))
    with transaction.atomic():
        held = transfers.held_for([invoice])
        arrival = transfers.Arrival(invoice, amount, at)
        [payment] = transfers.book([arrival], held, at=at, actor=actor)
    return payment


def ask_gateway(payment: Payment, *, at: datetime, actor: str) -> Payment:
    """Ask the gateway about a payment and record what it says; return it as it is afterwards.

    Speaks HTTP before its transaction. Raises Impossible, and nothing has changed, while the
    gateway does not answer, does not know of the payment, or contradicts our row.
    """
    try:
        snapshot = payment_checks.look_up(payment)
        if snapshot is None:
            raise Impossible(_("The gateway does not know of this payment."))
        return payments.record(snapshot, payment.gateway, at=at, actor=actor)
    except (Unavailable, GatewayRefused, NotConfigured, KeyError) as error:
        words = {"error": f"{type(error).__name__}: {error}"}
        raise Impossible(_("The gateway has no answer now. %(error)s") % words) from error
    except (payments.Mismatch, payments.UnknownPayment) as error:
        words = {"error": str(error)}
        raise Impossible(_("The gateway contradicts our row: %(error)s") % words) from error
    except NoServer as error:
        raise Impossible(str(error)) from error


def process_again(event: GatewayEvent, *, at: datetime, actor: str) -> GatewayEvent:
    """Take a parked event up again and process it now; return it as it is afterwards.

    Speaks HTTP after its own transaction. Raises Impossible when it is not parked.
    """
    with transaction.atomic():
        held = _parked(event)
        held.attempts, held.next_attempt_at, held.processed_at, held.note = 0, None, None, ""
        _leave(held, GatewayEvent.State.RECEIVED, at=at, actor=actor, reason="fetch again")
    events.process(event.pk, at=at)
    return GatewayEvent.objects.get(pk=event.pk)


def close_event(event: GatewayEvent, *, reason: str, at: datetime, actor: str) -> None:
    """Put a parked event aside that staff dealt with elsewhere; raises Impossible if not parked."""
    with transaction.atomic():
        held = _parked(event)
        held.processed_at, held.note = at, reason[:300]
        _leave(held, GatewayEvent.State.IGNORED, at=at, actor=actor, reason=reason)


def send_again(mail: Mail, *, at: datetime, actor: str) -> None:
    """Queue a failed or perhaps sent mail once more; raises Impossible in any other state."""
    with transaction.atomic():
        held = Mail.objects.select_for_update().get(pk=mail.pk)
        if held.state not in (Mail.State.FAILED, Mail.State.UNKNOWN):
            raise Impossible(
                _("This mail is not to be sent again, it is: %(state)s.")
                % {"state": held.get_state_display()}
            )
        held.attempts, held.next_attempt_at, held.last_error = 0, at, ""
        also = ("attempts", "next_attempt_at", "last_error")
        held.move(Mail.State.QUEUED, at=at, actor=actor, reason="send again", also=also)
        ring(deliveries.deliver_mail, held.pk)


def _parked(event: GatewayEvent) -> GatewayEvent:
    held = GatewayEvent.objects.select_for_update().get(pk=event.pk)
    if held.state != GatewayEvent.State.PARKED:
        raise Impossible(
            _("This event does not wait for staff any more, it is: %(state)s.")
            % {"state": held.get_state_display()}
        )
    return held


def _leave(
    event: GatewayEvent, state: GatewayEvent.State, *, at: datetime, actor: str, reason: str
) -> None:
    """Save the locked event in its next state, and who took it out of the parked ones and why."""
    event.state = state
    event.save(update_fields=["state", "attempts", "next_attempt_at", "processed_at", "note"])
    record(
        "gatewayevent",
        event.pk,
        GatewayEvent.State.PARKED,
        state,
        at=at,
        actor=actor,
        reason=reason,
    )
