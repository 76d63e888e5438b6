"""The basket takes what is on sale and nothing a browser makes up."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import Cart, CartLine, Customer, Subscription, User
from packages.models import Package, Price
from tests import world
from tests.clock import Clock
from tests.storefront.browsing import put_in
from tests.storefront.services import running_service

ADD = "storefront:cart_add"


def test_a_package_goes_in_once_and_out_again(client: Client, seeded: Clock) -> None:
    put_in(client)
    put_in(client)
    line = CartLine.objects.get()
    assert "€128.00" in client.get(reverse("storefront:cart")).content.decode()
    client.post(reverse("storefront:cart_remove"), {"line": line.pk})
    assert not CartLine.objects.exists()
    assert "Your cart is empty" in client.get(reverse("storefront:cart")).content.decode()


def test_a_set_up_fee_stands_among_the_amounts(client: Client, seeded: Clock) -> None:
    put_in(client)
    amounts = re.findall(
        r'class="basket__price">([^<]+)<', client.get(reverse("storefront:cart")).content.decode()
    )
    assert amounts == ["€79.00", "€49.00"]


def test_a_trial_says_what_it_costs_afterwards(client: Client, seeded: Clock) -> None:
    put_in(client, "message-reach")
    text = client.get(reverse("storefront:cart")).content.decode()
    assert "After the free days it costs €39.00 a month." in text


def test_a_made_up_price_and_quantity_change_nothing(client: Client, seeded: Clock) -> None:
    put_in(client, amount="1", amount_minor="1", quantity="-5", setup_minor="0")
    assert "€128.00" in client.get(reverse("storefront:cart")).content.decode()


@pytest.mark.parametrize("price", ["", "0", "-1", "1e3", "²", "9" * 30, "1 OR 1=1", "999999"])
def test_a_price_that_is_none_is_not_found(client: Client, seeded: Clock, price: str) -> None:
    assert client.post(reverse(ADD), {"price": price}).status_code == 404
    assert not Cart.objects.exists()


@pytest.mark.parametrize("line", ["", "x", "-1", "²", "9" * 30])
def test_removing_nonsense_removes_nothing(client: Client, seeded: Clock, line: str) -> None:
    put_in(client)
    assert client.post(reverse("storefront:cart_remove"), {"line": line}).status_code == 302
    assert CartLine.objects.count() == 1


def test_a_line_of_another_basket_stays(client: Client, seeded: Clock) -> None:
    put_in(client)
    line = CartLine.objects.get()
    other = Client()
    put_in(other, "starter")
    other.post(reverse("storefront:cart_remove"), {"line": line.pk})
    assert CartLine.objects.filter(pk=line.pk).exists()


@pytest.mark.parametrize("change", [{"visible": False}, {"archived": True}])
def test_a_hidden_package_cannot_be_ordered(
    client: Client, seeded: Clock, change: dict[str, bool]
) -> None:
    Package.objects.filter(slug="business").update(**change)
    assert put_in(client).status_code == 404
    assert not Cart.objects.exists()


def test_an_archived_price_cannot_be_ordered(client: Client, seeded: Clock) -> None:
    price = world.price("business")
    Price.objects.filter(pk=price.pk).update(archived=True)
    assert client.post(reverse(ADD), {"price": price.pk}).status_code == 404


def test_another_currency_empties_the_basket(client: Client, seeded: Clock) -> None:
    put_in(client)
    client.post(reverse(ADD), {"price": world.price("starter", currency="USD").pk})
    assert CartLine.objects.get().price.currency == "USD"


def test_a_top_up_goes_to_an_own_running_service(
    buyer: Client, ada: tuple[User, Customer], seeded: Clock
) -> None:
    service = running_service(ada[1], at=seeded.now())
    put_in(buyer, "credit-25", subscription=str(service.public_id))
    assert CartLine.objects.get().subscription == service
    page = buyer.get(reverse("storefront:package", args=["credit-25"])).content.decode()
    assert str(service.public_id) in page


def test_a_top_up_for_a_strangers_service_is_refused(
    stranger: Client, ada: tuple[User, Customer], seeded: Clock
) -> None:
    service = running_service(ada[1], at=seeded.now())
    put_in(stranger, "credit-25", subscription=str(service.public_id))
    assert not CartLine.objects.exists()
    page = stranger.get(reverse("storefront:package", args=["credit-25"])).content.decode()
    assert str(service.public_id) not in page


def test_a_top_up_without_a_service_is_refused(buyer: Client, seeded: Clock) -> None:
    put_in(buyer, "credit-25", subscription="nonsense")
    assert not CartLine.objects.exists()


def test_a_top_up_for_a_suspended_service_is_refused(
    buyer: Client, ada: tuple[User, Customer], seeded: Clock
) -> None:
    service = running_service(ada[1], at=seeded.now())
    Subscription.objects.filter(pk=service.pk).update(
        state=Subscription.State.SUSPENDED, next_invoice_on=None
    )
    put_in(buyer, "credit-25", subscription=str(service.public_id))
    assert not CartLine.objects.exists()
