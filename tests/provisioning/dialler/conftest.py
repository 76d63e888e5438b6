from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any

import pytest

from provisioning.dialler.base import AccountSpec, Endpoint
from provisioning.dialler.http import HttpDialler
from provisioning.dialler.mapping import simulator_mapping
from provisioning.dialler.reach import Reach
from provisioning.simulator import Simulator

PASSWORD = "admin-Pass+word 1"

# The simulator and the tests' own servers are on this machine and speak plain HTTP.
HERE = Reach(networks=(ip_network("127.0.0.0/8"),), plain_http=True)

Connect = Callable[..., HttpDialler]


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    running = Simulator.start(password=PASSWORD)
    yield running
    running.close()


@pytest.fixture(params=["legacy", "current"])
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def connect(simulator: Simulator) -> Connect:
    """Return a client of the simulator; any value of its endpoint may be given."""

    def build(profile: Any = "legacy", **values: Any) -> HttpDialler:
        return HttpDialler(endpoint(simulator.base_url(profile), profile=profile, **values))

    return build


@pytest.fixture
def dialler(connect: Connect, profile: str) -> HttpDialler:
    return connect(profile)


def endpoint(base_url: str, **values: Any) -> Endpoint:
    profile = values.get("profile", "legacy")
    defaults: dict[str, Any] = {
        "profile": profile,
        "auth": "form",
        "username": "admin",
        "secret": PASSWORD,
        "mapping": simulator_mapping(profile),
        "currency": "EUR",
        "reach": HERE,
    }
    return Endpoint(base_url=base_url, **{**defaults, **values})


def spec(username: str = "nc-7", **values: Any) -> AccountSpec:
    defaults: dict[str, Any] = {
        "username": username,
        "email": "ann@acme.test",
        "first_name": "Ann",
        "last_name": "Löwe",
        "company": "Acme & Sons",
        "phone": "+49 30 1234",
        "language": "de",
        "tariff": "Standard",
        "channels": 5,
        "services": ("voice", "sms"),
        "role": "",
        "units": (("voice", 100),),
    }
    return AccountSpec(**{**defaults, **values})
