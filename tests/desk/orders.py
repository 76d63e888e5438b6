"""Orders without a browser, for tests whose subject is the desk."""

from __future__ import annotations

from datetime import datetime

from billing import carts, checkout
from billing.models import Order, OrderLine
from packages.periods import business_day
from provisioning.models import Account
from tests import world
from tests.payments import pay

ADA = "ada@example.com"


def placed(slug: str, *, at: datetime, email: str = ADA, cycle: str = "") -> Order:
    """Order a package; its invoice is open."""
    user, buyer = world.customer(email, at=at)
    brand = world.brand()
    cart = carts.add(None, world.price(slug, cycle=cycle), subscription=None, at=at)
    on = business_day(at, brand.zone)
    seen = checkout.quote(cart, buyer, brand, language="en", on=on).fingerprint
    return checkout.place(
        cart,
        buyer,
        brand,
        placed_by=user,
        language="en",
        consents={"terms": {"text": "I agree to the terms.", "version": "1"}},
        seen=seen,
        on=on,
        at=at,
    )


def ordered(slug: str, *, at: datetime, email: str = ADA, cycle: str = "") -> Account:
    """Order a package and pay for it; its account is planned and its jobs wait."""
    order = placed(slug, at=at, email=email, cycle=cycle)
    pay(order.invoice, at=at)
    account = OrderLine.objects.get(order=order).subscription.account
    assert account is not None
    return account
