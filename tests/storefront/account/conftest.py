from datetime import datetime

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from tests import snapshots, world
from tests.storefront.account import people
from tests.storefront.account.people import Person

ANNA = "anna@example.com"


@pytest.fixture
def now(db: None) -> datetime:
    """The present in a seeded shop whose dialler nobody calls."""
    return open_shop()


def open_shop() -> datetime:
    at = timezone.now()
    cache.clear()
    world.settle_in("http://127.0.0.1:9", at=at)
    return at


@pytest.fixture(scope="session")
def anna_kept(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Keep the rows of what Anna has bought: most tests of this folder begin with them."""
    with django_db_blocker.unblock():
        snapshots.keep_made("anna", lambda: people.running(ANNA, at=open_shop()))


@pytest.fixture
def anna(anna_kept: None, now: datetime) -> Person:
    snapshots.add("anna")
    return people.known(ANNA)


@pytest.fixture
def bert(now: datetime) -> Person:
    return people.running("bert@example.com", at=now)
