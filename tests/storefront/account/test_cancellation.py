"""The service's page: the next invoice's day, and cancelling or taking that back."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from billing.models import Customer, Subscription, User
from tests.clock import Clock
from tests.storefront.services import running_service


def post(client: Client, name: str, subscription: Subscription) -> int:
    return client.post(reverse(f"storefront:{name}", args=[subscription.public_id])).status_code


def page(client: Client, subscription: Subscription) -> str:
    address = reverse("storefront:service", args=[subscription.public_id])
    return client.get(address).content.decode()


def test_a_customer_cancels_and_withdraws(
    buyer: Client, ada: tuple[User, Customer], seeded: Clock
) -> None:
    subscription = running_service(ada[1], at=seeded.now())
    assert "Cancel this service" in page(buyer, subscription)
    assert "26 March 2026" in page(buyer, subscription)
    assert post(buyer, "service_cancel", subscription) == 302
    subscription.refresh_from_db()
    assert str(subscription.ends_on) == "2026-04-02"
    text = page(buyer, subscription)
    assert "This service is cancelled and ends on 2 April 2026" in text
    assert "Cancel this service" not in text
    assert "Next invoice" not in text
    assert post(buyer, "service_withdraw", subscription) == 302
    subscription.refresh_from_db()
    assert subscription.ends_on is None
    assert "Cancel this service" in page(buyer, subscription)


def test_a_stranger_cancels_nothing(
    stranger: Client, ada: tuple[User, Customer], seeded: Clock
) -> None:
    subscription = running_service(ada[1], at=seeded.now())
    assert post(stranger, "service_cancel", subscription) == 404
    assert post(stranger, "service_withdraw", subscription) == 404
    subscription.refresh_from_db()
    assert subscription.ends_on is None


def test_a_link_alone_cancels_nothing(
    buyer: Client, ada: tuple[User, Customer], seeded: Clock
) -> None:
    subscription = running_service(ada[1], at=seeded.now())
    address = reverse("storefront:service_cancel", args=[subscription.public_id])
    assert buyer.get(address).status_code == 405
    subscription.refresh_from_db()
    assert subscription.ends_on is None


def test_pay_as_you_go_offers_no_cancellation(
    buyer: Client, ada: tuple[User, Customer], seeded: Clock
) -> None:
    subscription = running_service(ada[1], at=seeded.now(), slug="flex")
    assert "Cancel this service" not in page(buyer, subscription)
    post(buyer, "service_cancel", subscription)
    subscription.refresh_from_db()
    assert subscription.ends_on is None
