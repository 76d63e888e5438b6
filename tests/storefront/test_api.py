"""The API reads: the catalogue for everybody, an order for its owner; errors are problems."""

import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import Order
from packages.models import Package
from tests.clock import Clock
from tests.storefront.browsing import Gateway, order, put_in


def test_the_catalogue_is_public_and_needs_no_cookie(client: Client, seeded: Clock) -> None:
    Package.objects.filter(slug="scale").update(visible=False)
    with CaptureQueriesContext(connection) as caught:
        response = client.get("/api/packages/", headers={"accept-language": "de"})
    by_slug = {each["slug"]: each for each in response.json()["packages"]}
    assert "scale" not in by_slug
    assert by_slug["business"]["channels"] == 20
    monthly = {"currency": "EUR", "cycle": "monthly", "amount_minor": 79_00}
    assert any(monthly.items() <= price.items() for price in by_slug["business"]["prices"])
    assert not response.cookies
    assert len(caught) == 3


def test_an_own_order_says_where_it_stands(buyer: Client, gateway: Gateway) -> None:
    put_in(buyer)
    order(buyer)
    placed = Order.objects.get()
    answer = buyer.get(f"/api/orders/{placed.public_id}/").json()
    assert answer["stage"] == "confirming"
    assert (answer["total_minor"], answer["due_minor"]) == (128_00, 128_00)


@pytest.mark.parametrize("who", ["stranger", "visitor"])
def test_a_strangers_order_is_a_problem(
    buyer: Client, stranger: Client, gateway: Gateway, who: str
) -> None:
    put_in(buyer)
    order(buyer)
    browser, status = {"stranger": (stranger, 404), "visitor": (Client(), 403)}[who]
    response = browser.get(f"/api/orders/{Order.objects.get().public_id}/")
    assert response.status_code == response.json()["status"] == status
    assert response.headers["Content-Type"] == "application/problem+json"


def test_what_does_not_exist_is_a_problem(buyer: Client) -> None:
    response = buyer.get(f"/api/orders/{uuid.uuid4()}/")
    assert response.json()["title"] == "Not Found"


def test_a_write_is_refused_as_a_problem(buyer: Client) -> None:
    response = buyer.post("/api/packages/")
    assert response.json()["status"] == 405


def test_the_schema_describes_every_address(client: Client, seeded: Clock) -> None:
    text = client.get(reverse("storefront:api_schema")).content.decode()
    assert "/api/packages/" in text
    assert "/api/orders/{public_id}/" in text
