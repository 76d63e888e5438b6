from datetime import datetime

import pytest
from django.core.cache import cache
from django.utils import timezone

from tests import world
from tests.storefront.account import people
from tests.storefront.account.people import Person


@pytest.fixture
def now(db: None) -> datetime:
    """The present in a seeded shop whose dialler nobody calls."""
    at = timezone.now()
    cache.clear()
    world.settle_in("http://127.0.0.1:9", at=at)
    return at


@pytest.fixture
def anna(now: datetime) -> Person:
    return people.running("anna@example.com", at=now)


@pytest.fixture
def bert(now: datetime) -> Person:
    return people.running("bert@example.com", at=now)
