"""A running site with its gateway and dialler: what the scenarios play on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from billing.gateways.simulator import GatewaySimulator
from provisioning.simulator.simulator import Simulator
from tests import paypals, stripes
from tests.paypals import PayPal
from tests.story import Customer, Gateway


@dataclass(frozen=True)
class Door:
    """A gateway, by whichever of the doors it is offered."""

    code: str
    gateway: Gateway


@pytest.fixture
def site(shop: Simulator, live_server: LiveServer, settings: Settings) -> str:
    settings.SITE_URL = str(live_server.url)
    return str(live_server.url)


@pytest.fixture
def gateway(site: str, settings: Settings) -> Iterator[Gateway]:
    config = settings.SIMULATED_GATEWAY
    simulator = GatewaySimulator.start(
        webhook_url=f"{site}/webhooks/simulated/",
        key=config["key"],
        secret=config["secrets"][0],
        account=config["account"],
    )
    settings.SIMULATED_GATEWAY = {**config, "url": simulator.url}
    yield Gateway(simulator)
    simulator.stop()


@pytest.fixture
def customer(site: str, gateway: Gateway) -> Customer:
    return Customer(site)


@pytest.fixture
def paypal(site: str) -> Iterator[PayPal]:
    # The shop's token must outlive months: only the stand-in lives by the tests' clock.
    address, a_year = f"{site}/webhooks/paypal/", 366 * 86_400
    with paypals.offered(address, token_seconds=a_year) as paypal:
        yield paypal


@pytest.fixture(params=["simulated", "stripe", "paypal"])
def door(site: str, request: pytest.FixtureRequest) -> Iterator[Door]:
    """Each of the gateways in turn."""
    if request.param != "stripe":
        name = "gateway" if request.param == "simulated" else "paypal"
        yield Door(request.param, request.getfixturevalue(name))
        return
    with stripes.offered(f"{site}/webhooks/stripe/") as stripe:
        yield Door("stripe", stripe)
