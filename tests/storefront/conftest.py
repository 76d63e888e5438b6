"""The shop as a browser sees it: seeded, with a real gateway, and people signed in."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client

from billing.gateways.simulator import GatewaySimulator
from billing.models import Customer, User
from tests import world
from tests.clock import Clock
from tests.storefront.browsing import Gateway

NOWHERE = "http://127.0.0.1:9/rest"


@pytest.fixture
def seeded(transactional_db: None, clock: Clock) -> Clock:
    """An open shop whose dialler is not asked anything."""
    world.settle_in(NOWHERE, at=clock.now())
    return clock


@pytest.fixture
def gateway(seeded: Clock) -> Iterator[Gateway]:
    """The simulated gateway, running; its webhooks go nowhere, so that the shop must ask itself."""
    wanted = settings.SIMULATED_GATEWAY
    before = wanted["url"]
    running = GatewaySimulator.start(
        webhook_url="http://127.0.0.1:9/", key=wanted["key"], secret=wanted["secrets"][0]
    )
    wanted["url"] = running.url
    yield Gateway(running)
    wanted["url"] = before
    running.stop()


@pytest.fixture
def ada(seeded: Clock) -> tuple[User, Customer]:
    return world.customer("ada@shop.test", at=seeded.now())


@pytest.fixture
def buyer(client: Client, ada: tuple[User, Customer]) -> Client:
    client.force_login(ada[0])
    return client


@pytest.fixture
def stranger(seeded: Clock) -> Client:
    """Another customer's browser."""
    user, _ = world.customer("stranger@shop.test", at=seeded.now())
    browser = Client()
    browser.force_login(user)
    return browser
