"""Charges of kept methods at Stripe and PayPal whose answer is lost: read, never sent again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing import charges, invariants, payment_checks, payments
from billing.models import Invoice, Payment, PaymentMethod
from tests import paypals, stripes
from tests.billing import orders, saved
from tests.story import Gateway

pytestmark = pytest.mark.django_db(transaction=True)

AT = datetime.now(UTC)
OFFERED = {"stripe": stripes.offered, "paypal": paypals.offered}
CHARGES = {"stripe": "/v1/payment_intents", "paypal": "/v2/checkout/orders"}
State = Payment.State


@pytest.fixture(params=OFFERED)
def code(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def gateway(code: str) -> Iterator[Gateway]:
    with OFFERED[code]() as gateway:
        yield gateway


@pytest.fixture
def method(code: str, gateway: Gateway) -> PaymentMethod:
    """What was kept from a first order."""
    orders.seeded(at=AT)
    first = orders.place(*orders.buyer(at=AT), "business", at=AT).invoice
    begun = payments.start(
        first, code, return_url="http://shop/", at=AT, actor="test", consent=saved.CONSENT
    )
    gateway.control(f"payments/{begun.external_id}/pay")
    payment_checks.check(begun, at=AT, actor="test")
    return PaymentMethod.objects.get()


@pytest.fixture
def invoice(method: PaymentMethod) -> Invoice:
    user = method.customer.users.get()
    return orders.place(user, method.customer, "business", at=AT).invoice


def charge(invoice: Invoice, method: PaymentMethod, *, at: datetime = AT) -> Payment:
    return charges.charge(invoice, method, at=at, actor="test")


def sent(gateway: Gateway, code: str) -> list[str]:
    """The keys of the requests that may have moved money, in order."""
    calls: list[dict[str, Any]] = gateway.simulator.log()["calls"]
    asked = [each for each in calls if each["method"] == "POST" and each["path"] == CHARGES[code]]
    return [each["key"] for each in asked]


def moved(gateway: Gateway) -> int:
    """How often money moved."""
    if isinstance(gateway, stripes.Stripe):
        return len(gateway.charged())
    assert isinstance(gateway, paypals.PayPal)
    return len(gateway.captured())


def later(payment: Payment, **by: float) -> Payment:
    """Let the sweep ask about it after so long."""
    payment_checks.check_due(payment, at=AT + timedelta(**by), actor="test")
    return Payment.objects.get(pk=payment.pk)


def test_a_charge_whose_key_was_forgotten_is_read_and_not_sent_again(
    code: str, gateway: Gateway, method: PaymentMethod, invoice: Invoice
) -> None:
    gateway.misbehaves(CHARGES[code], times=1, apply="yes", answer="reset")
    payment = charge(invoice, method)
    assert payment.state == State.PROCESSING
    keys = sent(gateway, code)
    gateway.control("forget_keys")
    assert charges.send(payment.pk, at=AT + timedelta(hours=25)).state == State.PROCESSING
    assert later(payment, hours=25).state == State.SUCCEEDED
    assert sent(gateway, code) == keys
    assert moved(gateway) == 2
    assert invariants.violations() == []


def test_a_charge_that_never_arrived_is_sent_under_another_key_after_proof_of_that(
    code: str, gateway: Gateway, method: PaymentMethod, invoice: Invoice
) -> None:
    gateway.misbehaves(CHARGES[code], times=1, apply="no", answer="reset")
    payment = charge(invoice, method)
    gateway.control("forget_keys")
    assert later(payment, minutes=29).state == State.PROCESSING
    assert later(payment, hours=25).state == State.FAILED
    at = AT + timedelta(hours=25)
    assert charge(invoice, method, at=at).state == State.SUCCEEDED
    keys = sent(gateway, code)
    assert len(set(keys)) == len(keys)
    assert moved(gateway) == 2


def test_paying_by_hand_while_a_charge_is_on_its_way_is_refused(
    code: str, gateway: Gateway, method: PaymentMethod, invoice: Invoice
) -> None:
    gateway.misbehaves(CHARGES[code], times=1, apply="yes", answer="500")
    payment = charge(invoice, method)
    with pytest.raises(payments.NotPayable):
        payments.start(invoice, code, return_url="http://shop/", at=AT, actor="test")
    with pytest.raises(payments.NotPayable):
        charge(invoice, method)
    assert later(payment, minutes=2).state == State.SUCCEEDED
    invoice.refresh_from_db()
    assert invoice.state == Invoice.State.PAID
    assert moved(gateway) == 2
