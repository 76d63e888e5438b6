"""Hold the gateways' payments of the last days against ours, and say where they differ.

The sweep of open payments heals what a lost webhook left open; this finds what nobody waits for.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q

from billing import failed_refunds, gateways, inbox, payment_checks, payments
from billing.gateways.base import Gateway, GatewayRefused, PaymentSnapshot, Reports, Unavailable
from billing.models import Difference, Payment
from packages.money import Money
from packages.states import record

log = structlog.get_logger()

Kind = Difference.Kind
BACK = timedelta(hours=72)
# A payment is on its way to us for some minutes; that is no difference yet.
SETTLING = timedelta(minutes=15)
OF_PAYMENTS = (Kind.UNKNOWN, Kind.MISSING, Kind.STATE, Kind.AMOUNT, Kind.REFUNDED)


@dataclass(frozen=True, slots=True)
class Found:
    """One difference; `subject` names it, so that it is the same one the next time.

    The text is told in the reader's language by packages.desk.reasons.
    """

    kind: Difference.Kind
    subject: str
    text: str
    payment: Payment | None = None


def compare(code: str, *, at: datetime) -> None:
    """List what the gateway knows of the last 72 hours, and write down where it differs from us.

    What is paid there and open here is recorded first, by the one path. Undelivered events are
    stored as if they had come. Speaks HTTP before any lock. A gateway that gives no answer leaves
    everything as it is.
    """
    gateway = gateways.get(code)
    try:
        snapshots = gateway.list_payments(at - BACK)
        if isinstance(gateway, Reports):
            _fetch_undelivered(gateway, code, at=at)
    except (Unavailable, GatewayRefused) as error:
        log.warning("gateway.not_compared", gateway=code, error=type(error).__name__)
        return
    for snapshot in snapshots:
        _catch_up(snapshot, code, at=at)
    write(code, OF_PAYMENTS, _differences(gateway, snapshots, at=at), at=at)


def write(
    code: str, kinds: Collection[Difference.Kind], found: Sequence[Found], *, at: datetime
) -> None:
    """Keep what was found, once each; what is there no more is settled by itself."""
    with transaction.atomic():
        for each in found:
            Difference.objects.update_or_create(
                gateway=code,
                kind=each.kind,
                subject=each.subject[:80],
                defaults={"text": each.text[:300], "payment": each.payment, "seen_at": at},
                create_defaults={
                    "text": each.text[:300],
                    "payment": each.payment,
                    "seen_at": at,
                    "found_at": at,
                },
            )
        gone = Difference.objects.filter(gateway=code, kind__in=kinds, seen_at__lt=at)
        gone.filter(settled_at=None).update(settled_at=at, note="agrees again, or is past")


def settle(difference: Difference, *, reason: str, at: datetime, actor: str) -> None:
    """Put a difference aside that staff dealt with; a repetition changes nothing."""
    with transaction.atomic():
        held = Difference.objects.filter(pk=difference.pk, settled_at=None)
        if held.update(settled_at=at, note=reason[:300]):
            record(
                "difference", difference.pk, "open", "settled", at=at, actor=actor, reason=reason
            )


def _fetch_undelivered(gateway: Gateway, code: str, *, at: datetime) -> None:
    """Store the events that the gateway could not deliver; the sweep processes them."""
    assert isinstance(gateway, Reports), "Only asked of one that reports."
    late = [
        each
        for each in gateway.list_undelivered(at - BACK)
        if each.created_at < at - SETTLING and each.livemode == gateway.livemode
    ]
    stored = [each for each in late if inbox.store(each, code, at=at) is not None]
    found = []
    if stored:
        text = f"{len(stored)} events did not reach us in the last 72 hours: is the endpoint set?"
        found = [Found(Kind.EVENTS, "endpoint", text)]
    write(code, [Kind.EVENTS], found, at=at)


def _catch_up(snapshot: PaymentSnapshot, code: str, *, at: datetime) -> None:
    """Record a success that is open here, a method that was kept after it, or what became of a
    refund: neither an event nor the sweep has told of it yet.
    """
    payment = _ours(snapshot, code)
    if payment is None or snapshot.state != "succeeded":
        return
    is_open = payment.state != Payment.State.SUCCEEDED
    waits_for_staff = payment.failure_code == payment_checks.NOT_BELIEVED
    if (is_open and not waits_for_staff) or payments.keeps_late(payment, snapshot):
        payment_checks.believe(payment, snapshot, at=at, actor="system:compare")
    failed_refunds.learn(payment, snapshot, at=at, actor="system:compare")


def _differences(
    gateway: Gateway, snapshots: Sequence[PaymentSnapshot], *, at: datetime
) -> list[Found]:
    found = []
    for snapshot in snapshots:
        settling = snapshot.succeeded_at is not None and snapshot.succeeded_at > at - SETTLING
        if snapshot.state == "succeeded" and not settling:
            found += _of_payment(snapshot, gateway.code)
    return found + _missing(gateway, snapshots, at=at)


def _of_payment(snapshot: PaymentSnapshot, code: str) -> list[Found]:
    payment, name = _ours(snapshot, code), snapshot.external_id
    if payment is None:
        return [Found(Kind.UNKNOWN, name, f"{snapshot.amount} paid, and no payment of ours")]
    if payment.state != Payment.State.SUCCEEDED:
        return [Found(Kind.STATE, name, f"{snapshot.amount} paid there, not here", payment)]
    if payment.amount != snapshot.amount:
        text = f"{snapshot.amount} there, {payment.amount} here"
        return [Found(Kind.AMOUNT, name, text, payment)]
    if payment.refunded_minor != snapshot.refunded_minor:
        there = Money(snapshot.refunded_minor, payment.currency)
        here = Money(payment.refunded_minor, payment.currency)
        return [Found(Kind.REFUNDED, name, f"{there} refunded there, {here} here", payment)]
    return []


def _missing(
    gateway: Gateway, snapshots: Sequence[PaymentSnapshot], *, at: datetime
) -> list[Found]:
    """Find what succeeded here by the gateway's word and is not in its list."""
    paid = {each.external_id for each in snapshots if each.state == "succeeded"}
    since = at - BACK + timedelta(hours=1)
    ours = Payment.objects.filter(
        gateway=gateway.code,
        livemode=gateway.livemode,
        state=Payment.State.SUCCEEDED,
        created_at__gte=since,
        confirmed_at__lte=at - gateway.lag,
    )
    return [
        Found(Kind.MISSING, str(each.external_id), f"{each.amount} paid here, not there", each)
        for each in ours
        if each.external_id not in paid
    ]


def _ours(snapshot: PaymentSnapshot, code: str) -> Payment | None:
    rows = Payment.objects.filter(gateway=code, livemode=snapshot.livemode)
    known = Q(external_id=snapshot.external_id)
    if key := payments.as_uuid(snapshot.key):
        known |= Q(key=key, external_id=None)
    return rows.filter(known).first()
