"""Book what the gateways took and paid out, from their own account statements, once a day."""

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Exists, F, Max, Min, OuterRef

from billing import differences, gateways, ledger, payments
from billing.differences import Found
from billing.gateways.base import (
    Gateway,
    GatewayRefused,
    MovementSnapshot,
    Reports,
    Unavailable,
)
from billing.models import Difference, Movement, Payment
from packages.money import Money

log = structlog.get_logger()

Kind = Difference.Kind
# Statements are complete after a while; what is read twice is booked once.
OVERLAP = timedelta(days=4)
OF_STATEMENTS = (Kind.CURRENCY, Kind.UNMATCHED, Kind.UNBOOKED)
# Where a statement stays empty for another reason, some of them say as much as all.
MOST_UNBOOKED = 50


def reconcile(code: str, *, at: datetime) -> int:
    """Read the gateway's movements since the last time, book each once; return how many were new.

    Fees and payouts leave the clearing account, so that it holds what the gateway holds for us;
    payments and refunds were booked when they happened. Speaks HTTP before its transactions. A
    gateway that gives no answer, or reports nothing, leaves everything as it is.
    """
    gateway = gateways.get(code)
    since = _since(gateway)
    if not isinstance(gateway, Reports) or since is None:
        return 0
    try:
        found = gateway.list_movements(since)
    except (Unavailable, GatewayRefused) as error:
        log.warning("gateway.not_reconciled", gateway=code, error=type(error).__name__)
        return 0
    new = sum(_book(each, gateway, at=at) for each in sorted(found, key=lambda each: each.at))
    differences.write(code, OF_STATEMENTS, _odd(gateway) + _unbooked(gateway, at=at), at=at)
    return new


def _since(gateway: Gateway) -> datetime | None:
    """Where the last reading ended; the first begins with our first payment, None before it."""
    known = {"gateway": gateway.code, "livemode": gateway.livemode}
    last = Movement.objects.filter(**known).aggregate(at=Max("at"))["at"]
    first = Payment.objects.filter(**known).aggregate(at=Min("created_at"))["at"]
    begin = last or first
    return begin - OVERLAP if begin else None


def _book(snapshot: MovementSnapshot, gateway: Gateway, *, at: datetime) -> bool:
    """Store a movement and book it; False for one that is known."""
    with transaction.atomic():
        movement, new = Movement.objects.get_or_create(
            gateway=gateway.code,
            livemode=gateway.livemode,
            external_id=snapshot.external_id,
            defaults={
                "kind": snapshot.kind,
                "amount_minor": snapshot.amount.minor,
                "fee_minor": snapshot.fee.minor,
                "currency": snapshot.amount.currency,
                "payment": _payment(snapshot, gateway),
                "at": snapshot.at,
            },
        )
        if new:
            ledger.book_movement(movement, at=at)
    return new


def _payment(snapshot: MovementSnapshot, gateway: Gateway) -> Payment | None:
    rows = Payment.objects.filter(gateway=gateway.code, livemode=gateway.livemode)
    key = payments.as_uuid(snapshot.key)
    return rows.filter(key=key).first() if key else None


def _odd(gateway: Gateway) -> list[Found]:
    """Say which movements our books do not explain."""
    rows = Movement.objects.filter(gateway=gateway.code, livemode=gateway.livemode)
    ours = (Movement.Kind.PAYMENT, Movement.Kind.REFUND, Movement.Kind.DISPUTE)
    found = [
        Found(
            Kind.UNMATCHED,
            each.external_id,
            f"{each.kind} of {_size(each.amount)} without a payment of ours",
        )
        for each in rows.filter(kind__in=ours, payment=None)
    ]
    matched = rows.filter(payment__isnull=False).select_related("payment")
    return found + [
        Found(
            Kind.CURRENCY,
            each.external_id,
            f"{each.amount} for a payment in {each.payment.currency}",
            each.payment,
        )
        for each in matched.exclude(payment__currency=F("currency"))
        if each.payment
    ]


def _size(amount: Money) -> Money:
    """Return it without its sign: a refund of a sum takes that sum away."""
    return max(amount, -amount)


def _unbooked(gateway: Gateway, *, at: datetime) -> list[Found]:
    """Name what counts as paid here and stands on no statement of theirs by now, the oldest first:
    money that we believe they hold for us.
    """
    booked = Movement.objects.filter(payment=OuterRef("pk"), kind=Movement.Kind.PAYMENT)
    ours = Payment.objects.filter(
        ~Exists(booked),
        gateway=gateway.code,
        livemode=gateway.livemode,
        succeeded_at__lt=at - OVERLAP,
    )
    return [
        Found(Kind.UNBOOKED, str(each.external_id), f"{each.amount} paid here, not booked", each)
        for each in ours.order_by("id")[:MOST_UNBOOKED]
    ]
