"""One house for all tests of this folder, and a shop in it for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from tests.chaos import house as houses
from tests.chaos import report
from tests.chaos.house import House
from tests.clock import Clock


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only `make chaos` has the time for."""
    if report.FULL:
        return
    long = [each for each in items if each.get_closest_marker("long")]
    items[:] = [each for each in items if each not in long]
    config.hook.pytest_deselected(items=long)


@pytest.fixture(scope="session")
def built_house(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[House]:
    with django_db_blocker.unblock(), houses.built() as house:
        yield house


@pytest.fixture
def house(transactional_db: None, built_house: House, clock: Clock, settings: Settings) -> House:
    # For this test alone: others of the session must not ask a gateway that stands in this house.
    config = {**settings.SIMULATED_GATEWAY, "url": built_house.gateway.simulator.url}
    settings.SIMULATED_GATEWAY = config
    built_house.open(clock)
    return built_house
