"""What Stripe keeps for later where it is not what was paid with, and debits that fail late."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from billing.gateways.base import CustomerRequest, Declined, PaymentRequest, SetupRequest
from billing.gateways.simulator.stripe_like import StripeLike
from billing.gateways.stripe import declines
from billing.gateways.stripe.gateway import StripeGateway
from packages.money import Money, total
from tests import stripes
from tests.billing.gateways.world import order, payment_request, until

BANCONTACT = "BE68539007547034"
FAILING_DEBIT = "DE62370400440532013001"


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StripeLike]:
    with stripes.running() as running:
        yield running


@pytest.fixture
def gateway(stand_in: StripeLike) -> StripeGateway:
    return StripeGateway("stripe", stripes.account(stand_in.url))


@pytest.fixture
def asked(gateway: StripeGateway) -> PaymentRequest:
    customer = CustomerRequest(uuid.uuid4().hex, "ada@example.com", "Ada Muster", "de")
    return payment_request(customer_id=gateway.create_customer(customer), save_method=True)


def pays(stand_in: StripeLike, page: str, number: str) -> None:
    order(stand_in, f"payments/{page}/pay", {"card_number": number})


def test_of_a_banks_page_the_debit_is_kept_and_charged(
    gateway: StripeGateway, stand_in: StripeLike, asked: PaymentRequest
) -> None:
    start = gateway.start_payment(asked)
    pays(stand_in, start.external_id, BANCONTACT)
    paid = gateway.fetch_payment(start.external_id)
    assert paid.state == "succeeded"
    assert paid.method is not None
    assert (paid.method.kind, paid.method.last4) == ("sepa_debit", "7034")
    later = payment_request(customer_id=asked.customer_id)
    assert gateway.charge_saved(later, paid.method.token).state == "processing"
    # What was paid with is worth nothing a second time.
    once = next(each for each in stand_in["payment_method"] if each["type"] == "bancontact")
    with pytest.raises(Declined):
        gateway.charge_saved(payment_request(customer_id=asked.customer_id), once["id"])


def test_a_banks_page_keeps_nothing_where_nothing_was_agreed(
    gateway: StripeGateway, stand_in: StripeLike, asked: PaymentRequest
) -> None:
    start = gateway.start_payment(payment_request(customer_id=asked.customer_id))
    pays(stand_in, start.external_id, BANCONTACT)
    assert gateway.fetch_payment(start.external_id).method is None


def test_a_visit_without_a_payment_keeps_the_debit_too(
    gateway: StripeGateway, stand_in: StripeLike, asked: PaymentRequest
) -> None:
    visit = SetupRequest(uuid.uuid4().hex, asked.customer_id, "EUR", "de", "http://shop.example/")
    start = gateway.start_setup(visit)
    pays(stand_in, start.external_id, BANCONTACT)
    method = gateway.fetch_setup(start.external_id).method
    assert method is not None
    assert (method.kind, method.last4) == ("sepa_debit", "7034")
    later = payment_request(customer_id=asked.customer_id)
    assert gateway.charge_saved(later, method.token).state == "processing"


def test_a_debit_that_fails_leaves_the_statement_as_it_was(
    gateway: StripeGateway, stand_in: StripeLike, asked: PaymentRequest
) -> None:
    start = gateway.start_payment(asked)
    pays(stand_in, start.external_id, FAILING_DEBIT)
    until(lambda: gateway.fetch_payment(start.external_id).state == "failed")
    lines = gateway.list_movements(datetime.now(UTC) - timedelta(minutes=5))
    ours = [each for each in lines if each.key == asked.key]
    # Both are of a payment, so neither is booked a second time, nor as somebody else's money.
    assert [each.kind for each in ours] == ["payment", "payment"]
    assert total((each.amount - each.fee for each in ours), "EUR") == Money.zero("EUR")


def test_what_the_issuer_advises_counts_where_the_code_says_little() -> None:
    unsure = {"code": "card_declined", "decline_code": "do_not_honor"}
    assert declines.code(unsure | {"advice_code": "confirm_card_data"}) == "wrong_details"
    assert declines.code(unsure | {"advice_code": "try_again_later"}) == "declined_for_now"
    exact = {"decline_code": "insufficient_funds", "advice_code": "confirm_card_data"}
    assert declines.code(exact) == "insufficient_funds"
