"""Orders for accounts, and what others do at the dialler."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import requests
from django.db import transaction
from django.db.models.signals import post_save

from billing import carts, checkout
from billing.models import Customer, OrderLine, Subscription, User
from packages.models import Price
from packages.periods import business_day
from provisioning.models import Account, Attempt
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


def opened(account: Account, clock: Clock) -> Account:
    """Return the account as soon as it lives at the dialler.

    On a machine that stalls for long a call becomes unknown, and is looked into later.
    """
    for _ in range(20):
        clock.work()
        account.refresh_from_db()
        if account.state == Account.State.LIVE:
            return account
        clock.shift(minutes=1)
    raise AssertionError(f"the account is {account.state}")


def add_stranger(dialler: Simulator, username: str, *, email: str = "stranger@example.com") -> None:
    """Let the operator add an account of that name by hand."""
    endpoint = f"{dialler.base_url('current')}/Client_Create"
    client = {"username": username, "password": "Secret-123", "email": email}
    login = {"username": "admin", "password": world.SIMULATOR_PASSWORD}
    answer = requests.post(endpoint, data={**login, "client": json.dumps(client)}, timeout=5)
    assert answer.json()[0] is True


@contextmanager
def after_each_attempt(act: Callable[[Attempt], None]) -> Iterator[None]:
    """Act when an attempt has been written down and committed, before its first byte leaves."""

    def noted(instance: Attempt, created: bool, **_: Any) -> None:
        if created:
            transaction.on_commit(lambda: act(instance))

    post_save.connect(noted, sender=Attempt)
    try:
        yield
    finally:
        post_save.disconnect(noted, sender=Attempt)


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
