"""A code and a quantity in the basket: what is typed is answered, and the summary follows."""

from django.test import Client
from django.urls import reverse

from billing.models import Cart, CartLine, Coupon, Invoice
from packages.models import Package
from tests.clock import Clock
from tests.storefront.browsing import Gateway, order, put_in

COUPON, QUANTITY = "/cart/coupon/", "/cart/quantities/"


def cart(client: Client) -> str:
    return client.get(reverse("storefront:cart")).content.decode()


def test_a_code_is_entered_refused_and_removed(client: Client, seeded: Clock) -> None:
    put_in(client)
    assert 'name="code"' in cart(client)
    answer = client.post(COUPON, {"code": "nonsense"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "We do not know this code." in page
    assert 'value="nonsense"' in page
    assert client.post(COUPON, {"code": " welcome10 "}).status_code == 302
    page = cart(client)
    assert "Discount code WELCOME10" in page
    assert "−€7.90" in page
    assert "€120.10" in page
    assert "lowers the first 3 invoices" in page
    client.post(COUPON, {"action": "remove"})
    assert Cart.objects.get().coupon is None
    assert "€128.00" in cart(client)


def test_a_code_that_ran_out_in_the_basket_is_said(client: Client, seeded: Clock) -> None:
    put_in(client)
    client.post(COUPON, {"code": "WELCOME10"})
    Coupon.objects.update(active=False)
    page = cart(client)
    assert "This code has expired. It takes nothing off." in page
    assert "€128.00" in page


def test_without_a_basket_no_code_is_kept(client: Client, seeded: Clock) -> None:
    assert client.post(COUPON, {"code": "WELCOME10"}).status_code == 302
    assert not Cart.objects.exists()


def test_the_order_costs_what_the_checkout_showed(buyer: Client, gateway: Gateway) -> None:
    Package.objects.filter(slug="business").update(max_quantity=4)
    put_in(buyer, quantity="2")
    buyer.post(COUPON, {"code": "WELCOME10"})
    page = buyer.get("/checkout/").content.decode()
    assert "2 × Business" in page
    assert "€191.20" in page
    assert order(buyer).status_code == 303
    assert Invoice.objects.get().total_minor == 191_20


def test_a_quantity_is_asked_only_where_it_is_allowed(client: Client, seeded: Clock) -> None:
    put_in(client, quantity="3")
    assert CartLine.objects.get().quantity == 1
    assert 'name="quantity"' not in cart(client)
    client.post(QUANTITY, {"line": CartLine.objects.get().pk, "quantity": "3"})
    assert CartLine.objects.get().quantity == 1
    Package.objects.filter(slug="business").update(max_quantity=4)
    assert 'name="quantity"' in cart(client)
    for typed, kept in (("3", 3), ("9", 4), ("0", 1), ("x", 1), ("-2", 1), ("9" * 30, 1)):
        client.post(QUANTITY, {"line": CartLine.objects.get().pk, "quantity": typed})
        assert CartLine.objects.get().quantity == kept
    client.post(QUANTITY, {"line": CartLine.objects.get().pk, "quantity": "2"})
    assert "€207.00" in cart(client)
