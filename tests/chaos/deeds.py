"""The six operations, each brought to the moment at which the product has to do it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.test import Client

from billing import exchanges, inbox, payments, quotes
from billing.gateways.simulated import SimulatedGateway
from billing.gateways.simulator import signed
from billing.models import Exchange, Invoice, Subscription
from packages.periods import business_day
from provisioning import jobs
from provisioning.models import Account
from tests import world
from tests.billing import orders
from tests.clock import Clock
from tests.story import ADDRESS, CONSENT, Gateway

# What a child does of `work.py`, and with which arguments.
Work = tuple[str, *tuple[Any, ...]]


@dataclass(frozen=True)
class Stage:
    """The shop at the moment before; `begin` is what a process then does."""

    gateway: Gateway
    clock: Clock

    def paid(self, invoice: Invoice) -> None:
        """Let the customer pay at the gateway, and store its webhook as the shop does."""
        at, (body, headers) = self.clock.now(), self.webhook(invoice)
        incoming = SimulatedGateway().verify_webhook(body, headers, at=at)
        inbox.store(incoming, "simulated", at=at)

    def webhook(self, invoice: Invoice) -> tuple[bytes, dict[str, str]]:
        """Let the customer pay at the gateway; return what that sends then."""
        at = self.clock.now()
        payment = payments.start(
            invoice, "simulated", return_url="http://shop.test/", at=at, actor="test"
        )
        self.gateway.pays(payment)
        body = self.gateway.simulator.log()["events"][-1]["body"].encode()
        secret = settings.SIMULATED_GATEWAY["secrets"][0]
        return body, signed(body, secret, at.timestamp())


def create(stage: Stage) -> Work:
    at = stage.clock.now()
    user, customer = orders.buyer(at=at)
    stage.paid(orders.place(user, customer, "business", at=at).invoice)
    return ("work",)


def credit(stage: Stage) -> Work:
    subscription, at = lives(stage), stage.clock.now()
    user = subscription.customer.users.get()
    order = orders.place_prices(
        user, subscription.customer, world.price("credit-25"), subscription=subscription, at=at
    )
    stage.paid(order.invoice)
    return ("work",)


def change_package(stage: Stage) -> Work:
    """Exchange the package for a dearer one, at once; the difference is paid."""
    subscription, at = lives(stage), stage.clock.now()
    on = business_day(at, subscription.zone)
    quote = quotes.quote(subscription, world.price("scale"), on=on, mode=Exchange.Mode.NOW)
    exchange = exchanges.place(
        quote, seen=quote.fingerprint, placed_by=None, language="en", at=at, actor="test"
    )
    assert exchange.order_line is not None
    stage.paid(Invoice.objects.get(order=exchange.order_line.order_id))
    return ("work",)


def suspend(stage: Stage) -> Work:
    return ("ask", "suspend", account(lives(stage)).pk, "test")


def unsuspend(stage: Stage) -> Work:
    held = account(lives(stage))
    with transaction.atomic():
        jobs.suspend(held, cause="before", at=stage.clock.now(), actor="test")
    stage.clock.work()
    return ("ask", "unsuspend", held.pk, "test")


def terminate(stage: Stage) -> Work:
    return ("ask", "terminate", account(lives(stage)).pk, "test")


OPERATIONS: dict[str, Callable[[Stage], Work]] = {
    each.__name__: each for each in (create, credit, suspend, unsuspend, change_package, terminate)
}


def deliver(stage: Stage) -> Work:
    """The gateway's webhook arrives at the web process."""
    at = stage.clock.now()
    user, customer = orders.buyer(at=at)
    body, headers = stage.webhook(orders.place(user, customer, "business", at=at).invoice)
    signature = headers["Simulated-Signature"]
    return ("post", "/webhooks/simulated/", body.decode(), {"Simulated-Signature": signature}, "")


def order(stage: Stage) -> Work:
    """A customer presses the button of the checkout."""
    user, _ = orders.buyer(at=stage.clock.now())
    browser = Client(headers={"host": "localhost"})
    browser.force_login(user)
    browser.post("/cart/lines/", {"price": world.price("business").pk, "quantity": "1"})
    page = browser.get("/checkout/").content.decode()
    seen = re.search(r'name="seen" value="([^"]+)"', page)
    assert seen is not None
    fields = {**ADDRESS, **CONSENT, "gateway": "simulated", "seen": seen[1]}
    return ("post", "/checkout/", fields, {}, browser.cookies["session"].value)


WEB: dict[str, Callable[[Stage], Work]] = {each.__name__: each for each in (deliver, order)}


def renew(stage: Stage) -> Work:
    """The day on which two services are invoiced for their next period."""
    for name in ("ada", "bob"):
        at = stage.clock.now()
        user, customer = world.customer(f"{name}@example.com", at=at)
        stage.paid(orders.place(user, customer, "business", at=at).invoice)
        stage.clock.work()
    stage.clock.shift(days=25)
    return ("bill",)


def lives(stage: Stage) -> Subscription:
    """Buy a package, and do everything that follows from it."""
    create(stage)
    stage.clock.work()
    subscription = Subscription.objects.select_related("account").get()
    assert account(subscription).state == Account.State.LIVE
    return subscription


def account(subscription: Subscription) -> Account:
    assert subscription.account is not None
    return subscription.account
