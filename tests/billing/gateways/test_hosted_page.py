"""The customer's side: a page without scripts, one charge whatever is clicked."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from billing.gateways.base import PaymentSnapshot
from billing.gateways.simulated import SimulatedGateway
from billing.gateways.simulator import GatewaySimulator
from packages.money import Money
from tests.billing.gateways.world import RETURN_URL, Receiver, payment_request, press, until


@pytest.fixture
def pay_url(gateway: SimulatedGateway) -> str:
    return str(gateway.start_payment(payment_request()).redirect_url)


def paid(gateway: SimulatedGateway, pay_url: str) -> PaymentSnapshot:
    return gateway.fetch_payment(pay_url.rpartition("/")[2])


def test_page_shows_what_is_bought_and_is_closed_to_everything_else(pay_url: str) -> None:
    answer = requests.get(pay_url, timeout=5)
    assert "Pay Nordcast" in answer.text
    assert "Invoice R-2026-0042" in answer.text
    assert "€49.00" in answer.text
    assert 'name="card_number"' in answer.text
    assert not re.search(r"<script|style=|\son\w+=", answer.text)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'")
    assert policy.endswith("form-action 'self' http://shop.example")


def test_page_speaks_german(gateway: SimulatedGateway) -> None:
    start = gateway.start_payment(payment_request(language="de"))
    answer = requests.get(str(start.redirect_url), timeout=5)
    assert '<html lang="de">' in answer.text
    assert "49,00\xa0€ zahlen" in answer.text


def test_hostile_description_is_shown_as_text(gateway: SimulatedGateway) -> None:
    start = gateway.start_payment(payment_request(description="<script>alert(1)</script>"))
    assert "<script>" not in requests.get(str(start.redirect_url), timeout=5).text


def test_paying_leads_back_to_the_shop(gateway: SimulatedGateway, pay_url: str) -> None:
    answer = press(pay_url, "pay")
    assert (answer.status_code, answer.headers["Location"]) == (303, RETURN_URL)
    snapshot = paid(gateway, pay_url)
    assert (snapshot.state, snapshot.amount) == ("succeeded", Money(49_00, "EUR"))
    assert snapshot.succeeded_at


def test_ten_tabs_pay_once(pay_url: str, simulator: GatewaySimulator) -> None:
    with ThreadPoolExecutor(10) as tabs:
        answers = list(tabs.map(lambda _: press(pay_url, "pay"), range(10)))
    assert {answer.headers["Location"] for answer in answers} == {RETURN_URL}
    assert len(simulator.log()["charges"]) == 1


def test_declined_card_may_be_replaced_on_the_same_page(
    gateway: SimulatedGateway, pay_url: str, simulator: GatewaySimulator
) -> None:
    answer = press(pay_url, "pay", "4000 0000 0000 0002")
    again = requests.get(pay_url, timeout=5)
    assert pay_url.endswith(answer.headers["Location"])
    assert 'role="alert"' in again.text
    declined = paid(gateway, pay_url)
    assert (declined.state, declined.failure_code) == ("open", "card_declined")
    assert "No money was taken" in str(declined.failure_message)
    press(pay_url, "pay")
    assert (paid(gateway, pay_url).state, paid(gateway, pay_url).failure_code) == (
        "succeeded",
        None,
    )
    assert len(simulator.log()["charges"]) == 1


def test_unknown_number_is_refused_beside_the_field(
    gateway: SimulatedGateway, pay_url: str
) -> None:
    answer = press(pay_url, "pay", "1234")
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert paid(gateway, pay_url).state == "open"


def test_bank_asks_who_is_paying(gateway: SimulatedGateway, pay_url: str) -> None:
    press(pay_url, "pay", "4000 0025 0000 3155")
    assert "Confirm it’s you" in requests.get(pay_url, timeout=5).text
    assert paid(gateway, pay_url).state == "open"
    assert press(pay_url, "confirm").headers["Location"] == RETURN_URL
    assert paid(gateway, pay_url).state == "succeeded"


def test_unconfirmed_payment_stays_open(gateway: SimulatedGateway, pay_url: str) -> None:
    press(pay_url, "pay", "4000 0025 0000 3155")
    press(pay_url, "reject")
    snapshot = paid(gateway, pay_url)
    assert (snapshot.state, snapshot.failure_code) == ("open", "authentication_required")


def test_delayed_payment_succeeds_by_itself(
    gateway: SimulatedGateway, pay_url: str, receiver: Receiver
) -> None:
    press(pay_url, "pay", "4000 0000 0000 0077")
    assert paid(gateway, pay_url).state == "processing"
    until(lambda: paid(gateway, pay_url).state == "succeeded")
    until(lambda: len(receiver.received) == 2)


def test_stale_tab_cannot_cancel_what_is_on_its_way(
    gateway: SimulatedGateway, pay_url: str
) -> None:
    press(pay_url, "pay", "4000 0000 0000 0077")
    assert press(pay_url, "cancel").headers["Location"] == RETURN_URL
    assert paid(gateway, pay_url).state in {"processing", "succeeded"}


@pytest.mark.parametrize(("action", "state"), [("decline", "failed"), ("cancel", "cancelled")])
def test_ended_payment_cannot_be_paid_any_more(
    gateway: SimulatedGateway, pay_url: str, action: str, state: str, simulator: GatewaySimulator
) -> None:
    assert press(pay_url, action).headers["Location"] == RETURN_URL
    press(pay_url, "pay")
    assert paid(gateway, pay_url).state == state
    assert "Back to Nordcast" in requests.get(pay_url, timeout=5).text
    assert simulator.log()["charges"] == []


def test_form_of_another_site_is_refused(pay_url: str, gateway: SimulatedGateway) -> None:
    headers = {"Origin": "http://evil.example"}
    answer = requests.post(pay_url, data={"action": "cancel"}, headers=headers, timeout=5)
    assert answer.status_code == 403
    assert paid(gateway, pay_url).state == "open"


def test_overview_lists_payments_and_events(simulator: GatewaySimulator, pay_url: str) -> None:
    press(pay_url, "pay")
    until(lambda: simulator.log()["attempts"])
    overview = requests.get(simulator.url, timeout=5).text
    assert "49.00 EUR" in overview
    assert "payment.succeeded" in overview
    assert "Refund" in overview
