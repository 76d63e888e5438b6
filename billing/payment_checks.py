"""Ask the gateway about a payment: the browser that comes back, "check now", the sweep."""

from datetime import datetime, timedelta

import structlog

from billing import captures, declines, gateways, payments
from billing.gateways.base import (
    GatewayRefused,
    NotConfigured,
    PaymentSnapshot,
    Unavailable,
)
from billing.models import Payment
from provisioning.pools import NoServer

log = structlog.get_logger()

LAST_CHECK = timedelta(minutes=15)
GIVE_UP_AFTER = timedelta(days=2)
SLOW_CHECK = timedelta(hours=6)
SLOWEST = timedelta(days=30)
# A charge that the gateway does not know of by then never reached it.
LOST_AFTER = timedelta(minutes=30)
# The gateway's answer contradicts ours; staff must look (a card on their first page shows it).
NOT_BELIEVED = "not_believed"


class Lost(Exception):
    """A charge never reached the gateway; another one may be sent."""


def check(payment: Payment, *, at: datetime, actor: str, came_back: bool = False) -> None:
    """Ask the gateway about an open payment and record what it says.

    The browser's return page (the customer `came_back`), "check now" and the sweep call this.
    Speaks HTTP before any lock; an unreachable gateway leaves everything as it is. An answer that
    is not believed changes nothing and waits for staff; without a dialler for what was bought, the
    sweep comes back to it.
    """
    approval = f"return-{int(at.timestamp())}" if came_back else ""
    try:
        snapshot = look_up(payment, approval=approval)
    except (Unavailable, GatewayRefused, NotConfigured, KeyError) as error:
        log.warning("payment.unchecked", payment=payment.pk, error=type(error).__name__)
        return
    if snapshot is not None:
        believe(payment, snapshot, at=at, actor=actor)
    elif payment.sent_at is not None and at > payment.sent_at + LOST_AFTER + _lag(payment):
        declines.give_up(payment, Lost("the gateway does not know of it"), at=at)


def believe(payment: Payment, snapshot: PaymentSnapshot, *, at: datetime, actor: str) -> None:
    """Record the gateway's answer about this payment; what is not believed waits for staff."""
    try:
        payments.record(snapshot, payment.gateway, at=at, actor=actor)
    except NoServer:
        log.error("payment.no_server", payment=payment.pk)
    except (payments.Mismatch, payments.UnknownPayment) as error:
        log.error("payment.not_believed", payment=payment.pk, error=type(error).__name__)
        Payment.objects.filter(pk=payment.pk).update(next_check_at=None, failure_code=NOT_BELIEVED)


def look_up(payment: Payment, *, approval: str = "") -> PaymentSnapshot | None:
    """Fetch by the gateway's id; where its answer was lost, find the payment by our key.

    `approval` as for `captures.take`. None: the gateway does not know of it. Speaks HTTP. Raises
    Unavailable, GatewayRefused, NotConfigured, or KeyError for a gateway that is no more.
    """
    gateway = gateways.get(payment.gateway, livemode=payment.livemode)
    if payment.external_id:
        found = gateway.fetch_payment(payment.external_id)
        return captures.take(gateway, found, approval=approval)
    recent = gateway.list_payments(payment.created_at - timedelta(minutes=5))
    return next((each for each in recent if each.key == payment.key.hex), None)


def _lag(payment: Payment) -> timedelta:
    return gateways.get(payment.gateway, livemode=payment.livemode).lag


def check_due(payment: Payment, *, at: datetime, actor: str) -> None:
    """Check a payment whose time has come, and plan the next time before asking.

    Later each time, but every quarter of an hour at least for two days; then never again, since no
    gateway keeps an unpaid page open for longer. What is being confirmed is asked about for a
    month, some times a day.
    """
    pause = min(LAST_CHECK, payments.FIRST_CHECK * 2 ** min(payment.checks, 10))
    if payment.state == Payment.State.PROCESSING and at > payment.created_at + GIVE_UP_AFTER:
        # A direct debit takes days; its webhook is not the only way to hear of it.
        pause, patience = SLOW_CHECK, SLOWEST
    else:
        patience = GIVE_UP_AFTER
    next_at = at + pause if at < payment.created_at + patience else None
    planned = Payment.objects.filter(pk=payment.pk, next_check_at__isnull=False)
    planned.update(next_check_at=next_at, checks=payment.checks + 1)
    check(payment, at=at, actor=actor)
