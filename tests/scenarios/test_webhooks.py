"""What arrives at the webhook's door: the believable is stored once, the rest changes nothing."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
import requests
from django.conf import settings
from django.db import connection, connections

from billing import events, gateways, payment_checks
from billing.gateways.base import MAX_BODY, PaymentRequest
from billing.gateways.simulator import signed
from billing.models import GatewayEvent, Payment
from packages.money import Money
from provisioning.simulator.simulator import Simulator
from tests.clock import Clock
from tests.processes import wait_until
from tests.story import Customer, Gateway, everything_is_there_once

FIVE = 5


def event(at: datetime, **changes: Any) -> bytes:
    """Write an event as the gateway would, about a payment that exists nowhere."""
    fields = {
        "id": f"evt_{uuid.uuid4().hex}",
        "type": "payment.succeeded",
        "created": int(at.timestamp()),
        "livemode": False,
        "account": settings.SIMULATED_GATEWAY["account"],
        "data": {"payment": {"id": "pay_nowhere"}},
    }
    return json.dumps({**fields, **changes}).encode()


def deliver(site: str, body: bytes, headers: dict[str, str]) -> int:
    url = f"{site}/webhooks/simulated/"
    return requests.post(url, data=body, headers=headers, timeout=10).status_code


def secret() -> str:
    return str(settings.SIMULATED_GATEWAY["secrets"][0])


def in_parallel(calls: list[Callable[[], object]]) -> list[object]:
    """Run the calls at once, each with a database connection of its own."""

    def run(call: Callable[[], object]) -> object:
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


def test_the_same_webhook_five_times_at_once_pays_once(
    customer: Customer, gateway: Gateway, shop: Simulator, clock: Clock
) -> None:
    gateway.webhooks(duplicates=FIVE)
    customer.registers()
    customer.chooses("business")
    customer.orders()
    gateway.pays(Payment.objects.get())
    wait_until(lambda: len(gateway.answers()) >= FIVE, what="five deliveries")
    assert set(gateway.answers()) == {200}
    stored = GatewayEvent.objects.get()
    in_parallel([lambda: events.process(stored.pk, at=clock.now())] * FIVE)
    clock.work()
    everything_is_there_once(shop)


def test_webhook_return_page_and_sweep_at_once_pay_once(
    customer: Customer, gateway: Gateway, shop: Simulator, clock: Clock
) -> None:
    gateway.webhooks(hold=True)
    customer.registers()
    customer.chooses("business")
    customer.orders()
    payment = Payment.objects.get()
    gateway.pays(payment)
    gateway.webhooks(release="as_is")
    wait_until(GatewayEvent.objects.exists, what="the webhook")
    stored = GatewayEvent.objects.get()
    at = clock.now()
    in_parallel(
        [
            lambda: events.process(stored.pk, at=at),
            lambda: payment_checks.check(payment, at=at, actor="test:return"),
            lambda: payment_checks.check(payment, at=at, actor="test:sweep"),
            lambda: customer.browser.open(f"/payments/{payment.public_id}/"),
        ]
    )
    clock.work()
    everything_is_there_once(shop)


def test_a_known_event_is_answered_200_and_changes_nothing(
    site: str, gateway: Gateway, clock: Clock
) -> None:
    body = event(clock.now())
    headers = signed(body, secret(), clock.now().timestamp())
    assert [deliver(site, body, headers) for _ in range(2)] == [200, 200]
    assert GatewayEvent.objects.count() == 1


REFUSED: dict[str, Callable[[datetime], tuple[bytes, dict[str, str]]]] = {
    "forged": lambda at: _signed(event(at), at, key="somebody-elses-secret"),
    "unsigned": lambda at: (event(at), {}),
    "changed": lambda at: (event(at), _signed(event(at), at)[1]),
    "stale": lambda at: _signed(event(at), at, shift=-301),
    "future": lambda at: _signed(event(at), at, shift=120),
    "oversized": lambda at: _signed(b" " * MAX_BODY + event(at), at),
    "other account": lambda at: _signed(event(at, account="another-shop"), at),
    "live mode": lambda at: _signed(event(at, livemode=True), at),
    "malformed": lambda at: _signed(b"{not json", at),
    "over-long id": lambda at: _signed(event(at, id="e" * 81), at),
    "over-long kind": lambda at: _signed(event(at, type="k" * 61), at),
    "over-long payment": lambda at: _signed(event(at, data={"payment": {"id": "p" * 81}}), at),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_not_believable_is_refused_and_touches_no_database(
    site: str, gateway: Gateway, clock: Clock, kind: str
) -> None:
    body, headers = REFUSED[kind](clock.now())
    assert deliver(site, body, headers) == (413 if kind == "oversized" else 400)
    assert not GatewayEvent.objects.exists()


def test_an_unknown_gateway_is_not_found(site: str) -> None:
    assert requests.post(f"{site}/webhooks/nobody/", data=b"{}", timeout=10).status_code == 404


def test_an_event_that_cannot_be_stored_is_never_answered_2xx(
    site: str, gateway: Gateway, clock: Clock
) -> None:
    body = event(clock.now())
    headers = signed(body, secret(), clock.now().timestamp())
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE billing_gatewayevent RENAME TO away")
        try:
            assert deliver(site, body, headers) == 503
        finally:
            cursor.execute("ALTER TABLE away RENAME TO billing_gatewayevent")
    assert deliver(site, body, headers) == 200


def test_a_payment_nobody_began_is_parked_for_staff(
    site: str, gateway: Gateway, clock: Clock
) -> None:
    request = PaymentRequest(
        key="somebody-else",
        amount=Money(5_00, "EUR"),
        description="not ours",
        customer_email="stranger@example.com",
        language="en",
        return_url=site,
    )
    begun = gateways.get("simulated").start_payment(request)
    gateway.control(f"payments/{begun.external_id}/pay", outcome="succeeded")
    wait_until(GatewayEvent.objects.exists, what="the webhook")
    clock.work()
    assert GatewayEvent.objects.get().state == GatewayEvent.State.PARKED


def test_events_out_of_order_end_in_the_same_state(
    customer: Customer, gateway: Gateway, shop: Simulator, clock: Clock
) -> None:
    """Declined, then paid, delivered the other way round: asking tells, not the order."""
    gateway.webhooks(hold=True)
    customer.registers()
    customer.chooses("business")
    page = customer.pays(customer.orders(), card="4000000000000002")
    customer.pays(page)
    gateway.webhooks(release="reversed")
    wait_until(lambda: GatewayEvent.objects.count() >= 2, what="both webhooks")
    clock.work()
    everything_is_there_once(shop)
    clock.advance(minutes=5)
    everything_is_there_once(shop)


def test_the_gateway_is_away_when_the_event_is_processed(
    customer: Customer, gateway: Gateway, shop: Simulator, clock: Clock
) -> None:
    customer.registers()
    customer.chooses("business")
    customer.orders()
    gateway.pays(Payment.objects.get())
    wait_until(GatewayEvent.objects.exists, what="the webhook")
    gateway.misbehaves("/v1/payments/*", method="GET", times=3, apply="no", answer="500")
    clock.work()
    assert Payment.objects.get().state != Payment.State.FAILED
    clock.pass_by(minutes=5)
    everything_is_there_once(shop)


def _signed(
    body: bytes, at: datetime, *, key: str = "", shift: int = 0
) -> tuple[bytes, dict[str, str]]:
    return body, signed(body, key or secret(), at.timestamp() + shift)
