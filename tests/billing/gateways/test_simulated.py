"""The adapter against the simulated gateway: keys, refunds, saved cards, and every bad answer."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from billing.gateways.base import Declined, GatewayRefused, Unavailable
from billing.gateways.simulated import SimulatedGateway
from billing.gateways.simulator import GatewaySimulator
from packages import clock as shop_clock
from packages.money import Money
from tests.billing.gateways.world import KEY, SECRET, order, payment_request, press

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def pay(gateway: SimulatedGateway, simulator: GatewaySimulator, **changes: Any) -> str:
    """A paid payment's id."""
    start = gateway.start_payment(payment_request(**changes))
    order(simulator, f"payments/{start.external_id}/pay")
    return start.external_id


def save(gateway: SimulatedGateway, card_number: str = "4242424242424242") -> str:
    """A saved card's token."""
    start = gateway.start_payment(payment_request(save_method=True))
    press(str(start.redirect_url), "pay", card_number)
    press(str(start.redirect_url), "confirm")
    method = gateway.fetch_payment(start.external_id).method
    assert method
    assert (method.kind, method.brand, method.last4) == ("card", "Visa", card_number[-4:])
    return method.token


def test_same_request_twice_is_one_payment(
    gateway: SimulatedGateway, simulator: GatewaySimulator
) -> None:
    request = payment_request()
    with ThreadPoolExecutor(5) as callers:
        starts = set(callers.map(gateway.start_payment, [request] * 5))
    assert len(starts) == 1
    assert len(simulator.log()["payments"]) == 1


def test_same_key_for_another_amount_is_refused(gateway: SimulatedGateway) -> None:
    request = payment_request()
    gateway.start_payment(request)
    other = payment_request(key=request.key, amount=Money(1_00, "EUR"))
    with pytest.raises(GatewayRefused, match="idempotency_key_reused"):
        gateway.start_payment(other)


def test_unpaid_payment_is_open(gateway: SimulatedGateway) -> None:
    request = payment_request()
    snapshot = gateway.fetch_payment(gateway.start_payment(request).external_id)
    assert (snapshot.key, snapshot.state, snapshot.method) == (request.key, "open", None)


def test_payment_whose_answer_was_lost_is_found_by_its_key(
    gateway: SimulatedGateway, simulator: GatewaySimulator
) -> None:
    order(simulator, "faults", [{"path": "/v1/payments", "apply": "yes", "answer": "reset"}])
    request = payment_request()
    with pytest.raises(Unavailable):
        gateway.start_payment(request)
    assert [found.key for found in gateway.list_payments(LONG_AGO)] == [request.key]
    assert gateway.start_payment(request).redirect_url


def test_list_turns_its_pages_and_respects_since(gateway: SimulatedGateway) -> None:
    started = [gateway.start_payment(payment_request()).external_id for _ in range(101)]
    assert [found.external_id for found in gateway.list_payments(LONG_AGO)] == started
    assert gateway.list_payments(datetime.now(UTC) + timedelta(minutes=1)) == []


@pytest.mark.parametrize("answer", ["500", "html", "reset", "hang:2"])
@pytest.mark.parametrize("apply", ["yes", "no"])
def test_bad_answer_leaves_the_outcome_unknown_and_repeating_pays_once(
    gateway: SimulatedGateway, simulator: GatewaySimulator, answer: str, apply: str
) -> None:
    token = save(gateway)
    order(simulator, "faults", [{"path": "/v1/charges", "apply": apply, "answer": answer}])
    request = payment_request()
    with pytest.raises(Unavailable):
        gateway.charge_saved(request, token)
    assert gateway.charge_saved(request, token).state == "succeeded"
    assert len(simulator.log()["charges"]) == 2


def test_replayed_500_stays_unknown_until_the_list_is_read(
    gateway: SimulatedGateway, simulator: GatewaySimulator
) -> None:
    token = save(gateway)
    fault = {"path": "/v1/charges", "apply": "yes", "answer": "500", "replay": "yes"}
    order(simulator, "faults", [fault])
    request = payment_request()
    for _ in range(2):
        with pytest.raises(Unavailable):
            gateway.charge_saved(request, token)
    found = [each for each in gateway.list_payments(LONG_AGO) if each.key == request.key]
    assert [each.state for each in found] == ["succeeded"]


def test_forgotten_key_would_charge_again(
    gateway: SimulatedGateway, simulator: GatewaySimulator
) -> None:
    token, request = save(gateway), payment_request()
    gateway.charge_saved(request, token)
    order(simulator, "forget_keys")
    gateway.charge_saved(request, token)
    assert len(simulator.log()["charges"]) == 3


@pytest.mark.parametrize(
    ("card_number", "code"),
    [
        ("4000002500003155", "authentication_required"),
        ("4000000000000341", "card_declined"),
    ],
)
def test_saved_card_is_declined_without_the_customer(
    gateway: SimulatedGateway, card_number: str, code: str
) -> None:
    token, request = save(gateway, card_number), payment_request()
    first, again = (gateway.charge_saved(request, token) for _ in range(2))
    assert (first.state, first.failure_code, first.key) == ("failed", code, request.key)
    assert again == first


def test_saved_card_can_be_made_to_fail_and_to_work_again(
    gateway: SimulatedGateway, simulator: GatewaySimulator
) -> None:
    token = save(gateway)
    order(simulator, f"methods/{token}", {"later": "insufficient_funds"})
    assert gateway.charge_saved(payment_request(), token).failure_code == "insufficient_funds"
    order(simulator, f"methods/{token}", {"later": None})
    assert gateway.charge_saved(payment_request(), token).state == "succeeded"


def test_unknown_saved_card_is_declined_and_charges_nothing(
    gateway: SimulatedGateway, simulator: GatewaySimulator
) -> None:
    with pytest.raises(Declined) as declined:
        gateway.charge_saved(payment_request(), "pm_gone")
    assert declined.value.code == "method_gone"
    assert simulator.log()["charges"] == simulator.log()["payments"] == []


def test_refunds_stop_at_what_was_paid(
    gateway: SimulatedGateway, simulator: GatewaySimulator
) -> None:
    payment_id = pay(gateway, simulator)
    first = gateway.refund(payment_id, Money(40_00, "EUR"), key="refund-1")
    assert gateway.refund(payment_id, Money(40_00, "EUR"), key="refund-1") == first
    with pytest.raises(GatewayRefused, match="refund_too_high"):
        gateway.refund(payment_id, Money(9_01, "EUR"), key="refund-2")
    gateway.refund(payment_id, Money(9_00, "EUR"), key="refund-3")
    assert gateway.fetch_payment(payment_id).refunded_minor == 49_00
    assert (first.amount, first.state) == (Money(40_00, "EUR"), "succeeded")


def test_parallel_refunds_stop_at_what_was_paid(
    gateway: SimulatedGateway, simulator: GatewaySimulator
) -> None:
    payment_id = pay(gateway, simulator)

    def refund(n: int) -> str:
        try:
            return gateway.refund(payment_id, Money(20_00, "EUR"), key=f"refund-{n}").state
        except GatewayRefused:
            return "refused"

    with ThreadPoolExecutor(5) as callers:
        outcomes = sorted(callers.map(refund, range(5)))
    assert outcomes == ["refused"] * 3 + ["succeeded"] * 2


@pytest.mark.parametrize(
    ("amount", "code"), [(Money(1_00, "USD"), "wrong_currency"), (Money(0, "EUR"), "invalid")]
)
def test_senseless_refund_is_refused(
    gateway: SimulatedGateway, simulator: GatewaySimulator, amount: Money, code: str
) -> None:
    payment_id = pay(gateway, simulator)
    with pytest.raises(GatewayRefused, match=code):
        gateway.refund(payment_id, amount, key="refund-1")


def test_disputed_payment_cannot_be_refunded(
    gateway: SimulatedGateway, simulator: GatewaySimulator
) -> None:
    payment_id = pay(gateway, simulator)
    order(simulator, f"payments/{payment_id}/dispute")
    assert gateway.fetch_payment(payment_id).dispute == "open"
    with pytest.raises(GatewayRefused, match="not_refundable"):
        gateway.refund(payment_id, Money(1_00, "EUR"), key="refund-1")


@pytest.mark.parametrize("external_id", ["pay_unknown", "../charges", "a/b", "", "päy"])
def test_unknown_payment_is_refused(gateway: SimulatedGateway, external_id: str) -> None:
    with pytest.raises(GatewayRefused):
        gateway.fetch_payment(external_id)


def test_wrong_key_is_refused(simulator: GatewaySimulator) -> None:
    config = {"url": simulator.url, "key": "wrong", "secrets": [SECRET], "account": "demo"}
    with pytest.raises(GatewayRefused, match="wrong_key"):
        SimulatedGateway(config).start_payment(payment_request())


def test_gateway_that_is_down_is_unavailable() -> None:
    config = {"url": "http://127.0.0.1:9", "key": KEY, "secrets": [SECRET], "account": "demo"}
    with pytest.raises(Unavailable):
        SimulatedGateway(config).fetch_payment("pay_1")


def test_secrets_stay_out_of_repr(gateway: SimulatedGateway) -> None:
    token = save(gateway)
    shown = repr(gateway.list_payments(LONG_AGO)) + repr(gateway)
    assert token not in shown
    assert KEY not in shown


@pytest.mark.django_db
def test_the_list_is_right_where_the_demo_is_days_ahead(
    gateway: SimulatedGateway, settings: Settings
) -> None:
    settings.DEMO = True
    shop_clock.pass_days(40)
    request = payment_request()
    gateway.start_payment(request)
    found = gateway.list_payments(shop_clock.now() - timedelta(minutes=5))
    assert [each.key for each in found] == [request.key]


@pytest.mark.django_db
def test_a_payment_is_dated_by_the_shop_where_the_demo_is_days_ahead(
    gateway: SimulatedGateway, simulator: GatewaySimulator, settings: Settings
) -> None:
    settings.DEMO = True
    shop_clock.pass_days(40)
    told = gateway.fetch_payment(pay(gateway, simulator))
    assert told.succeeded_at is not None
    assert abs(told.succeeded_at - shop_clock.now()) < timedelta(minutes=5)
    listed = gateway.list_payments(shop_clock.now() - timedelta(minutes=5))
    assert [each.succeeded_at for each in listed] == [told.succeeded_at]
