"""Fixtures every test may use. Nothing of ours is mocked: real PostgreSQL, real HTTP servers."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import TransactionTestCase
from django.test.testcases import LiveServerThread
from django.utils import translation
from django.utils.safestring import mark_safe
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from billing import invariants
from config import messages
from config.celery import app as celery_app
from config.local.places import place_for
from config.local.valkey import FAST, Valkey
from packages import unbroken
from provisioning.models import Account
from provisioning.simulator.simulator import Simulator
from tests import held, serving, snapshots, world
from tests.clock import Clock
from tests.desk.orders import ordered

# Tests of some ten seconds or more.
LONG = (
    "tests/scenarios/test_three_years.py",
    "tests/walks/",
    "tests/access/test_matrix.py",
    "tests/chaos/test_random_runs.py",
    "tests/chaos/test_crash_points.py",
    "tests/chaos/test_processes.py",
    "tests/scenarios/test_killed_worker.py",
)
BROWSER = "tests/browser/"
# When the clock of most tests begins.
MORNING = "2026-03-02 09:00"


def pytest_configure(config: pytest.Config) -> None:
    """Compile the translations once, before the parallel processes begin."""
    if not hasattr(config, "workerinput"):
        list(messages.compile_(messages.BASE_DIR))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no process is left alone with it in the end.

    Only what commits nothing stays before it, where pytest-django has sorted it.
    """
    long = [each for each in items if each.nodeid.startswith(LONG)]
    others = [each for each in items if each not in long]
    begin = next((n for n, each in enumerate(others) if _commits(each)), len(others))
    items[:] = [*others[:begin], *long, *others[begin:]]


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what has been loaded, since all of it stays."""
    gc.collect()
    gc.freeze()


def _commits(item: pytest.Item) -> bool:
    return "transactional_db" in getattr(item, "fixturenames", ())


@pytest.fixture(autouse=True)
def in_the_usual_language() -> None:
    """Begin in the shop's language: a request that asked for another leaves it behind."""
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture(autouse=True)
def plain(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave pages and mails without the marks of what no line parts: tests read words as one.

    In a browser, and where a test asks for `marked`, they are as people get them.
    """
    if "marked" not in request.fixturenames and not request.node.nodeid.startswith(BROWSER):
        for name in ("kept_whole", "joined"):
            monkeypatch.setattr(unbroken, name, lambda markup, **_: mark_safe(markup))


@pytest.fixture
def marked() -> None:
    """Pages as people get them."""


@pytest.fixture(scope="session", autouse=True)
def own_broker_database() -> None:
    """Give each parallel test process a database of its own in Valkey; the last is for one that is
    no worker and may run beside them.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw15").removeprefix("gw")
    base = settings.REDIS_URL.rsplit("/", 1)[0]
    settings.REDIS_URL = settings.CELERY_BROKER_URL = f"{base}/{worker}"
    celery_app.conf["broker_url"] = settings.REDIS_URL


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Keep the rows that tests begin with, and let them be put back in place of Django's flush.

    The connection stays: a new one has to read the catalogue anew, for longer than most tests take.
    """
    with django_db_blocker.unblock():
        snapshots.keep(world.seed)
        held.keep()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: snapshots.wipe())
        patch.setattr(TransactionTestCase, "_should_reload_connections", lambda _: False)
        patch.setattr(LiveServerThread, "server_class", serving.Server)
        patch.setattr(invariants, "violations", held.violations)
        yield
    serving.end()
    snapshots.end()


@pytest.fixture
def clock() -> Iterator[Clock]:
    with Clock.at(MORNING) as clock:
        yield clock


@pytest.fixture
def dialler() -> Iterator[Simulator]:
    simulator = Simulator.start(password=world.SIMULATOR_PASSWORD)
    yield simulator
    simulator.close()


@pytest.fixture
def broker(settings: Settings) -> Iterator[Valkey]:
    """A broker of its own, which the test may stop."""
    with tempfile.TemporaryDirectory(prefix="broker-") as folder:
        valkey = Valkey(place_for(Path(folder)), settings=FAST)
        valkey.start()
        settings.REDIS_URL = settings.CELERY_BROKER_URL = valkey.url
        yield valkey
        valkey.stop()


@pytest.fixture
def shop(transactional_db: None, dialler: Simulator, clock: Clock) -> Iterator[Simulator]:
    """An open shop with its dialler; when the test ends, every invariant must hold."""
    world.settle_in(dialler.url, at=clock.now())
    yield dialler
    assert invariants.violations() == []


@pytest.fixture(scope="session")
def account_kept(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Keep the rows of an account that the flows have made, before a test begins."""

    def make() -> None:
        with Clock.at(MORNING) as clock:
            # Nothing of it is in the future of a test, whose clock begins there too.
            begin = clock.now()
            world.settle_in("http://127.0.0.1:9", at=begin)
            ordered("business", at=begin)

    with django_db_blocker.unblock():
        snapshots.keep_made("account", make)


@pytest.fixture
def account(account_kept: None, shop: Simulator) -> Account:
    """A planned account with its three jobs waiting: create, limits, 20.00 EUR of credit."""
    snapshots.add("account")
    return Account.objects.get()
