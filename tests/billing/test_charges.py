"""A saved method is charged once, whatever the gateway answers, and only while it may be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from billing import charges, invariants, methods, payment_checks, payments, tasks
from billing.models import Customer, Invoice, Payment, PaymentMethod
from packages.states import history_of
from tests.billing import orders, saved
from tests.clock import Clock
from tests.story import Gateway

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
State = Payment.State


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with saved.open_gateway() as gateway:
        yield gateway


@pytest.fixture
def method(db: None, gateway: Gateway) -> PaymentMethod:
    """A card that was kept from a first order."""
    orders.seeded(at=AT)
    user, customer = orders.buyer(at=AT)
    order = orders.place(user, customer, "business", at=AT)
    return saved.pay_and_keep(order.invoice, gateway, at=AT)


@pytest.fixture
def invoice(method: PaymentMethod) -> Invoice:
    """A second order's invoice, open."""
    user = method.customer.users.get()
    return orders.place(user, method.customer, "business", at=AT).invoice


def charge(invoice: Invoice, method: PaymentMethod) -> Payment:
    return charges.charge(invoice, method, at=AT, actor="test")


def test_a_method_is_kept_with_its_consent_and_becomes_the_default(method: PaymentMethod) -> None:
    assert (str(method), method.kind, str(method.expires_on)) == (
        "Visa •••• 4242",
        "card",
        "2034-12-31",
    )
    assert (method.is_default, method.consent) == (True, saved.CONSENT)
    assert b"pm_" not in bytes(method.token_sealed)
    assert method.customer.pays_automatically


def test_without_the_consent_nothing_is_kept(db: None, gateway: Gateway) -> None:
    orders.seeded(at=AT)
    user, customer = orders.buyer(at=AT)
    invoice = orders.place(user, customer, "business", at=AT).invoice
    begun = payments.start(invoice, "simulated", return_url="http://shop/", at=AT, actor="test")
    gateway.pays(begun)
    payment_checks.check(begun, at=AT, actor="test")
    assert not PaymentMethod.objects.exists()
    customer.refresh_from_db()
    assert not customer.pays_automatically
    assert [each["token"] for each in gateway.simulator.log()["methods"]] == ["pm_demo_4242"]


def test_a_charge_settles_the_invoice(
    gateway: Gateway, method: PaymentMethod, invoice: Invoice
) -> None:
    payment = charge(invoice, method)
    invoice.refresh_from_db()
    assert (payment.state, payment.redirect_url) == (State.SUCCEEDED, "")
    assert invoice.state == Invoice.State.PAID
    assert saved.charged(gateway) == 2
    assert invariants.violations() == []


def test_a_second_click_charges_nothing(
    gateway: Gateway, method: PaymentMethod, invoice: Invoice
) -> None:
    charge(invoice, method)
    with pytest.raises(payments.NotPayable):
        charge(invoice, method)
    assert saved.charged(gateway) == 2


def test_an_unknown_answer_is_read_and_never_sent_again(
    gateway: Gateway, method: PaymentMethod, invoice: Invoice
) -> None:
    gateway.misbehaves("/v1/charges", times=1, apply="yes", answer="reset")
    payment = charge(invoice, method)
    assert payment.state == State.PROCESSING
    with pytest.raises(payments.NotPayable):
        charge(invoice, method)
    payment_checks.check_due(payment, at=AT + timedelta(minutes=1), actor="test")
    payment.refresh_from_db()
    assert payment.state == State.SUCCEEDED
    assert saved.charged(gateway) == 2


def test_a_charge_that_never_arrived_fails_after_a_while_and_may_be_tried_again(
    gateway: Gateway, method: PaymentMethod, invoice: Invoice
) -> None:
    gateway.misbehaves("/v1/charges", times=1, apply="no", answer="reset")
    payment = charge(invoice, method)
    payment_checks.check(payment, at=AT + timedelta(minutes=29), actor="test")
    payment.refresh_from_db()
    assert payment.state == State.PROCESSING
    payment_checks.check(payment, at=AT + timedelta(minutes=31), actor="test")
    payment.refresh_from_db()
    assert (payment.state, payment.failure_code) == (State.FAILED, "payment_failed")
    assert charge(invoice, method).state == State.SUCCEEDED
    assert saved.charged(gateway) == 2


def test_a_worker_that_died_before_sending_leaves_it_to_the_sweep(
    gateway: Gateway, method: PaymentMethod, invoice: Invoice
) -> None:
    payment = charges.ask(invoice, method, at=AT, actor="test")
    with Clock.at("2026-03-02 09:05"):
        tasks.sweep_payments()
        tasks.sweep_payments()
    payment.refresh_from_db()
    assert payment.state == State.SUCCEEDED
    assert saved.charged(gateway) == 2


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("insufficient_funds", PaymentMethod.State.ACTIVE),
        ("payment_failed", PaymentMethod.State.ACTIVE),
        ("authentication_required", PaymentMethod.State.ACTIVE),
        ("card_declined", PaymentMethod.State.FAILED),
        ("expired_card", PaymentMethod.State.FAILED),
    ],
)
def test_a_decline_is_recorded_and_a_hard_one_ends_the_method(
    gateway: Gateway, method: PaymentMethod, invoice: Invoice, code: str, state: str
) -> None:
    saved.later(gateway, method, code)
    payment = charge(invoice, method)
    method.refresh_from_db()
    assert (payment.state, payment.failure_code, payment.redirect_url) == (State.FAILED, code, "")
    assert payment.failure_message
    assert (method.state, method.is_default) == (state, state == PaymentMethod.State.ACTIVE)
    assert saved.charged(gateway) == 1


def test_a_method_that_the_gateway_forgot_is_declined_for_good(
    gateway: Gateway, method: PaymentMethod, invoice: Invoice
) -> None:
    saved.later(gateway, method, gone=True)
    assert charge(invoice, method).failure_code == "method_gone"
    method.refresh_from_db()
    assert method.state == PaymentMethod.State.FAILED
    with pytest.raises(payments.MethodGone):
        charge(invoice, method)


def test_what_was_paid_or_removed_meanwhile_is_not_sent(
    gateway: Gateway, method: PaymentMethod, invoice: Invoice
) -> None:
    payment = charges.ask(invoice, method, at=AT, actor="test")
    methods.remove(method, reason="by the customer", at=AT, actor="test")
    assert charges.send(payment.pk, at=AT).state == State.CANCELLED
    assert history_of(payment).last().reason == "not sent: the method is gone"  # type: ignore[union-attr]
    assert saved.charged(gateway) == 1


def test_a_strangers_method_is_refused(method: PaymentMethod, invoice: Invoice) -> None:
    stranger = Customer.objects.create(name="Bo", email="bo@example.com", created_at=AT)
    PaymentMethod.objects.filter(pk=method.pk).update(customer=stranger)
    with pytest.raises(payments.MethodGone):
        charge(invoice, method)


def test_paying_with_a_removed_card_again_brings_another_default(
    gateway: Gateway, method: PaymentMethod, invoice: Invoice
) -> None:
    methods.remove(method, reason="by the customer", at=AT, actor="test")
    methods.switch(method.customer, False, at=AT, actor="test")
    again = saved.pay_and_keep(invoice, gateway, at=AT)
    assert again.pk != method.pk
    assert again.is_default
    assert again.customer.pays_automatically


def test_one_default_at_a_time(gateway: Gateway, method: PaymentMethod, invoice: Invoice) -> None:
    second = saved.pay_and_keep(invoice, gateway, at=AT, card="4000000000000341")
    assert not second.is_default
    methods.make_default(second, at=AT, actor="test")
    assert methods.default_of(method.customer) == second
    methods.remove(second, reason="by the customer", at=AT, actor="test")
    assert methods.default_of(method.customer) is None
    with pytest.raises(methods.NotUsable):
        methods.make_default(second, at=AT, actor="test")
