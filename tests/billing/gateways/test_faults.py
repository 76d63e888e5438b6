"""What goes wrong at Stripe and PayPal alike: processes die, a flood comes, money goes twice."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from billing import credit_notes, gateways, invariants, payment_checks, payments, refunds
from billing.gateways.base import Unavailable
from billing.gateways.simulator import stripe_like
from billing.models import GatewayEvent, Payment, Refund
from tests import paypals, stripes
from tests.billing import orders
from tests.billing.orders import euros
from tests.paypals import PayPal
from tests.story import Gateway

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
PATIENCE_SECONDS = 60
HUGE = 50 * 2**20
OFFERED = {"stripe": stripes.offered, "paypal": paypals.offered}
Sign = Callable[[str], tuple[bytes, dict[str, str]]]


@pytest.fixture(params=OFFERED)
def code(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def gateway(code: str, transactional_db: None) -> Iterator[Gateway]:
    with OFFERED[code]() as gateway:
        yield gateway


@pytest.fixture
def sign(code: str, gateway: Gateway) -> Sign:
    """Write an event with this name as the gateway would, about a payment that exists nowhere."""
    at = datetime.now(UTC)

    def by_stripe(name: str) -> tuple[bytes, dict[str, str]]:
        about = {"id": "pi_nowhere", "object": "payment_intent"}
        fields: dict[str, Any] = {"id": name, "object": "event", "livemode": False}
        fields |= {"type": "payment_intent.succeeded", "data": {"object": about}}
        body = json.dumps(fields | {"created": int(at.timestamp())}).encode()
        return body, stripe_like.signed(body, stripes.SECRET, at.timestamp())

    def by_paypal(name: str) -> tuple[bytes, dict[str, str]]:
        assert isinstance(gateway, PayPal)
        about = {"id": "42311647XV020574X", "payee": {"merchant_id": paypals.MERCHANT}}
        fields = {"id": name, "event_version": "1.0", "create_time": at.isoformat()}
        fields |= {"resource_type": "capture", "event_type": "PAYMENT.CAPTURE.COMPLETED"}
        body = json.dumps(fields | {"resource": about}).encode()
        signer = gateway.simulator.signer
        return body, signer.signed(body, paypals.WEBHOOK_ID, at.timestamp())

    return {"stripe": by_stripe, "paypal": by_paypal}[code]


def sent(code: str, body: bytes, headers: dict[str, str], **more: Any) -> int:
    headers = dict(headers)
    kind = headers.pop("Content-Type", "application/json")
    path = f"/webhooks/{code}/"
    return Client().post(path, body, content_type=kind, headers=headers, **more).status_code


@pytest.mark.parametrize("moment", ["before the commit", "after it"])
def test_a_web_process_that_dies_around_the_commit_of_a_webhook_has_it_once(
    code: str, sign: Sign, moment: str
) -> None:
    """It has answered nobody, so the gateway sends the event again."""
    assert sent(code, *sign("evt_before")) == 200
    content = sign("evt_1")
    connection.close()
    pid = os.fork()
    if not pid:
        _die(lambda: sent(code, *content), moment)
    _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    stored = GatewayEvent.objects.filter(external_id="evt_1")
    assert stored.count() == (0 if moment == "before the commit" else 1)
    assert [sent(code, *content) for _ in range(2)] == [200, 200]
    assert stored.count() == 1


def _die(call: Callable[[], object], moment: str) -> None:
    """In a child: end as a power cut would when the event's INSERT commits."""
    signal.alarm(PATIENCE_SECONDS)

    def insert(execute: Any, sql: str, *rest: Any) -> Any:
        if moment == "before the commit":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = execute(sql, *rest)
        os.kill(os.getpid(), signal.SIGKILL)
        return answer

    try:
        with connection.execute_wrapper(insert):
            call()
    finally:
        os._exit(1)


def test_a_huge_body_is_refused_unread(code: str, sign: Sign) -> None:
    """By its announced length, so that nobody's bytes are waited for."""
    body, headers = sign("evt_1")
    assert sent(code, body, headers, CONTENT_LENGTH=str(HUGE)) == 413
    assert not GatewayEvent.objects.exists()


def test_a_flood_of_forged_events_leaves_nothing_and_asks_no_database(
    code: str, sign: Sign, django_assert_num_queries: Any
) -> None:
    body, headers = sign("evt_1")
    with django_assert_num_queries(0):
        assert {sent(code, body + b" ", headers) for _ in range(50)} == {400}
    assert not GatewayEvent.objects.exists()
    assert sent(code, body, headers) == 200


def test_a_state_that_we_do_not_know_is_unknown_and_no_failure(code: str, gateway: Gateway) -> None:
    payment = begun(code)
    gateway.pays(payment)
    kind = {"stripe": "payment_intent", "paypal": "order"}[code]
    machine: Any = gateway.simulator._server.machine
    with machine.rules() as bank:
        bank.books.save(bank.books.all(kind)[-1], status="OF_TOMORROW")
    with pytest.raises(Unavailable):
        gateways.get(code).fetch_payment(str(payment.external_id))
    payment_checks.check(payment, at=AT, actor="test")
    payment.refresh_from_db()
    assert (payment.state, payment.failure_code) == (Payment.State.CREATED, "")


def test_money_that_was_credited_and_refunded_is_not_refunded_again(
    code: str, gateway: Gateway
) -> None:
    payment = begun(code)
    invoice = payment.invoice
    gateway.control(f"payments/{payment.external_id}/pay")
    payment_checks.check(payment, at=AT, actor="test")
    credit_notes.issue(invoice, reason="x", at=AT, actor="staff:1")
    refund = _refund(payment, payment.amount_minor)
    assert refunds.send(refund.pk, at=AT).state == Refund.State.SUCCEEDED
    for minor in (payment.amount_minor, 1):
        with pytest.raises(refunds.NotRefundable):
            _refund(payment, minor)
    with pytest.raises(credit_notes.NotCreditable):
        credit_notes.issue(invoice, reason="again", at=AT, actor="staff:1")
    assert payment.external_id is not None
    there = gateways.get(code).fetch_payment(payment.external_id)
    assert there.refunded_minor == payment.amount_minor
    assert invariants.violations() == []


def begun(code: str) -> Payment:
    """A payment with its page open at the gateway."""
    orders.seeded(at=AT)
    invoice = orders.place(*orders.buyer(at=AT), "business", at=AT).invoice
    return payments.start(invoice, code, return_url="http://shop/", at=AT, actor="test")


def _refund(payment: Payment, minor: int) -> Refund:
    payment.refresh_from_db()
    return refunds.request(
        payment, euros(minor), way=Refund.Way.GATEWAY, reason="x", at=AT, actor="staff:1"
    )
