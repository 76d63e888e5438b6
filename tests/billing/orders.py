"""Orders for tests whose subject is the paper about them: invoices and mails."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from billing import carts, checkout
from billing.models import Brand, Cart, Customer, Order, Subscription, User
from packages.models import Price
from packages.money import Money
from packages.periods import business_day
from provisioning.models import Account
from tests import world

CONSENTS = {"terms": {"text": "I agree to the terms of Nordcast.", "version": "1", "at": "now"}}


def seeded(*, at: datetime) -> Brand:
    """Seed operator, catalogue and servers; nobody answers at the dialler's address."""
    world.settle_in("http://127.0.0.1:9", at=at)
    return world.brand()


def buyer(*, at: datetime, language: str = "en", **fields: Any) -> tuple[User, Customer]:
    user, customer = world.customer("ada@example.com", at=at)
    for name, value in {"language": language, **fields}.items():
        setattr(customer, name, value)
    customer.save()
    return user, customer


def place(user: User, customer: Customer, *slugs: str, at: datetime) -> Order:
    """Order the packages with these slugs, as the checkout does."""
    return place_prices(user, customer, *map(world.price, slugs), at=at)


def place_prices(
    user: User,
    customer: Customer,
    *prices: Price,
    at: datetime,
    subscription: Subscription | None = None,
) -> Order:
    """Order these prices, a top-up for the subscription."""
    cart = None
    for price in prices:
        cart = carts.add(cart, price, subscription=subscription, at=at)
    assert cart is not None
    return order(cart, user, customer, at=at)


def order(cart: Cart, user: User, customer: Customer, *, at: datetime, seen: str = "") -> Order:
    """Order what is in the basket, having seen what it costs."""
    brand, language = world.brand(), customer.language
    on = business_day(at, brand.zone)
    quoted = checkout.quote(cart, customer, brand, language=language, on=on)
    return checkout.place(
        cart,
        customer,
        brand,
        placed_by=user,
        language=language,
        consents=CONSENTS,
        seen=seen or quoted.fingerprint,
        on=on,
        at=at,
    )


def account_of(order: Order) -> Account:
    line = order.lines.select_related("subscription__account__server").first()
    assert line is not None
    assert line.subscription.account is not None
    return line.subscription.account


def euros(minor: int) -> Money:
    return Money(minor, "EUR")
