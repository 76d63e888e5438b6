from collections.abc import Iterator

import pytest

from billing.gateways.simulated import SimulatedGateway
from billing.gateways.simulator import GatewaySimulator
from tests.billing.gateways.world import KEY, SECRET, Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.stop()


@pytest.fixture
def simulator(receiver: Receiver) -> Iterator[GatewaySimulator]:
    running = GatewaySimulator.start(webhook_url=receiver.url, key=KEY, secret=SECRET)
    yield running
    running.stop()


@pytest.fixture
def gateway(simulator: GatewaySimulator) -> SimulatedGateway:
    return SimulatedGateway(
        {
            "url": simulator.url,
            "key": KEY,
            "secrets": [SECRET],
            "account": "demo",
            "timeout_seconds": 0.5,
        }
    )
