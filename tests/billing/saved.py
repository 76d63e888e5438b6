"""Saved methods and their gateway, for tests whose subject is charging without the customer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.conf import settings
from django.test import override_settings

from billing import methods, payment_checks, payments
from billing.gateways.simulator import GatewaySimulator
from billing.models import Customer, Invoice, Payment, PaymentMethod
from packages.states import record_change
from provisioning import vault
from tests.story import Gateway

CONSENT = {"text": "Save it.", "version": "1", "at": "now", "by": 1}


@contextmanager
def open_gateway() -> Iterator[Gateway]:
    """Run a simulated gateway whose webhooks nobody hears, and let the shop use it."""
    config = settings.SIMULATED_GATEWAY
    simulator = GatewaySimulator.start(
        webhook_url="http://127.0.0.1:9/", key=config["key"], secret=config["secrets"][0]
    )
    with override_settings(
        SIMULATED_GATEWAY={**config, "url": simulator.url, "account": "demo", "timeout_seconds": 2}
    ):
        yield Gateway(simulator)
    simulator.stop()


def pay_and_keep(
    invoice: Invoice, gateway: Gateway, *, at: datetime, card: str = "4242424242424242"
) -> PaymentMethod:
    """Pay on the hosted page with the box ticked, and return what was kept."""
    payment = payments.start(
        invoice, "simulated", return_url="http://shop/", at=at, actor="test", consent=CONSENT
    )
    gateway.control(f"payments/{payment.external_id}/pay", card_number=card)
    if card == "4000002500003155":
        gateway.control(f"payments/{payment.external_id}/pay", outcome="confirmed")
    payment_checks.check(payment, at=at, actor="test")
    payment.refresh_from_db()
    assert payment.state == Payment.State.SUCCEEDED
    return PaymentMethod.objects.latest("pk")


def kept(customer: Customer, *, at: datetime, token: str = "pm_1", **more: Any) -> PaymentMethod:
    """Insert a card that the customer pays automatically with; no gateway knows it."""
    method = PaymentMethod(
        customer=customer,
        gateway="simulated",
        account="demo",
        token_digest=token.encode(),
        kind="card",
        brand="Visa",
        last4="4242",
        is_default=True,
        consent=CONSENT,
        created_at=at,
        **more,
    )
    method.token_sealed = vault.seal(token, purpose=method.purpose)
    method.save()
    record_change(method, before="", at=at, actor="test", reason="kept")
    methods.switch(customer, True, at=at, actor="test")
    return method


def later(gateway: Gateway, method: PaymentMethod, code: str | None = None, **how: Any) -> None:
    """Let the gateway answer the next charges of the method so."""
    token = vault.unseal(method.token_sealed, purpose=method.purpose)
    gateway.control(f"methods/{token}", later=code, **how)


def charged(gateway: Gateway) -> int:
    """Return how often money moved at the gateway."""
    return len(gateway.simulator.log()["charges"])
