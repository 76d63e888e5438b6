"""Sweeps of what waits at gateways: one that hangs holds up its own rows and no others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from billing import payment_checks, payments, tasks
from billing.models import Payment
from provisioning.simulator.simulator import Simulator
from tests.billing import saved
from tests.clock import Clock
from tests.desk.orders import placed
from tests.story import Gateway


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with saved.open_gateway() as gateway:
        yield gateway


def begun(code: str, number: int, *, clock: Clock) -> Payment:
    order = placed("business", at=clock.now(), email=f"{code}-{number}@example.com")
    return payments.start(
        order.invoice, code, return_url="http://shop/", at=clock.now(), actor="test"
    )


def test_a_hanging_gateway_holds_a_sweep_up_for_one_call_and_no_other_gateway(
    shop: Simulator, clock: Clock, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "SWEEP_SECONDS", 0.1)
    hanging = [begun("simulated", number, clock=clock) for number in range(3)]
    waiting = begun("bank_transfer", 1, clock=clock)
    gateway.misbehaves("/v1/payments/*", method="GET", times=9, apply="no", answer="hang:1")
    clock.shift(minutes=2)

    tasks.sweep_payments()
    asked = Payment.objects.filter(checks=1)
    assert set(asked.all()) == {hanging[0], waiting}
    tasks.sweep_payments()
    assert set(asked.all()) == {hanging[0], hanging[1], waiting}


def test_a_payment_of_the_other_mode_is_not_asked_about(
    shop: Simulator, clock: Clock, gateway: Gateway
) -> None:
    payment = begun("simulated", 1, clock=clock)
    gateway.pays(payment)
    Payment.objects.filter(pk=payment.pk).update(livemode=True)
    payment.refresh_from_db()
    payment_checks.check(payment, at=clock.now() + timedelta(minutes=1), actor="test")
    payment.refresh_from_db()
    assert payment.state == Payment.State.CREATED
