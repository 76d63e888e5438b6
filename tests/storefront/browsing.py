"""What tests of the shop do in it, as HTTP: fill the basket, order, pay at the gateway."""

import re
from dataclasses import dataclass
from typing import Any

import requests
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from billing.gateways.simulator import GatewaySimulator
from tests import world

CHECKOUT = {
    "kind": "private",
    "name": "Ada Muster",
    "street": "Musterweg 1",
    "postcode": "20095",
    "city": "Hamburg",
    "country": "DE",
    "gateway": "simulated",
    "terms": "on",
    "early_start": "on",
    "action": "order",
}


@dataclass
class Gateway:
    """The gateway's side: its pages, its faults and its own truth."""

    simulator: GatewaySimulator

    def press(self, page: str, action: str = "pay", card: str = "4242 4242 4242 4242") -> str:
        """Press a button of the payment page and return where it sends the customer."""
        form = {"action": action, "card_number": card}
        answer = requests.post(page, data=form, timeout=5, allow_redirects=False)
        assert answer.status_code == 303
        return answer.headers["Location"]

    def fault(self, path: str, answer: str, *, apply: str = "no", times: int = 1) -> None:
        faults = [{"path": path, "answer": answer, "apply": apply, "times": times}]
        told = requests.post(f"{self.simulator.url}/_sim/faults", json=faults, timeout=5)
        assert told.status_code == 200, told.text

    def reading_fails(self) -> None:
        """Make the next reading of a payment fail."""
        fault = {"method": "GET", "path": "/v1/payments/*", "answer": "500", "times": 1}
        told = requests.post(f"{self.simulator.url}/_sim/faults", json=[fault], timeout=5)
        assert told.status_code == 200, told.text

    def payments(self) -> list[dict[str, Any]]:
        return list(self.simulator.log()["payments"])


def put_in(client: Client, slug: str = "business", **more: str) -> HttpResponse:
    price = world.price(slug)
    return _post(client, reverse("storefront:cart_add"), {"price": price.pk, **more})


def seen(client: Client, **typed: str) -> str:
    """Return what the checkout shows for what is typed, as the hidden field names it."""
    page = client.post(reverse("storefront:checkout"), {**CHECKOUT, **typed, "action": "update"})
    found = re.search(r'name="seen" value="([^"]+)"', page.content.decode())
    assert found is not None
    return found[1]


def order(client: Client, **typed: str) -> HttpResponse:
    """Order what is in the basket, having read what it costs."""
    form = {**CHECKOUT, "seen": seen(client, **typed), **typed}
    return _post(client, reverse("storefront:checkout"), form)


def path_of(address: str) -> str:
    """Return the path of an address of the shop."""
    return re.sub(r"^https?://[^/]+", "", address)


def _post(client: Client, address: str, form: dict[str, Any]) -> HttpResponse:
    answer = client.post(address, form)
    assert isinstance(answer, HttpResponse)
    return answer
