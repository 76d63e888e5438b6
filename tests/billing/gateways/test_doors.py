"""An event that one gateway signed in truth is nothing at the door of another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.test import Client, override_settings

from billing.gateways.simulator import signed, stripe_like
from billing.models import GatewayEvent
from tests import paypals, stripes
from tests.bench.sending import event

pytestmark = pytest.mark.django_db
Signed = tuple[bytes, dict[str, str]]


@pytest.fixture(scope="module")
def genuine() -> Iterator[dict[str, Signed]]:
    """One event by each, and doors for all of them; they believe their own."""
    at = datetime.now(UTC)
    with paypals.running() as (paypal, roots):
        about = {"id": "42311647XV020574X", "payee": {"merchant_id": paypals.MERCHANT}}
        told = {"id": "WH-1", "event_version": "1.0", "create_time": at.isoformat()}
        told |= {"resource_type": "capture", "event_type": "PAYMENT.CAPTURE.COMPLETED"}
        by_paypal = json.dumps(told | {"resource": about}).encode()
        fields = {"id": "evt_1", "object": "event", "livemode": False, "type": "charge.refunded"}
        fields |= {"created": int(at.timestamp()), "data": {"object": {"object": "charge"}}}
        by_stripe = json.dumps(fields).encode()
        simulated = event("evt_2", "pay_nowhere")
        secret = settings.SIMULATED_GATEWAY["secrets"][0]
        accounts = {
            "paypal": paypals.account(paypal.url, roots),
            "stripe": stripes.account(stripes.NOWHERE),
        }
        with override_settings(GATEWAY_ACCOUNTS=accounts):
            yield {
                "paypal": (
                    by_paypal,
                    paypal.signer.signed(by_paypal, paypals.WEBHOOK_ID, at.timestamp()),
                ),
                "stripe": (
                    by_stripe,
                    stripe_like.signed(by_stripe, stripes.SECRET, at.timestamp()),
                ),
                "simulated": (simulated, signed(simulated, secret, at.timestamp())),
            }


@pytest.mark.parametrize("door", ["paypal", "stripe", "simulated"])
@pytest.mark.parametrize("signer", ["paypal", "stripe", "simulated"])
def test_a_genuine_event_is_believed_at_its_own_door_alone(
    genuine: dict[str, Signed], signer: str, door: str
) -> None:
    body, headers = genuine[signer]
    headers = {name: value for name, value in headers.items() if name != "Content-Type"}
    answer = Client().post(
        f"/webhooks/{door}/", body, content_type="application/json", headers=headers
    )
    assert answer.status_code == (200 if door == signer else 400)
    assert GatewayEvent.objects.count() == (1 if door == signer else 0)
