"""What the basket holds may have left the shop since: then nothing is ordered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import transaction

from billing import carts, checkout, invariants, locks, subscriptions
from billing.models import Cart, Invoice, Order, Subscription
from packages.models import Package, Price
from packages.periods import business_day
from provisioning.models import Job
from provisioning.simulator.simulator import Simulator
from tests import world
from tests.billing import orders
from tests.clock import Clock
from tests.provisioning.conftest import ordered


def archive_package(price: Price, subscription: Subscription, at: datetime) -> None:
    Package.objects.filter(pk=price.package_id).update(archived=True)


def archive_price(price: Price, subscription: Subscription, at: datetime) -> None:
    Price.objects.filter(pk=price.pk).update(archived=True)


def end_service(price: Price, subscription: Subscription, at: datetime) -> None:
    with transaction.atomic():
        held = locks.take(subscriptions=[subscription.pk]).subscriptions[subscription.pk]
        subscriptions.end(held, cause="test", reason="cancelled", at=at, actor="staff:1")


@pytest.mark.parametrize("happens", [archive_package, archive_price, end_service])
def test_what_is_not_for_sale_any_more_is_not_ordered(
    shop: Simulator, clock: Clock, happens: Callable[[Price, Subscription, datetime], None]
) -> None:
    at = clock.now()
    subscription = ordered("business", at=at).subscription
    clock.work()
    buyer, brand = subscription.customer, world.brand()
    price = world.price("credit-25")
    cart = carts.add(None, price, subscription=subscription, at=at)
    on = business_day(at, brand.zone)
    seen = checkout.quote(cart, buyer, brand, language="en", on=on).fingerprint
    happens(price, subscription, at)
    before = counts()
    with pytest.raises(carts.NotForSale):
        checkout.place(
            cart,
            buyer,
            brand,
            placed_by=buyer.users.get(),
            language="en",
            consents={},
            seen=seen,
            on=on,
            at=at,
        )
    assert counts() == before


def counts() -> tuple[int, int, int, int]:
    return (
        Order.objects.count(),
        Invoice.objects.count(),
        Job.objects.count(),
        Cart.objects.count(),
    )


def test_two_orders_whose_numbers_were_drawn_the_other_way_round_violate_nothing(
    shop: Simulator, clock: Clock
) -> None:
    """Each reads the clock at its door; which of them draws its number first is chance."""
    at = clock.now()
    user, buyer = world.customer("b@example.com", at=at)
    for asked_at in (at + timedelta(milliseconds=900), at):
        orders.place(user, buyer, "business", at=asked_at)
    drawn = list(Invoice.objects.order_by("sequence").values_list("issued_at", flat=True))
    assert drawn == [at + timedelta(milliseconds=900), at]
    assert invariants.violations() == []
