"""A planned account with its three jobs waiting: create, limits, 20.00 EUR of credit."""

from __future__ import annotations

from datetime import datetime

import pytest

from billing import carts, checkout
from billing.models import Customer, OrderLine, Subscription, User
from packages.models import Price
from packages.periods import business_day
from provisioning.models import Account
from provisioning.simulator.simulator import Simulator
from tests import world
from tests.clock import Clock
from tests.payments import pay


def ordered(slug: str, *, at: datetime, email: str = "ada@example.com") -> Account:
    """Order a package, pay its invoice by a confirmed bank transfer, return the planned account."""
    user, buyer = world.customer(email, at=at)
    account = _paid(world.price(slug), None, user, buyer, at=at).subscription.account
    assert account is not None
    return account


def topped_up(account: Account, *, at: datetime) -> OrderLine:
    """Order credit of 25.00 for the account and pay it; the job for it then waits."""
    subscription = account.subscription
    user = subscription.customer.users.get()
    price = world.price("credit-25")
    return _paid(price, subscription, user, subscription.customer, at=at)


def _paid(
    price: Price,
    subscription: Subscription | None,
    user: User,
    buyer: Customer,
    *,
    at: datetime,
) -> OrderLine:
    brand = world.brand()
    cart = carts.add(None, price, subscription=subscription, at=at)
    on = business_day(at, brand.zone)
    seen = checkout.quote(cart, buyer, brand, language="en", on=on).fingerprint
    order = checkout.place(
        cart, buyer, brand, placed_by=user, language="en", consents={}, seen=seen, on=on, at=at
    )
    pay(order.invoice, at=at)
    return OrderLine.objects.get(order=order)


@pytest.fixture
def account(shop: Simulator, clock: Clock) -> Account:
    return ordered("business", at=clock.now())
