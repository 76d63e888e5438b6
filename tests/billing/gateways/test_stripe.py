"""The adapter to Stripe against the stand-in, through the official package and over HTTP."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests
import stripe

from billing.gateways import failures
from billing.gateways.base import (
    CustomerRequest,
    Declined,
    GatewayRefused,
    NotConfigured,
    PaymentRequest,
    PaymentSnapshot,
    PaymentStart,
    Unavailable,
)
from billing.gateways.simulator.stripe_like import StripeLike
from billing.gateways.stripe.gateway import StripeGateway
from packages.money import Money
from tests import stripes
from tests.billing.gateways.world import order, payment_request, until


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StripeLike]:
    with stripes.running() as running:
        yield running


@pytest.fixture
def gateway(stand_in: StripeLike) -> Iterator[StripeGateway]:
    yield StripeGateway("stripe", stripes.account(stand_in.url))
    order(stand_in, "faults", [])
    order(stand_in, "webhooks")


@pytest.fixture
def asked(gateway: StripeGateway) -> PaymentRequest:
    customer = CustomerRequest(uuid.uuid4().hex, "ada@example.com", "Ada Muster", "de")
    return payment_request(customer_id=gateway.create_customer(customer), language="de")


def pays(
    stand_in: StripeLike, start: PaymentStart, number: str = "4242424242424242", **how: Any
) -> None:
    order(stand_in, f"payments/{start.external_id}/pay", {"card_number": number, **how})


def kept(gateway: StripeGateway, stand_in: StripeLike, asked: PaymentRequest, number: str) -> str:
    """Pay on the page with the box ticked; return the token of what was kept."""
    start = gateway.start_payment(replace(asked, key=uuid.uuid4().hex, save_method=True))
    pays(stand_in, start, number)
    until(lambda: gateway.fetch_payment(start.external_id).state == "succeeded")
    method = gateway.fetch_payment(start.external_id).method
    assert method is not None
    return method.token


def again(asked: PaymentRequest, **changes: Any) -> PaymentRequest:
    return replace(asked, key=uuid.uuid4().hex, **changes)


def calls(stand_in: StripeLike, method: str, path: str, *, since: int = 0) -> int:
    found = stand_in.log()["calls"][since:]
    return len([each for each in found if (each["method"], each["path"]) == (method, path)])


def test_a_page_is_opened_once_per_key_and_paid(
    gateway: StripeGateway, stand_in: StripeLike, asked: PaymentRequest
) -> None:
    start = gateway.start_payment(asked)
    assert gateway.start_payment(asked) == start
    before = gateway.fetch_payment(start.external_id)
    assert (before.state, before.redirect_url) == ("open", start.redirect_url)
    assert requests.get(str(start.redirect_url), timeout=5).status_code == 200
    pays(stand_in, start)
    paid = gateway.fetch_payment(start.external_id)
    assert (paid.state, paid.key, paid.amount) == ("succeeded", asked.key, asked.amount)
    assert paid.method is not None
    assert (paid.method.brand, paid.method.last4) == ("Visa", "4242")
    assert paid.method.expires_on == date(2034, 12, 31)
    # Events speak of the PaymentIntent as well; it is the same payment to us.
    intent = next(
        each for each in stand_in["payment_intent"] if each["metadata"]["key"] == asked.key
    )
    assert gateway.fetch_payment(intent["id"]) == paid


def test_the_same_key_for_something_else_is_refused(
    gateway: StripeGateway, asked: PaymentRequest
) -> None:
    gateway.start_payment(asked)
    with pytest.raises(GatewayRefused, match="IdempotencyError"):
        gateway.start_payment(replace(asked, description="another invoice"))


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("4000000000000002", "declined_for_now"),
        ("4000000000009995", "insufficient_funds"),
        ("4000000000009987", "card_declined"),
        ("4000000000000069", "expired_card"),
        ("4000000000000127", "wrong_details"),
        ("4000000000006975", "limit_exceeded"),
    ],
)
def test_a_decline_on_the_page_leaves_it_open_with_the_reason(
    gateway: StripeGateway, stand_in: StripeLike, asked: PaymentRequest, number: str, code: str
) -> None:
    start = gateway.start_payment(asked)
    pays(stand_in, start, number)
    snapshot = gateway.fetch_payment(start.external_id)
    assert (snapshot.state, snapshot.failure_code) == ("open", code)
    assert snapshot.failure_message == failures.message(code)
    pays(stand_in, start)
    after = gateway.fetch_payment(start.external_id)
    assert (after.state, after.failure_code) == ("succeeded", None)


def test_a_card_that_asks_succeeds_once_it_is_confirmed(
    gateway: StripeGateway, stand_in: StripeLike, asked: PaymentRequest
) -> None:
    start = gateway.start_payment(asked)
    pays(stand_in, start, "4000002500003155", confirmed=False)
    assert gateway.fetch_payment(start.external_id).state == "open"
    pays(stand_in, start, "4000002500003155", confirmed=True)
    assert gateway.fetch_payment(start.external_id).state == "succeeded"


@pytest.mark.parametrize(
    ("iban", "state", "code"),
    [
        ("DE89370400440532013000", "succeeded", None),
        ("DE62370400440532013001", "failed", "insufficient_funds"),
    ],
)
def test_a_direct_debit_is_being_confirmed_until_it_arrives_or_fails(
    gateway: StripeGateway,
    stand_in: StripeLike,
    asked: PaymentRequest,
    iban: str,
    state: str,
    code: str | None,
) -> None:
    start = gateway.start_payment(asked)
    pays(stand_in, start, iban)
    assert gateway.fetch_payment(start.external_id).state == "processing"
    until(lambda: gateway.fetch_payment(start.external_id).state == state)
    assert gateway.fetch_payment(start.external_id).failure_code == code


def test_a_page_nobody_used_is_cancelled_after_its_day(
    gateway: StripeGateway, stand_in: StripeLike, asked: PaymentRequest
) -> None:
    start = gateway.start_payment(asked)
    order(stand_in, f"payments/{start.external_id}/expire")
    assert gateway.fetch_payment(start.external_id).state == "cancelled"


def test_a_page_is_closed_and_one_that_was_paid_before_stays_paid(
    gateway: StripeGateway, stand_in: StripeLike, asked: PaymentRequest
) -> None:
    start = gateway.start_payment(asked)
    assert [gateway.close_page(start.external_id).state for _ in range(2)] == ["cancelled"] * 2
    pays(stand_in, start)
    assert gateway.fetch_payment(start.external_id).state == "cancelled"
    paid = gateway.start_payment(again(asked))
    pays(stand_in, paid)
    assert gateway.close_page(paid.external_id).state == "succeeded"


def test_a_kept_method_is_charged_off_session_once_per_key(
    gateway: StripeGateway, stand_in: StripeLike, asked: PaymentRequest
) -> None:
    token = kept(gateway, stand_in, asked, "4242424242424242")
    charge = again(asked)
    before = len(stand_in["charge"])
    snapshot = gateway.charge_saved(charge, token)
    assert gateway.charge_saved(charge, token) == snapshot
    assert (snapshot.state, snapshot.key) == ("succeeded", charge.key)
    assert len(stand_in["charge"]) == before + 1


@pytest.mark.parametrize(
    ("decline", "code"),
    [
        ("authentication_required", "authentication_required"),
        ("insufficient_funds", "insufficient_funds"),
        ("stolen_card", "card_declined"),
        ("do_not_honor", "declined_for_now"),
    ],
)
def test_a_decline_off_session_is_a_failed_payment_with_its_reason(
    gateway: StripeGateway, stand_in: StripeLike, asked: PaymentRequest, decline: str, code: str
) -> None:
    token = kept(gateway, stand_in, asked, "4242424242424242")
    order(stand_in, f"methods/{token}", {"later": decline})
    snapshot = gateway.charge_saved(again(asked), token)
    assert (snapshot.state, snapshot.failure_code) == ("failed", code)
    assert gateway.fetch_payment(snapshot.external_id) == replace(snapshot, method=None)


def test_a_method_that_is_gone_is_no_payment_at_all(
    gateway: StripeGateway, stand_in: StripeLike, asked: PaymentRequest
) -> None:
    token = kept(gateway, stand_in, asked, "4242424242424242")
    order(stand_in, f"methods/{token}", {"gone": True})
    with pytest.raises(Declined) as declined:
        gateway.charge_saved(again(asked), token)
    assert declined.value.code == "method_gone"


@pytest.mark.parametrize("answer", ["500", "html", "reset"])
def test_a_charge_without_an_answer_is_unknown_and_found_by_our_key(
    gateway: StripeGateway, stand_in: StripeLike, asked: PaymentRequest, answer: str
) -> None:
    token = kept(gateway, stand_in, asked, "4242424242424242")
    fault = {"path": "/v1/payment_intents", "times": 1, "apply": "yes", "answer": answer}
    order(stand_in, "faults", [fault])
    charge, since = again(asked), len(stand_in.log()["calls"])
    with pytest.raises(Unavailable):
        gateway.charge_saved(charge, token)
    # The package retries nothing behind our back.
    assert calls(stand_in, "POST", "/v1/payment_intents", since=since) == 1
    found = gateway.list_payments(datetime.now(UTC) - timedelta(minutes=5))
    (ours,) = [each for each in found if each.key == charge.key]
    assert ours.state == "succeeded"


def test_a_500_is_replayed_for_its_key_and_nothing_was_charged(
    gateway: StripeGateway, stand_in: StripeLike, asked: PaymentRequest
) -> None:
    token = kept(gateway, stand_in, asked, "4242424242424242")
    charge, before = again(asked), len(stand_in["charge"])
    fault = {"path": "/v1/payment_intents", "apply": "no", "answer": "500", "replay": "yes"}
    order(stand_in, "faults", [fault])
    for _ in range(2):
        with pytest.raises(Unavailable):
            gateway.charge_saved(charge, token)
    since = datetime.now(UTC) - timedelta(minutes=5)
    assert charge.key not in {each.key for each in gateway.list_payments(since)}
    assert len(stand_in["charge"]) == before


def test_refunds_have_a_ceiling_and_are_made_once_per_key_even_when_keys_are_forgotten(
    gateway: StripeGateway, stand_in: StripeLike, asked: PaymentRequest
) -> None:
    start = gateway.start_payment(asked)
    pays(stand_in, start)
    first = gateway.refund(start.external_id, Money(9_00, "EUR"), key="refund-1" + asked.key)
    order(stand_in, "forget_keys")
    assert gateway.refund(start.external_id, Money(9_00, "EUR"), key="refund-1" + asked.key) == (
        first
    )
    assert (first.state, first.amount) == ("succeeded", Money(9_00, "EUR"))
    with pytest.raises(GatewayRefused, match="amount_too_large"):
        gateway.refund(start.external_id, Money(40_01, "EUR"), key="refund-2" + asked.key)
    gateway.refund(start.external_id, Money(40_00, "EUR"), key="refund-3" + asked.key)
    assert gateway.fetch_payment(start.external_id).refunded_minor == 49_00
    with pytest.raises(GatewayRefused, match="already_refunded"):
        gateway.refund(start.external_id, Money(1, "EUR"), key="refund-4" + asked.key)


def test_a_dispute_is_told_with_its_page_and_its_end(
    gateway: StripeGateway, stand_in: StripeLike, asked: PaymentRequest
) -> None:
    start = gateway.start_payment(asked)
    pays(stand_in, start)
    dispute = order(stand_in, f"payments/{start.external_id}/dispute")
    snapshot = gateway.fetch_payment(start.external_id)
    assert (snapshot.state, snapshot.dispute) == ("succeeded", "open")
    assert snapshot.dispute_url.endswith(f"/test/disputes/{dispute['id']}")
    with pytest.raises(GatewayRefused, match="charge_disputed"):
        gateway.refund(start.external_id, Money(1_00, "EUR"), key="refund-5" + asked.key)
    order(stand_in, f"disputes/{dispute['id']}/close", {"won": True})
    assert gateway.fetch_payment(start.external_id).dispute == "won"


def test_a_customer_is_made_once_per_key_even_when_the_answer_was_lost(
    gateway: StripeGateway, stand_in: StripeLike
) -> None:
    customer = CustomerRequest(uuid.uuid4().hex, "lost@example.com", "Lost", "en")
    order(stand_in, "faults", [{"path": "/v1/customers", "apply": "yes", "answer": "reset"}])
    with pytest.raises(Unavailable):
        gateway.create_customer(customer)
    order(stand_in, "forget_keys")
    gateway.create_customer(customer)
    made = [each for each in stand_in["customer"] if each["email"] == "lost@example.com"]
    assert len(made) == 1


def test_what_somebody_made_by_hand_is_listed_without_a_key(
    gateway: StripeGateway, stand_in: StripeLike, asked: PaymentRequest
) -> None:
    token = kept(gateway, stand_in, asked, "4242424242424242")
    client = stripe.StripeClient(stripes.KEY, base_addresses={"api": stand_in.url})
    by_hand = client.v1.payment_intents.create(
        {
            "amount": 700,
            "currency": "eur",
            "customer": asked.customer_id,
            "payment_method": token,
            "confirm": True,
        }
    )
    listed = {each.external_id: each for each in gateway.list_payments(datetime.now(UTC))}
    assert (listed[by_hand.id].key, listed[by_hand.id].amount) == ("", Money(7_00, "EUR"))


def test_a_parameter_that_stripe_does_not_know_is_refused_by_the_stand_in(
    stand_in: StripeLike,
) -> None:
    headers = {"Authorization": f"Bearer {stripes.KEY}", "Idempotency-Key": uuid.uuid4().hex}
    url = f"{stand_in.url}/v1/refunds"
    answer = requests.post(url, data={"invoice": "in_1"}, headers=headers, timeout=5)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "parameter_unknown")


def test_a_sum_below_stripes_minimum_is_the_customers_to_pay_otherwise(
    gateway: StripeGateway, stand_in: StripeLike, asked: PaymentRequest
) -> None:
    little = again(asked, amount=Money(30, "EUR"))
    token = kept(gateway, stand_in, asked, "4242424242424242")
    for ask in (
        lambda: gateway.start_payment(little),
        lambda: gateway.charge_saved(again(little), token),
    ):
        with pytest.raises(Declined) as declined:
            ask()
        assert declined.value.code == "amount_too_small"
        assert "smaller than can be paid this way" in declined.value.message
    assert gateway.start_payment(again(asked, amount=Money(50, "EUR"))).redirect_url


def test_the_mode_is_that_of_the_key_and_an_account_must_be_whole() -> None:
    live = stripes.account("", secret_key="rk_live_1")
    assert StripeGateway("stripe", live).livemode
    assert not StripeGateway("stripe", stripes.account("")).livemode
    with pytest.raises(NotConfigured):
        StripeGateway("stripe", stripes.account("", secret_key=""))
    halves: list[dict[str, Any]] = [
        {"secret_key": "pk_live_1"},
        {"webhook_secrets": []},
        {"account": ""},
    ]
    for half in halves:
        with pytest.raises(ValueError, match=r"key|secrets|account"):
            StripeGateway("stripe", stripes.account("", **half))


def test_nothing_of_the_customer_is_logged_and_telemetry_is_off(
    gateway: StripeGateway, asked: PaymentRequest, caplog: pytest.LogCaptureFixture
) -> None:
    customer = CustomerRequest(uuid.uuid4().hex, "canary@example.com", "Canary", "de")
    gateway.create_customer(customer)
    assert "canary" not in caplog.text
    assert stripe.enable_telemetry is False


def test_an_answer_of_nonsense_says_nothing(
    gateway: StripeGateway, stand_in: StripeLike, asked: PaymentRequest
) -> None:
    start = gateway.start_payment(asked)
    path = f"/v1/checkout/sessions/{start.external_id}"
    order(stand_in, "faults", [{"path": path, "method": "GET", "answer": "html"}])
    with pytest.raises(Unavailable):
        gateway.fetch_payment(start.external_id)
    assert isinstance(gateway.fetch_payment(start.external_id), PaymentSnapshot)
