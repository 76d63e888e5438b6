"""Gateway events that stand still."""

from __future__ import annotations

from datetime import datetime

from billing.models import GatewayEvent


def parked_event(payment_id: str, *, at: datetime) -> GatewayEvent:
    return GatewayEvent.objects.create(
        gateway="bank_transfer",
        account="demo",
        livemode=False,
        external_id="evt_1",
        kind="payment.updated",
        payment_external_id=payment_id,
        body=b"{}",
        created_at=at,
        received_at=at,
        state="parked",
        attempts=30,
        note="Unavailable",
    )
