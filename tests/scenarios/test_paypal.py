"""PayPal over HTTP: the shop, its browser, the stand-in, and its signed webhooks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from billing import events, methods, payment_checks, payments, tasks
from billing.models import (
    GatewayEvent,
    Invoice,
    Order,
    Payment,
    PaymentMethod,
    Refund,
)
from provisioning.simulator.simulator import Simulator
from storefront.walkthrough.browser import Page
from tests import payments as pay
from tests.billing import renewing
from tests.clock import Clock
from tests.guards.connections import together
from tests.paypals import PayPal
from tests.processes import wait_until
from tests.story import Customer, everything_is_there_once


@pytest.fixture
def buyer(site: str, paypal: PayPal) -> Customer:
    customer = Customer(site)
    customer.registers()
    customer.chooses("business")
    return customer


def approves(buyer: Customer, page: Page, source: str = "balance") -> Page:
    """Press "pay" on PayPal's page and come back to the shop."""
    return buyer.browser.submit(page, "source", {"source": source}, button="action")


def waiting() -> bool:
    return GatewayEvent.objects.filter(state=GatewayEvent.State.RECEIVED).exists()


def test_a_purchase_is_captured_once_however_its_events_arrive(
    buyer: Customer, paypal: PayPal, shop: Simulator, clock: Clock
) -> None:
    paypal.webhooks(duplicates=2, hold=True)
    page = approves(buyer, buyer.orders(gateway="paypal"))
    # Coming back has taken the money; the events only say the same.
    assert "is being set up" in page.text
    paypal.webhooks(release="shuffled")
    wait_until(lambda: len(paypal.answers()) >= 6, what="all deliveries")
    assert set(paypal.answers()) == {200}
    clock.work()
    everything_is_there_once(shop)
    assert not waiting()
    assert paypal.captured() == ["128.00"]


def test_a_customer_who_does_not_come_back_is_served_by_the_webhook_or_the_sweep(
    buyer: Customer, paypal: PayPal, shop: Simulator, clock: Clock
) -> None:
    buyer.orders(gateway="paypal")
    paypal.webhooks(drop=True)
    paypal.control(f"payments/{Payment.objects.get().external_id}/pay")
    assert paypal.captured() == []
    clock.pass_by(minutes=3)
    everything_is_there_once(shop)
    assert paypal.captured() == ["128.00"]


def test_webhook_return_page_and_sweep_at_once_capture_once(
    buyer: Customer, paypal: PayPal, shop: Simulator, clock: Clock
) -> None:
    paypal.webhooks(hold=True)
    buyer.orders(gateway="paypal")
    payment = Payment.objects.get()
    paypal.control(f"payments/{payment.external_id}/pay")
    paypal.webhooks(release="as_is")
    wait_until(GatewayEvent.objects.exists, what="the webhook")
    stored, at = GatewayEvent.objects.get(), clock.now()
    actors: list[Callable[[], object]] = [
        lambda: events.process(stored.pk, at=at),
        lambda: payment_checks.check(payment, at=at, actor="test:return"),
        lambda: payment_checks.check(payment, at=at, actor="test:sweep"),
        lambda: buyer.browser.open(f"/payments/{payment.public_id}/"),
    ]
    found = together(lambda index: actors[index](), len(actors))
    assert [each for each in found if isinstance(each, Exception)] == []
    wait_until(lambda: len(paypal.answers()) >= 2, what="the webhook of the capture")
    clock.pass_by(minutes=3)
    everything_is_there_once(shop)
    assert not waiting()
    assert paypal.captured() == ["128.00"]


def test_two_tabs_that_pay_at_once_open_one_order_and_capture_once(
    buyer: Customer, paypal: PayPal, shop: Simulator, clock: Clock
) -> None:
    page = buyer.orders(gateway="paypal")
    invoice, at = Invoice.objects.get(), clock.now()

    def begin(_: int) -> str:
        return payments.start(
            invoice, "paypal", return_url="http://shop/", at=at, actor="test"
        ).redirect_url

    assert set(together(begin, 4)) == {Payment.objects.get().redirect_url}
    assert len(paypal.simulator["order"]) == 1
    approves(buyer, page)
    clock.work()
    everything_is_there_once(shop)
    assert paypal.captured() == ["128.00"]


def test_an_approved_order_takes_no_money_once_the_invoice_is_paid_otherwise(
    buyer: Customer, paypal: PayPal, shop: Simulator, clock: Clock
) -> None:
    buyer.orders(gateway="paypal")
    begun = Payment.objects.get()
    paypal.webhooks(hold=True)
    paypal.control(f"payments/{begun.external_id}/pay")
    pay.pay(Invoice.objects.get(), at=clock.now())
    paypal.webhooks(release="as_is")
    wait_until(lambda: bool(paypal.answers()), what="the webhook")
    clock.pass_by(minutes=3)
    begun.refresh_from_db()
    assert begun.state == Payment.State.CANCELLED
    assert paypal.captured() == []


def test_a_decline_gives_the_reason_and_paying_again_captures_once(
    buyer: Customer, paypal: PayPal, shop: Simulator, clock: Clock
) -> None:
    paypal.webhooks(drop=True)
    page = buyer.orders(gateway="paypal")
    back = approves(buyer, page, "declined")
    assert "declined this payment without a reason" in back.text
    approves(buyer, page)
    clock.pass_by(minutes=1)
    everything_is_there_once(shop)
    assert len(paypal.captured()) == 1


def test_a_lost_capture_is_being_confirmed_and_read_afterwards(
    buyer: Customer, paypal: PayPal, shop: Simulator, clock: Clock
) -> None:
    paypal.webhooks(drop=True)
    page = buyer.orders(gateway="paypal")
    paypal.misbehaves("/v2/checkout/orders/*/capture", apply="yes", answer="reset")
    back = approves(buyer, page)
    assert "did not go through" not in back.text
    clock.pass_by(minutes=2)
    everything_is_there_once(shop)
    assert paypal.captured() == ["128.00"]


def test_a_kept_account_is_charged_for_renewals_and_nothing_lost_is_told_too_early(
    buyer: Customer, paypal: PayPal, shop: Simulator, clock: Clock
) -> None:
    approves(buyer, buyer.orders(gateway="paypal", keep_method="on"))
    clock.work()
    method = PaymentMethod.objects.get()
    assert (str(method), method.kind, method.is_default) == ("PayPal", "paypal", True)
    # The first renewal's answer is lost; reading finds what became of it.
    paypal.webhooks(drop=True)
    paypal.misbehaves("/v2/checkout/orders", apply="yes", answer="500")
    clock.live(days=31)
    clock.pass_by(minutes=5)
    assert renewing.renewals()[0].state == Invoice.State.PAID
    assert len(paypal.captured()) == 2

    # The second charge never arrives; for three hours PayPal's list might only be late.
    paypal.misbehaves("/v2/checkout/orders", apply="no", answer="500")
    clock.live(days=30)
    charge = renewing.renewals()[1].payments.get()
    clock.advance(hours=3)
    charge.refresh_from_db()
    assert charge.state == Payment.State.PROCESSING
    clock.advance(hours=1)
    charge.refresh_from_db()
    assert charge.state == Payment.State.FAILED
    assert len(paypal.captured()) == 2


@pytest.mark.parametrize("told", [True, False], ids=["by its event", "by the comparison"])
def test_a_method_that_paypal_keeps_after_the_payment_is_kept_here_and_stays_removed(
    buyer: Customer, paypal: PayPal, shop: Simulator, clock: Clock, told: bool
) -> None:
    paypal.control("vault", late=True)
    paypal.webhooks(hold=told, drop=not told)
    approves(buyer, buyer.orders(gateway="paypal", keep_method="on"))
    assert Payment.objects.get().state == Payment.State.SUCCEEDED
    assert not PaymentMethod.objects.exists()
    wait_until(lambda: bool(paypal.simulator["token"]), what="the vault")
    if told:
        paypal.webhooks(release="as_is")
        wait_until(lambda: len(paypal.answers()) >= 3, what="the webhooks")
        clock.work()
    else:
        tasks.compare_gateways()
    method = PaymentMethod.objects.get()
    assert (method.is_default, bool(method.consent)) == (True, True)
    methods.remove(method, reason="wished", at=clock.now(), actor="test")
    tasks.compare_gateways()
    tasks.sweep_methods()
    method.refresh_from_db()
    assert (method.state, method.forgotten_at is not None) == ("removed", True)
    assert [each["gone"] for each in paypal.simulator["token"]] == [True]


def test_refunds_and_disputes_at_paypal_are_known_here(
    buyer: Customer, paypal: PayPal, shop: Simulator, clock: Clock
) -> None:
    approves(buyer, buyer.orders(gateway="paypal"))
    clock.work()
    payment = Payment.objects.get()
    dispute = f"payments/{payment.external_id}/dispute"
    paypal.control(dispute)
    wait_until(
        lambda: GatewayEvent.objects.filter(kind="CUSTOMER.DISPUTE.CREATED").exists(),
        what="the dispute",
    )
    clock.work()
    payment.refresh_from_db()
    assert payment.disputed_at is not None
    event = GatewayEvent.objects.get(kind="CUSTOMER.DISPUTE.CREATED")
    assert event.state == GatewayEvent.State.PARKED
    paypal.control(f"payments/{payment.external_id}/refund", value="8.00")
    wait_until(
        lambda: GatewayEvent.objects.filter(kind="PAYMENT.CAPTURE.REFUNDED").exists(),
        what="the refund",
    )
    clock.work()
    # No credit note says yet what it is for, so it waits for staff.
    refunded = GatewayEvent.objects.get(kind="PAYMENT.CAPTURE.REFUNDED")
    assert (refunded.state, "credit the invoice" in refunded.note) == ("parked", True)
    assert not Refund.objects.exists()
    assert payment_checks.look_up(payment) is not None
    assert Order.objects.get().state == Order.State.FULFILLED
