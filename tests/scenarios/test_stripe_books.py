"""What a gateway says beside payments: methods without a payment, its statement, differences."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from billing import reconciliation, tasks
from billing.models import (
    GatewayEvent,
    Invoice,
    LedgerAccount,
    MethodSetup,
    Movement,
    Payer,
    Payment,
    PaymentMethod,
)
from provisioning.simulator.simulator import Simulator
from tests import stripes
from tests.clock import Clock
from tests.processes import wait_until
from tests.scenarios.gateway_books import book, open_differences
from tests.story import Customer
from tests.stripes import Stripe

CODE, KEEP = "stripe", {"keep_method": "on"}


@pytest.fixture
def stripe(site: str) -> Iterator[Stripe]:
    with stripes.offered(f"{site}/webhooks/stripe/") as stripe:
        yield stripe


@pytest.fixture
def paid(site: str, stripe: Stripe, clock: Clock) -> Payment:
    """A purchase that was paid by card."""
    customer = Customer(site)
    customer.registers()
    customer.chooses("business")
    customer.pays(customer.orders(gateway="stripe"))
    wait_until(lambda: GatewayEvent.objects.count() >= 3, what="the webhooks")
    clock.work()
    payment = Payment.objects.get()
    assert payment.state == Payment.State.SUCCEEDED
    return payment


def test_a_method_is_added_without_a_payment_and_let_go_at_the_gateway_too(
    site: str, stripe: Stripe, paid: Payment, clock: Clock
) -> None:
    customer = Customer(site)
    customer.signs_in()
    page = customer.browser.open("/account/methods/")
    page = customer.browser.submit(page, "keep_method", {"keep_method": "on"})
    stripe.webhooks(drop=True)
    page = customer.browser.submit(page, "card_number", {"card_number": "5555555555554444"})
    assert "Saved. It can be charged from now on." in page.text
    assert "Mastercard •••• 4444" in page.text
    method = PaymentMethod.objects.get()
    assert (method.is_default, bool(method.consent)) == (True, True)
    assert len(stripe.charged()) == 1

    customer.browser.submit(page, "/removal/")
    clock.advance(minutes=3)
    method.refresh_from_db()
    assert (method.state, method.forgotten_at is not None) == ("removed", True)
    (there,) = [each for each in stripe.simulator["payment_method"] if each["gone"]]
    assert there["customer"] is None


def test_the_same_card_given_twice_is_one_method_and_stays_the_default(
    site: str, stripe: Stripe, paid: Payment, clock: Clock
) -> None:
    customer = Customer(site)
    customer.signs_in()
    for _ in range(2):
        page = customer.browser.open("/account/methods/")
        page = customer.browser.submit(page, "keep_method", {"keep_method": "on"})
        page = customer.browser.submit(page, "card_number", {"card_number": "4242424242424242"})
        assert page.text.count('<th scope="row">Visa •••• 4242</th>') == 1
    kept = PaymentMethod.objects.get(state=PaymentMethod.State.ACTIVE)
    assert kept.is_default
    assert PaymentMethod.objects.filter(state=PaymentMethod.State.REMOVED).count() == 1


def test_who_was_deleted_in_the_dashboard_is_made_anew_there(
    site: str, stripe: Stripe, paid: Payment, clock: Clock
) -> None:
    gone = Payer.objects.get()
    stripe.control(f"customers/{gone.external_id}/delete")
    customer = Customer(site)
    customer.signs_in()
    page = customer.browser.open("/account/methods/")
    assert "card_number" not in customer.browser.submit(page, "keep_method", KEEP).text
    page = customer.browser.submit(page, "keep_method", KEEP)
    customer.browser.submit(page, "card_number", {"card_number": "4242424242424242"})
    assert PaymentMethod.objects.get().state == PaymentMethod.State.ACTIVE
    now = Payer.objects.get()
    assert now.key != gone.key
    assert [each["id"] for each in stripe.simulator["customer"]] == [now.external_id]


def test_a_visit_whose_customer_never_came_back_keeps_the_method_once(
    site: str, stripe: Stripe, paid: Payment, clock: Clock
) -> None:
    customer = Customer(site)
    customer.signs_in()
    page = customer.browser.open("/account/methods/")
    customer.browser.submit(page, "keep_method", {"keep_method": "on"})
    stripe.control(f"payments/{MethodSetup.objects.get().external_id}/pay")
    wait_until(lambda: GatewayEvent.objects.filter(state="received").count() >= 2, what="webhooks")
    clock.work()
    clock.advance(minutes=10)
    assert PaymentMethod.objects.count() == 1
    assert MethodSetup.objects.get().state == MethodSetup.State.SUCCEEDED


def test_fees_disputes_and_payouts_are_booked_once_from_the_gateways_statement(
    stripe: Stripe, paid: Payment, shop: Simulator, clock: Clock
) -> None:
    total = paid.amount_minor
    fee = total * 150 // 10_000 + 25
    assert reconciliation.reconcile("stripe", at=clock.now()) == 1
    assert (book(CODE, "clearing"), book(CODE, "gateway_fees")) == (total - fee, fee)
    stripe.control(f"payments/{paid.external_id}/dispute")
    stripe.control("payouts", currency="eur")
    clock.shift(days=1)
    for _ in range(2):
        tasks.reconcile_gateways()
    kinds = sorted(Movement.objects.values_list("kind", flat=True))
    assert kinds == ["dispute", "payment", "payout"]
    assert (book(CODE, "gateway_fees"), book(CODE, "disputed")) == (fee + 20_00, total)
    assert book(CODE, "clearing") == 0
    assert book(CODE, "payout") == -(fee + 20_00)
    assert set(Movement.objects.filter(kind="dispute").values_list("payment", flat=True)) == {
        paid.pk
    }
    dispute = stripe.simulator["dispute"][0]
    stripe.control(f"disputes/{dispute['id']}/close", won=True)
    tasks.reconcile_gateways()
    assert (book(CODE, "disputed"), book(CODE, "clearing")) == (0, total)
    assert not LedgerAccount.objects.filter(kind="suspense").exists()
    assert open_differences() == []


def test_where_gateway_and_books_differ_is_listed_until_they_agree(
    stripe: Stripe, paid: Payment, shop: Simulator, clock: Clock
) -> None:
    clock.shift(minutes=20)
    tasks.compare_gateways()
    assert open_differences() == []
    stripe.webhooks(drop=True)
    stripe.control(f"payments/{paid.external_id}/refund", amount_minor=5_00)
    tasks.compare_gateways()
    assert open_differences() == ["refunded"]
    Payment.objects.filter(pk=paid.pk).update(refunded_minor=5_00)
    tasks.compare_gateways()
    assert open_differences() == []
    Payment.objects.filter(pk=paid.pk).update(refunded_minor=0)


def test_a_payment_that_nobody_asked_about_any_more_is_recorded_by_the_comparison(
    site: str, stripe: Stripe, shop: Simulator, clock: Clock
) -> None:
    customer = Customer(site)
    customer.registers()
    customer.chooses("business")
    customer.orders(gateway="stripe")
    stripe.webhooks(drop=True)
    Payment.objects.update(next_check_at=None)
    stripe.control(f"payments/{Payment.objects.get().external_id}/pay")
    tasks.compare_gateways()
    assert Invoice.objects.get().state == Invoice.State.PAID


def test_events_that_did_not_reach_us_are_fetched_and_reported(
    site: str, stripe: Stripe, paid: Payment, clock: Clock
) -> None:
    before = GatewayEvent.objects.count()
    stripe.webhooks(drop=True)
    stripe.control(f"payments/{paid.external_id}/dispute")
    clock.shift(minutes=20)
    tasks.compare_gateways()
    assert GatewayEvent.objects.count() > before
    assert "events" in open_differences()
    clock.work()
    paid.refresh_from_db()
    assert paid.dispute == "open"
    tasks.compare_gateways()
    assert open_differences() == []
