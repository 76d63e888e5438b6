"""A service that runs, for the many tests that begin with one."""

from __future__ import annotations

import pytest
from pytest_django import DjangoDbBlocker

from billing.models import Subscription
from tests import snapshots
from tests.billing import orders, renewing
from tests.billing.exchanging import AT


@pytest.fixture(scope="session")
def service_kept(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Keep the rows of a service that the flows have made, before a test's transaction begins."""

    def make() -> None:
        orders.seeded(at=AT)
        renewing.bought(at=AT)

    with django_db_blocker.unblock():
        snapshots.keep_made("service", make)


@pytest.fixture
def running_service(service_kept: None, db: None) -> Subscription:
    """Business, bought and paid on 2 March: what `renewing.bought` leaves in a seeded shop."""
    orders.seeded(at=AT)
    snapshots.add("service")
    return Subscription.objects.get()
