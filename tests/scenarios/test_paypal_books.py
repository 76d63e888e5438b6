"""What PayPal says beside payments: its statement in our books, and events that never arrived."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from billing import credit_notes, gateways, reconciliation, refunds, tasks
from billing.gateways.paypal.gateway import EVENTS, PayPalGateway
from billing.models import Difference, GatewayEvent, Movement, Payment, Refund
from packages.money import Money
from provisioning.simulator.simulator import Simulator
from tests.clock import Clock
from tests.paypals import PayPal
from tests.processes import wait_until
from tests.scenarios.gateway_books import book, open_differences
from tests.story import Customer

CODE = "paypal"


@pytest.fixture
def paid(site: str, paypal: PayPal, shop: Simulator, clock: Clock) -> Payment:
    customer = Customer(site)
    customer.registers()
    customer.chooses("business")
    page = customer.orders(gateway="paypal")
    customer.browser.submit(page, "source", {"source": "balance"}, button="action")
    wait_until(lambda: len(paypal.answers()) >= 2, what="the webhooks")
    clock.work()
    return Payment.objects.get(state=Payment.State.SUCCEEDED)


def test_fees_refunds_disputes_and_payouts_are_booked_once_from_paypals_statement(
    paypal: PayPal, paid: Payment, clock: Clock
) -> None:
    credit_notes.issue(paid.invoice, reason="x", at=clock.now(), actor="staff:1")
    refund = refunds.request(
        paid,
        Money(28_00, "EUR"),
        way=Refund.Way.GATEWAY,
        reason="x",
        at=clock.now(),
        actor="staff:1",
    )
    refunds.send(refund.pk, at=clock.now())
    assert reconciliation.reconcile("paypal", at=clock.now()) == 2
    # 2.99 % of 128.00 and 0.39.
    assert (book(CODE, "clearing"), book(CODE, "gateway_fees")) == (128_00 - 28_00 - 4_22, 4_22)

    paypal.control("payouts", value="50.00")
    paypal.control(f"payments/{paid.external_id}/dispute")
    paypal.control(f"disputes/{paypal.simulator['dispute'][0]['id']}/close", won=False)
    assert reconciliation.reconcile("paypal", at=clock.now()) == 2
    assert reconciliation.reconcile("paypal", at=clock.now()) == 0
    assert (book(CODE, "payout"), book(CODE, "disputed")) == (50_00, 128_00)
    kinds = Movement.objects.order_by("kind").values_list("kind", "payment")
    assert list(kinds) == [
        ("dispute", paid.pk),
        ("payment", paid.pk),
        ("payout", None),
        ("refund", paid.pk),
    ]
    assert open_differences() == []


def test_a_payment_that_paypal_takes_back_is_for_staff_and_booked_from_the_statement(
    paypal: PayPal, paid: Payment, clock: Clock
) -> None:
    paypal.control(f"payments/{paid.external_id}/reverse")
    told = GatewayEvent.objects.filter(kind="PAYMENT.CAPTURE.REVERSED")
    wait_until(told.exists, what="the webhook")
    clock.work()
    assert (told.get().state, "took this payment back" in told.get().note) == ("parked", True)
    assert reconciliation.reconcile("paypal", at=clock.now()) == 2
    assert (book(CODE, "disputed"), book(CODE, "clearing")) == (128_00, -4_22)
    assert open_differences() == []
    assert not Refund.objects.exists()


def test_money_that_somebody_else_took_at_the_account_is_a_difference(
    paypal: PayPal, paid: Payment, clock: Clock
) -> None:
    Payment.objects.filter(pk=paid.pk).update(key="00000000-0000-0000-0000-000000000001")
    assert reconciliation.reconcile("paypal", at=clock.now()) == 1
    assert "unmatched" in open_differences()


def test_a_payment_of_ours_that_no_statement_shows_is_a_difference_until_one_does(
    paypal: PayPal, paid: Payment, clock: Clock
) -> None:
    reconciliation.reconcile("paypal", at=clock.now())
    Movement.objects.filter(payment=paid).update(payment=None)
    reconciliation.reconcile("paypal", at=clock.now())
    assert "unbooked" not in open_differences(), "Statements are complete after some days."
    later = clock.now() + reconciliation.OVERLAP + timedelta(hours=1)
    reconciliation.reconcile("paypal", at=later)
    assert Difference.objects.get(kind="unbooked").payment == paid
    Movement.objects.update(payment=paid)
    reconciliation.reconcile("paypal", at=later + timedelta(hours=6))
    assert open_differences() == []


def test_events_that_did_not_reach_us_are_fetched_and_reported(
    paypal: PayPal, paid: Payment, clock: Clock
) -> None:
    before = GatewayEvent.objects.count()
    paypal.webhooks(drop=True)
    paypal.control(f"payments/{paid.external_id}/dispute")
    clock.shift(minutes=20)
    tasks.compare_gateways()
    assert GatewayEvent.objects.count() == before + 1
    assert "events" in open_differences()
    clock.work()
    paid.refresh_from_db()
    assert paid.dispute == "open"
    tasks.compare_gateways()
    assert "events" not in open_differences()


def test_a_list_of_events_is_read_to_its_last_page(paypal: PayPal, paid: Payment) -> None:
    gateway = gateways.get("paypal")
    assert isinstance(gateway, PayPalGateway)
    begin = (datetime.now(UTC) - timedelta(days=400)).strftime("%Y-%m-%dT%H:%M:%SZ")
    asked = {"start_time": begin, "end_time": "2036-01-01T00:00:00Z", "page_size": 1}
    listed = [each["id"] for each in gateway._client.linked(EVENTS, "events", **asked)]
    assert listed == [each["id"] for each in paypal.simulator.log()["events"]]
    assert len(listed) >= 2
