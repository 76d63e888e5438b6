"""From an anonymous visitor to a running account, and every way a payment's news can travel."""

from __future__ import annotations

from billing.models import GatewayEvent, Invoice, Mail, Order, Payment, Subscription
from provisioning.models import Account
from provisioning.simulator.simulator import Simulator
from tests.clock import Clock
from tests.processes import wait_until
from tests.story import ADDRESS, CONSENT, Customer, Gateway, everything_is_there_once


def event_stored(count: int = 1) -> bool:
    return GatewayEvent.objects.count() >= count


def test_a_visitor_buys_and_gets_a_running_account(
    customer: Customer, shop: Simulator, clock: Clock
) -> None:
    page = customer.buys("business")
    assert page.status == 200
    wait_until(event_stored, what="the webhook")
    clock.work()
    everything_is_there_once(shop)
    order = Order.objects.get()
    assert 'data-stage="ready"' in customer.browser.open(f"/orders/{order.public_id}/").text
    subscription = Subscription.objects.get()
    assert str(subscription.anchor_on) == "2026-03-02"
    assert str(subscription.paid_until) == "2026-04-02"
    invoice = Invoice.objects.get()
    assert (invoice.number, invoice.total_minor) == ("R-2026-0001", 128_00)
    assert (invoice.net_minor, invoice.tax_minor) == (107_56, 20_44)


def test_nothing_is_given_before_the_payment(
    customer: Customer, shop: Simulator, clock: Clock
) -> None:
    customer.registers()
    customer.chooses("business")
    customer.orders()
    clock.pass_by(minutes=10)
    assert not Account.objects.exists()
    assert shop.accounts() == []
    assert Subscription.objects.get().state == Subscription.State.PENDING


def test_the_browser_returns_before_the_webhook(
    customer: Customer, gateway: Gateway, shop: Simulator, clock: Clock
) -> None:
    gateway.webhooks(hold=True)
    customer.buys("business")
    clock.work()
    everything_is_there_once(shop)
    gateway.webhooks(release="as_is")
    wait_until(event_stored, what="the late webhook")
    clock.work()
    everything_is_there_once(shop)


def test_the_webhook_comes_before_the_browser_returns(
    customer: Customer, gateway: Gateway, shop: Simulator, clock: Clock
) -> None:
    customer.registers()
    customer.chooses("business")
    customer.orders()
    gateway.pays(Payment.objects.get())
    wait_until(event_stored, what="the webhook")
    clock.work()
    everything_is_there_once(shop)
    payment = Payment.objects.get()
    assert customer.browser.open(f"/payments/{payment.public_id}/").status == 200
    clock.work()
    everything_is_there_once(shop)


def test_a_webhook_that_is_never_sent_is_replaced_by_the_sweep(
    customer: Customer, gateway: Gateway, shop: Simulator, clock: Clock
) -> None:
    gateway.webhooks(drop=True)
    customer.registers()
    customer.chooses("business")
    customer.orders()
    gateway.pays(Payment.objects.get())
    clock.pass_by(minutes=3)
    assert not GatewayEvent.objects.exists()
    everything_is_there_once(shop)


def test_the_gateways_answer_is_lost_when_the_payment_begins(
    customer: Customer, gateway: Gateway, shop: Simulator, clock: Clock
) -> None:
    """The payment exists there, we do not know its id; our key finds it."""
    gateway.webhooks(drop=True)
    gateway.misbehaves("/v1/payments", times=1, apply="yes", answer="500")
    customer.registers()
    customer.chooses("business")
    page = customer.orders()
    assert "failed" not in page.text.lower()
    payment = Payment.objects.get()
    assert payment.external_id is None
    (known,) = gateway.simulator.log()["payments"]
    gateway.control(f"payments/{known['id']}/pay", outcome="succeeded")
    clock.pass_by(minutes=3)
    everything_is_there_once(shop)


def test_a_declined_card_can_be_replaced_on_the_spot(
    customer: Customer, shop: Simulator, clock: Clock
) -> None:
    customer.registers()
    customer.chooses("business")
    page = customer.pays(customer.orders(), card="4000000000000002")
    assert not shop.accounts()
    customer.pays(page)
    wait_until(event_stored, what="the webhook")
    clock.work()
    everything_is_there_once(shop)


def test_two_tabs_make_one_order_and_one_payment(
    customer: Customer, shop: Simulator, clock: Clock
) -> None:
    customer.registers()
    customer.chooses("business")
    first = customer.browser.open("/checkout/")
    second = customer.browser.open("/checkout/")
    values = {**ADDRESS, **CONSENT, "gateway": "simulated"}
    pages = [
        customer.browser.submit(tab, "gateway", values, button="order") for tab in (first, second)
    ]
    for page in pages:
        if any("card_number" in form.fields for form in page.forms):
            customer.pays(page)
    assert Order.objects.count() == 1
    assert Payment.objects.count() == 1
    wait_until(event_stored, what="the webhook")
    clock.work()
    everything_is_there_once(shop)


def test_a_top_up_reaches_the_account_once(
    customer: Customer, shop: Simulator, clock: Clock
) -> None:
    customer.buys("business")
    clock.work()
    subscription = Subscription.objects.get()
    page = customer.browser.open(f"/account/services/{subscription.public_id}/")
    offers = [form for form in page.forms if "subscription" in form.fields]
    customer.browser.send(page, offers[0])
    customer.pays(customer.orders())
    clock.work()
    (remote,) = shop.accounts()
    assert remote["balance"] == "45.0000"
    assert [effect["amount"] for effect in shop.effects("credit")] == ["20.00", "25.00"]
    assert Mail.objects.filter(template="topped_up").count() == 1


def test_a_bank_transfer_waits_for_staff(customer: Customer, shop: Simulator, clock: Clock) -> None:
    customer.registers()
    customer.chooses("starter")
    page = customer.orders(gateway="bank_transfer")
    invoice = Invoice.objects.get()
    assert str(invoice.number) in page.text
    clock.pass_by(minutes=5)
    assert shop.accounts() == []
