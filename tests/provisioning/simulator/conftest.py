from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from provisioning.simulator import Simulator

PASSWORD = "pw"
LOGIN = {"username": "admin", "password": PASSWORD}

Api = Callable[..., requests.Response]


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def simulator(clock: Clock) -> Iterator[Simulator]:
    running = Simulator.start(password=PASSWORD, now=clock)
    yield running
    running.close()


@pytest.fixture
def api(simulator: Simulator) -> Api:
    """Call a method as admin; objects become JSON in their field."""

    def call(method: str, profile: str = "legacy", **arguments: Any) -> requests.Response:
        fields = {
            name: json.dumps(value) if isinstance(value, dict) else value
            for name, value in arguments.items()
        }
        url = f"{simulator.base_url(profile)}/{method}"
        return requests.post(url, data={**LOGIN, **fields}, timeout=5)

    return call


def user(username: str = "acme", **values: Any) -> dict[str, Any]:
    defaults = {
        "username": username,
        "password": "S3cret!1",
        "email": f"{username}@acme.test",
        "rate_plan": "Standard",
        "channels": "2",
        "services": "voice,sms",
        "role_id": "2",
    }
    return {**defaults, **values}
