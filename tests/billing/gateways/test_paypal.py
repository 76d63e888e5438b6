"""The adapter to PayPal against the stand-in, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from billing.gateways import failures
from billing.gateways.base import (
    Captures,
    Declined,
    GatewayRefused,
    NotConfigured,
    PaymentRequest,
    PaymentStart,
    Unavailable,
)
from billing.gateways.paypal import amounts
from billing.gateways.paypal.gateway import PayPalGateway
from billing.gateways.simulator.paypal_like import PayPalLike
from packages.money import Money
from tests import paypals
from tests.billing.gateways.world import order, payment_request, until


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[PayPalLike, Any]]:
    with paypals.running() as running:
        yield running


@pytest.fixture
def stand_in(running: tuple[PayPalLike, Any]) -> Iterator[PayPalLike]:
    yield running[0]
    order(running[0], "faults", [])


@pytest.fixture
def gateway(stand_in: PayPalLike, running: tuple[PayPalLike, Any]) -> PayPalGateway:
    return PayPalGateway("paypal", paypals.account(stand_in.url, running[1]))


def approved(
    gateway: PayPalGateway, stand_in: PayPalLike, asked: PaymentRequest, source: str = "balance"
) -> PaymentStart:
    start = gateway.start_payment(asked)
    order(stand_in, f"payments/{start.external_id}/pay", {"source": source})
    return start


def paid(gateway: PayPalGateway, stand_in: PayPalLike, asked: PaymentRequest) -> PaymentStart:
    start = approved(gateway, stand_in, asked)
    assert gateway.capture(start.external_id, key=asked.key).state == "succeeded"
    return start


def calls(stand_in: PayPalLike, path: str) -> int:
    return len([each for each in stand_in.log()["calls"] if each["path"] == path])


def test_an_order_is_opened_once_per_key_approved_and_captured_once(
    gateway: PayPalGateway, stand_in: PayPalLike
) -> None:
    assert isinstance(gateway, Captures)
    asked = payment_request()
    start = gateway.start_payment(asked)
    assert gateway.start_payment(asked) == start
    before = gateway.fetch_payment(start.external_id)
    assert (before.state, before.redirect_url) == ("open", start.redirect_url)
    assert requests.get(str(start.redirect_url), timeout=5).status_code == 200
    order(stand_in, f"payments/{start.external_id}/pay")
    # Reading takes no money.
    assert gateway.fetch_payment(start.external_id).state == "approved"
    assert not [each for each in stand_in["capture"] if each["custom_id"] == asked.key]
    taken = gateway.capture(start.external_id, key=asked.key)
    assert (taken.state, taken.key, taken.amount) == ("succeeded", asked.key, asked.amount)
    order(stand_in, "forget_keys")
    assert gateway.capture(start.external_id, key=asked.key) == taken
    assert len([each for each in stand_in["capture"] if each["custom_id"] == asked.key]) == 1


def test_the_customer_approves_on_the_page_and_comes_back(
    gateway: PayPalGateway, stand_in: PayPalLike
) -> None:
    start = gateway.start_payment(payment_request(language="de"))
    page = requests.get(str(start.redirect_url), timeout=5)
    assert "Jetzt zahlen" in page.text
    form = {"action": "pay", "source": "balance"}
    back = requests.post(str(start.redirect_url), data=form, timeout=5, allow_redirects=False)
    assert back.headers["Location"].startswith("http://shop.example/return/?token=")
    assert gateway.fetch_payment(start.external_id).state == "approved"


def test_a_declined_source_leaves_the_order_open_with_its_reason(
    gateway: PayPalGateway, stand_in: PayPalLike
) -> None:
    asked = payment_request()
    start = approved(gateway, stand_in, asked, "declined")
    snapshot = gateway.capture(start.external_id, key=asked.key)
    assert (snapshot.state, snapshot.failure_code) == ("open", "declined_for_now")
    assert snapshot.failure_message == failures.message("declined_for_now")
    assert snapshot.redirect_url == start.redirect_url
    order(stand_in, f"payments/{start.external_id}/pay")
    # The same key gets the same answer; another one takes the money, once.
    assert gateway.capture(start.external_id, key=asked.key).failure_code == "declined_for_now"
    for key in (f"{asked.key}-again", f"{asked.key}-once-more"):
        assert gateway.capture(start.external_id, key=key).state == "succeeded"
    assert len([each for each in stand_in["capture"] if each["custom_id"] == asked.key]) == 1


@pytest.mark.parametrize(
    ("source", "state", "code"),
    [("pending", "succeeded", None), ("pending_fails", "failed", "payment_failed")],
)
def test_a_bank_account_is_being_confirmed_until_it_arrives_or_fails(
    gateway: PayPalGateway, stand_in: PayPalLike, source: str, state: str, code: str | None
) -> None:
    asked = payment_request()
    start = approved(gateway, stand_in, asked, source)
    assert gateway.capture(start.external_id, key=asked.key).state == "processing"
    until(lambda: gateway.fetch_payment(start.external_id).state == state)
    assert gateway.fetch_payment(start.external_id).failure_code == code


def test_an_order_that_paypal_has_forgotten_is_cancelled(
    gateway: PayPalGateway, stand_in: PayPalLike
) -> None:
    start = gateway.start_payment(payment_request())
    order(stand_in, f"payments/{start.external_id}/expire")
    assert gateway.fetch_payment(start.external_id).state == "cancelled"
    with pytest.raises(GatewayRefused):
        gateway.fetch_payment("../v1/oauth2/token")
    # Not so where money was taken.
    start = paid(gateway, stand_in, payment_request())
    order(stand_in, f"payments/{start.external_id}/expire")
    taken = next(each for each in stand_in["capture"] if each["order"] == start.external_id)
    with pytest.raises(GatewayRefused):
        gateway.fetch_payment(f"capture:{taken['id']}")


def kept(gateway: PayPalGateway, stand_in: PayPalLike) -> str:
    start = paid(gateway, stand_in, payment_request(save_method=True))
    method = gateway.fetch_payment(start.external_id).method
    assert method is not None
    assert (method.kind, method.brand) == ("paypal", "PayPal")
    return method.token


def test_a_kept_method_is_charged_without_the_customer_once_per_key(
    gateway: PayPalGateway, stand_in: PayPalLike
) -> None:
    assert gateway.fetch_payment(paid(gateway, stand_in, payment_request()).external_id).method is (
        None
    )
    token, asked = kept(gateway, stand_in), payment_request()
    charged = gateway.charge_saved(asked, token)
    assert gateway.charge_saved(asked, token) == charged
    assert (charged.state, charged.key) == ("succeeded", asked.key)
    assert len([each for each in stand_in["capture"] if each["custom_id"] == asked.key]) == 1
    # Even when the key is forgotten there, the invoice's number is not taken twice.
    order(stand_in, "forget_keys")
    with pytest.raises(Unavailable, match="DUPLICATE_INVOICE_ID"):
        gateway.charge_saved(asked, token)


@pytest.mark.parametrize(
    ("issue", "code"),
    [
        ("INSTRUMENT_DECLINED", "declined_for_now"),
        ("PAYER_ACTION_REQUIRED", "authentication_required"),
        ("PAYER_ACCOUNT_RESTRICTED", "method_gone"),
        ("AGREEMENT_ALREADY_CANCELLED", "mandate_gone"),
    ],
)
def test_a_declined_charge_leaves_nothing_but_its_reason(
    gateway: PayPalGateway, stand_in: PayPalLike, issue: str, code: str
) -> None:
    token = kept(gateway, stand_in)
    order(stand_in, f"methods/{token}", {"later": issue})
    with pytest.raises(Declined) as declined:
        gateway.charge_saved(payment_request(), token)
    assert declined.value.code == code
    order(stand_in, f"methods/{token}", {"gone": True})
    with pytest.raises(Declined) as declined:
        gateway.charge_saved(payment_request(), token)
    assert declined.value.code == "method_gone"


def test_a_method_is_let_go_at_paypal_once_and_for_ever(
    gateway: PayPalGateway, stand_in: PayPalLike
) -> None:
    token = kept(gateway, stand_in)
    for _ in range(2):
        gateway.forget_method(token)
    (there,) = [each for each in stand_in["token"] if each["id"] == token]
    assert there["gone"]
    fault = {"path": "/v3/vault/payment-tokens/*", "method": "DELETE", "answer": "500"}
    order(stand_in, "faults", [fault])
    with pytest.raises(Unavailable):
        gateway.forget_method(kept(gateway, stand_in))


@pytest.mark.parametrize("answer", ["500", "html", "reset"])
def test_a_charge_without_an_answer_is_unknown_and_found_by_our_key(
    gateway: PayPalGateway, stand_in: PayPalLike, answer: str
) -> None:
    token, asked = kept(gateway, stand_in), payment_request()
    fault = {"path": "/v2/checkout/orders", "times": 1, "apply": "yes", "answer": answer}
    order(stand_in, "faults", [fault])
    before = calls(stand_in, "/v2/checkout/orders")
    with pytest.raises(Unavailable):
        gateway.charge_saved(asked, token)
    assert calls(stand_in, "/v2/checkout/orders") == before + 1
    found = gateway.list_payments(datetime.now(UTC) - timedelta(minutes=5))
    (ours,) = [each for each in found if each.key == asked.key]
    assert (ours.state, ours.amount) == ("succeeded", asked.amount)


def test_a_charge_that_was_not_made_is_not_found(
    gateway: PayPalGateway, stand_in: PayPalLike
) -> None:
    token, asked = kept(gateway, stand_in), payment_request()
    order(stand_in, "faults", [{"path": "/v2/checkout/orders", "apply": "no", "answer": "500"}])
    with pytest.raises(Unavailable):
        gateway.charge_saved(asked, token)
    since = datetime.now(UTC) - timedelta(minutes=5)
    assert asked.key not in {each.key for each in gateway.list_payments(since)}
    assert gateway.lag >= timedelta(hours=3)


def test_refunds_have_a_ceiling_and_are_made_once_per_key_even_when_keys_are_forgotten(
    gateway: PayPalGateway, stand_in: PayPalLike
) -> None:
    start = paid(gateway, stand_in, payment_request())
    first = gateway.refund(start.external_id, Money(9_00, "EUR"), key="a" + start.external_id)
    order(stand_in, "forget_keys")
    assert gateway.refund(start.external_id, Money(9_00, "EUR"), key=first.key) == first
    assert gateway.fetch_payment(start.external_id).refunded_minor == 9_00
    with pytest.raises(GatewayRefused, match="REFUND_AMOUNT_EXCEEDED"):
        gateway.refund(start.external_id, Money(41_00, "EUR"), key="b" + start.external_id)
    gateway.refund(start.external_id, Money(40_00, "EUR"), key="c" + start.external_id)
    after = gateway.fetch_payment(start.external_id)
    assert (after.state, after.refunded_minor) == ("succeeded", 49_00)


def test_a_lost_answer_about_a_refund_is_asked_for_again_with_the_same_key(
    gateway: PayPalGateway, stand_in: PayPalLike
) -> None:
    start = paid(gateway, stand_in, payment_request())
    fault = {"path": "/v2/payments/captures/*/refund", "apply": "yes", "answer": "reset"}
    order(stand_in, "faults", [fault])
    with pytest.raises(Unavailable):
        gateway.refund(start.external_id, Money(9_00, "EUR"), key="lost" + start.external_id)
    gateway.refund(start.external_id, Money(9_00, "EUR"), key="lost" + start.external_id)
    assert gateway.fetch_payment(start.external_id).refunded_minor == 9_00


@pytest.mark.parametrize(("won", "outcome"), [(True, "won"), (False, "lost")])
def test_a_dispute_is_seen_at_its_payment_and_leads_to_it(
    gateway: PayPalGateway, stand_in: PayPalLike, won: bool, outcome: str
) -> None:
    start = paid(gateway, stand_in, payment_request())
    dispute = order(stand_in, f"payments/{start.external_id}/dispute")
    open_one = gateway.fetch_payment(start.external_id)
    assert (open_one.dispute, open_one.external_id) == ("open", start.external_id)
    assert dispute["id"] in open_one.dispute_url
    assert gateway.fetch_payment(f"dispute:{dispute['id']}") == open_one
    order(stand_in, f"disputes/{dispute['id']}/close", {"won": won})
    assert gateway.fetch_payment(start.external_id).dispute == outcome


def test_a_token_is_kept_until_it_ends_and_then_asked_for_once(
    gateway: PayPalGateway, stand_in: PayPalLike
) -> None:
    start = gateway.start_payment(payment_request())
    before = calls(stand_in, "/v1/oauth2/token")
    gateway.fetch_payment(start.external_id)
    assert calls(stand_in, "/v1/oauth2/token") == before
    order(stand_in, "end_tokens")
    assert gateway.fetch_payment(start.external_id).state == "open"
    assert calls(stand_in, "/v1/oauth2/token") == before + 1


def test_wrong_credentials_are_ours_to_set_right(
    stand_in: PayPalLike, running: tuple[PayPalLike, Any]
) -> None:
    config = paypals.account(stand_in.url, running[1], client_id="other", client_secret="wrong")
    with pytest.raises(GatewayRefused, match="invalid_client"):
        PayPalGateway("paypal", config).start_payment(payment_request())


@pytest.mark.parametrize("fault", [{"answer": "500"}, {"answer": "html"}, {"answer": "reset"}])
def test_an_unreachable_paypal_is_unknown(
    gateway: PayPalGateway, stand_in: PayPalLike, fault: dict[str, Any]
) -> None:
    start = gateway.start_payment(payment_request())
    order(stand_in, "faults", [{"path": "*", "method": "GET", "times": 1, **fault}])
    with pytest.raises(Unavailable):
        gateway.fetch_payment(start.external_id)


@pytest.mark.parametrize(
    ("money", "value"),
    [
        (Money(49_00, "EUR"), "49.00"),
        (Money(5, "USD"), "0.05"),
        (Money(5000, "JPY"), "5000"),
        (Money(5000_00, "HUF"), "5000"),
    ],
)
def test_amounts_are_written_as_paypal_wants_them(money: Money, value: str) -> None:
    written = amounts.written(money)
    assert written == {"currency_code": money.currency, "value": value}
    assert amounts.read(written) == money


@pytest.mark.parametrize("money", [Money(50, "HUF"), Money(1_000, "KWD"), Money(1, "RUB")])
def test_what_paypal_cannot_take_is_refused(money: Money) -> None:
    with pytest.raises(GatewayRefused):
        amounts.written(money)


def test_a_currency_without_decimals_is_paid(gateway: PayPalGateway, stand_in: PayPalLike) -> None:
    asked = payment_request(amount=Money(7_000, "JPY"))
    start = paid(gateway, stand_in, asked)
    assert gateway.fetch_payment(start.external_id).amount == Money(7_000, "JPY")


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook_ids": []},
        {"account": ""},
        {"client_secret": ""},
        {"environment": "production"},
        # A stand-in, or the public webhook simulator's id, where real money is.
        {"environment": "live"},
        {"environment": "live", "api_base": "", "webhook_ids": ["WEBHOOK_ID"]},
    ],
)
def test_half_an_account_and_a_live_one_that_trusts_others_stop_the_start(
    changes: dict[str, Any],
) -> None:
    config = paypals.account("http://127.0.0.1:9")
    assert not PayPalGateway("paypal", config).livemode
    with pytest.raises((ValueError, KeyError)):
        PayPalGateway("paypal", config | changes)
    with pytest.raises(NotConfigured):
        PayPalGateway("paypal", config | {"client_id": ""})


def test_paid_payments_are_listed_with_their_keys(
    gateway: PayPalGateway, stand_in: PayPalLike
) -> None:
    asked = payment_request()
    start = paid(gateway, stand_in, asked)
    found = gateway.list_payments(datetime.now(UTC) - timedelta(minutes=5))
    assert gateway.fetch_payment(start.external_id) in found
    assert gateway.list_payments(datetime.now(UTC) + timedelta(minutes=5)) == []
    # Another program at the same account has words of its own; it is no obstacle.
    theirs = stand_in.foreign("a word of theirs")
    again = gateway.list_payments(datetime.now(UTC) - timedelta(minutes=5))
    assert [each.external_id for each in again] == [each.external_id for each in found]
    lines = gateway.list_movements(datetime.now(UTC) - timedelta(days=32))
    assert theirs in {each.external_id for each in lines}
    assert replace(found[0], method=None).livemode is False


def test_a_window_with_too_many_transactions_is_halved_and_read_to_its_end() -> None:
    with paypals.running() as (stand_in, roots):
        gateway = PayPalGateway("paypal", paypals.account(stand_in.url, roots))
        now = datetime.now(UTC)
        old = {stand_in.foreign("theirs", days_ago=each) for each in range(5, 30, 4)}
        new = {stand_in.foreign("theirs") for _ in range(3)}

        def listed(most: int) -> set[str]:
            order(stand_in, "search", {"most": most})
            found = [each.external_id for each in gateway.list_movements(now - timedelta(days=30))]
            assert len(found) == len(set(found))
            return set(found)

        assert listed(10_000) == listed(3) == old | new
        # No search may begin in the last two days: with too many they are left for later.
        assert listed(2) == old
        with pytest.raises(GatewayRefused, match="RESULTSET_TOO_LARGE"):
            gateway.list_payments(now - timedelta(hours=1))
        with pytest.raises(GatewayRefused, match="RESULTSET_TOO_LARGE"):
            listed(0)
