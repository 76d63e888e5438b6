"""From the gateway back to the shop: the order's page says what is true, and only to its owner."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing import girocode
from billing.models import Invoice, Order, Payment
from provisioning.models import Account, Job
from tests.storefront.browsing import Gateway, order, path_of, put_in

DECLINED = "4000 0000 0000 0002"
SLOW = "4000 0000 0000 0077"


@pytest.fixture
def placed(buyer: Client, gateway: Gateway) -> Order:
    """An order whose payment was begun at the gateway and is not finished."""
    put_in(buyer)
    order(buyer)
    return Order.objects.get()


def payment_page() -> str:
    return Payment.objects.latest("id").redirect_url


def come_back(buyer: Client, address: str) -> str:
    """Follow the gateway's redirect to the order's page and return what it says."""
    answer = buyer.get(path_of(address), follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def page_of(buyer: Client, placed: Order) -> str:
    answer = buyer.get(reverse("storefront:order", args=[placed.public_id]))
    return str(answer.content.decode())


def test_coming_back_after_paying_shows_that_it_is_paid(
    buyer: Client, placed: Order, gateway: Gateway
) -> None:
    text = come_back(buyer, gateway.press(payment_page()))
    assert "Paid. Your service is being set up" in text
    assert Invoice.objects.get().state == Invoice.State.PAID


def test_coming_back_twice_pays_once(buyer: Client, placed: Order, gateway: Gateway) -> None:
    back = gateway.press(payment_page())
    come_back(buyer, back)
    come_back(buyer, back)
    assert Payment.objects.get().state == Payment.State.SUCCEEDED
    assert Job.objects.filter(kind=Job.Kind.CREATE).count() == 1


def test_a_payment_that_is_still_confirmed_is_called_so(
    buyer: Client, placed: Order, gateway: Gateway
) -> None:
    text = come_back(buyer, gateway.press(payment_page(), card=SLOW))
    assert "Your payment is being confirmed" in text
    assert "hx-get" in text
    assert "I have not paid yet" not in text
    assert "failed" not in text


def test_a_silent_gateway_is_never_called_a_failure(
    buyer: Client, placed: Order, gateway: Gateway
) -> None:
    back = gateway.press(payment_page())
    gateway.reading_fails()
    text = come_back(buyer, back)
    assert "Your payment is being confirmed" in text
    assert "did not go through" not in text
    assert "Paid. Your service is being set up" in come_back(buyer, back)


def test_a_gateway_that_is_silent_from_the_start_loses_nothing(
    buyer: Client, gateway: Gateway
) -> None:
    put_in(buyer)
    gateway.fault("/v1/payments", "500", apply="yes")
    response = order(buyer)
    placed = Order.objects.get()
    assert response.headers["Location"] == reverse("storefront:order", args=[placed.public_id])
    text = page_of(buyer, placed)
    assert "Your payment is being confirmed" in text
    assert "did not go through" not in text
    again = buyer.post(
        reverse("storefront:pay", args=[placed.invoice.public_id]), {"gateway": "simulated"}
    )
    assert again.headers["Location"] == payment_page()
    assert Payment.objects.count() == len(gateway.payments()) == 1


def test_a_declined_payment_says_why_and_can_be_tried_again(
    buyer: Client, placed: Order, gateway: Gateway
) -> None:
    text = come_back(buyer, gateway.press(payment_page(), action="decline"))
    assert "The payment did not go through" in text
    assert "No money was taken" in text
    again = buyer.post(
        reverse("storefront:pay", args=[placed.invoice.public_id]), {"gateway": "simulated"}
    )
    assert again.status_code == 303
    assert "being set up" in come_back(buyer, gateway.press(payment_page()))
    assert Payment.objects.filter(state=Payment.State.SUCCEEDED).count() == 1


def test_leaving_the_payment_page_is_no_decline(
    buyer: Client, placed: Order, gateway: Gateway
) -> None:
    text = come_back(buyer, gateway.press(payment_page(), action="cancel"))
    assert "The payment was cancelled before it was completed" in text
    assert "Try again and pay €128.00" in text


def test_coming_back_without_paying_leaves_the_way_to_the_payment_page(
    buyer: Client, placed: Order
) -> None:
    text = come_back(buyer, reverse("storefront:pay", args=[placed.invoice.public_id]))
    assert "I have not paid yet" in text


def test_paying_twice_at_once_is_one_payment(
    buyer: Client, placed: Order, gateway: Gateway
) -> None:
    address = reverse("storefront:pay", args=[placed.invoice.public_id])
    first = buyer.post(address, {"gateway": "simulated"})
    second = buyer.post(address, {"gateway": "simulated"})
    assert first.headers["Location"] == second.headers["Location"] == payment_page()
    assert len(gateway.payments()) == 1


def test_a_paid_invoice_is_not_paid_again(buyer: Client, placed: Order, gateway: Gateway) -> None:
    come_back(buyer, gateway.press(payment_page()))
    address = reverse("storefront:pay", args=[placed.invoice.public_id])
    response = buyer.post(address, {"gateway": "simulated"}, follow=True)
    assert "This is paid already" in response.content.decode()
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("code", ["", "paypal", "../simulated"])
def test_an_unknown_gateway_starts_nothing(buyer: Client, placed: Order, code: str) -> None:
    address = reverse("storefront:pay", args=[placed.invoice.public_id])
    response = buyer.post(address, {"gateway": code}, follow=True)
    assert "Please choose a payment method" in response.content.decode()
    assert Payment.objects.count() == 1


def test_a_transfer_shows_account_reference_and_amount(buyer: Client, gateway: Gateway) -> None:
    put_in(buyer)
    order(buyer, gateway="bank_transfer")
    placed = Order.objects.get()
    text = page_of(buyer, placed)
    for fact in ("Please transfer €128.00", "DE02 1203 0000 0000 2020 51", placed.invoice.number):
        assert str(fact) in text
    assert gateway.payments() == []


def test_a_transfer_has_a_code_for_banking_apps_on_the_orders_and_the_invoices_page(
    buyer: Client, gateway: Gateway
) -> None:
    put_in(buyer)
    order(buyer, gateway="bank_transfer")
    invoice = Order.objects.get().invoice
    drawn = girocode.svg(girocode.of(invoice))
    assert "EUR128.00" in girocode.of(invoice)
    follows = reverse("storefront:order", args=[Order.objects.get().public_id])
    for page in (follows, reverse("storefront:invoice", args=[invoice.public_id])):
        html = buyer.get(page).content.decode()
        assert drawn in html
        assert str(invoice.number) in html


def test_a_transfer_can_be_changed_to_a_card(buyer: Client, gateway: Gateway) -> None:
    put_in(buyer)
    order(buyer, gateway="bank_transfer")
    invoice = Invoice.objects.get()
    buyer.post(reverse("storefront:pay", args=[invoice.public_id]), {"gateway": "simulated"})
    assert "being set up" in come_back(buyer, gateway.press(payment_page()))


def test_the_page_follows_the_set_up_to_the_end(
    buyer: Client, placed: Order, gateway: Gateway
) -> None:
    come_back(buyer, gateway.press(payment_page()))
    status = reverse("storefront:order_status", args=[placed.public_id])
    assert buyer.get(status, {"stage": "setting_up"}).status_code == 204
    Job.objects.update(state=Job.State.PARKED)
    assert "takes longer than usual" in buyer.get(status, {"stage": "setting_up"}).content.decode()
    Job.objects.update(state=Job.State.DONE)
    Account.objects.update(state=Account.State.LIVE)
    text = buyer.get(status, {"stage": "setting_up"}).content.decode()
    assert "Your service is ready" in text
    assert "hx-get" not in text


def test_nobody_is_told_to_wait_for_a_cancelled_order(buyer: Client, placed: Order) -> None:
    Order.objects.update(state=Order.State.CANCELLED)
    text = page_of(buyer, placed)
    assert "This order was cancelled" in text
    assert "#why-amount" not in text, "It gives no reasons for a sum that nobody owes."


@pytest.mark.parametrize("name", ["order", "order_status", "payment", "pay", "invoice"])
def test_a_strangers_rows_are_not_found(
    stranger: Client, client: Client, placed: Order, name: str
) -> None:
    own: dict[str, Any] = {
        "order": placed,
        "order_status": placed,
        "payment": Payment.objects.get(),
    }
    row = own.get(name, placed.invoice)
    address = reverse(f"storefront:{name}", args=[row.public_id])
    missing = reverse(f"storefront:{name}", args=[uuid.uuid4()])
    assert stranger.get(address).status_code == stranger.get(missing).status_code == 404
    visitor = Client().get(address)
    assert visitor.headers["Location"].startswith(reverse("account_login"))


def test_a_stranger_cannot_pay_for_somebody(stranger: Client, placed: Order) -> None:
    address = reverse("storefront:pay", args=[placed.invoice.public_id])
    assert stranger.post(address, {"gateway": "bank_transfer"}).status_code == 404
    assert Payment.objects.get().gateway == "simulated"


def test_pages_about_money_are_not_kept_by_anybody(buyer: Client, placed: Order) -> None:
    for address in (
        reverse("storefront:cart"),
        reverse("storefront:order", args=[placed.public_id]),
    ):
        assert "no-store" in buyer.get(address).headers["Cache-Control"]
