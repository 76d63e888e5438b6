"""The sessions that live servers keep: clean, living, and few."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from django.db import connection
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer

from tests import serving, snapshots
from tests.processes import wait_until


@pytest.fixture(autouse=True)
def _none_kept(transactional_db: None) -> Iterator[None]:
    serving.end()
    yield
    serving.end()


def way() -> Any:
    wrapper = connection.copy()
    serving.keep_session_of(wrapper)
    return wrapper


def ask(wrapper: Any, statement: str) -> Any:
    with wrapper.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def visited(wrapper: Any) -> int:
    """Return which session it was, left behind with a lock."""
    ask(wrapper, "SELECT pg_advisory_lock(7)::text")
    number = int(ask(wrapper, "SELECT pg_backend_pid()"))
    wrapper.close()
    return number


def test_requests_share_a_session(live_server: LiveServer) -> None:
    snapshots.add("seeded")
    address = live_server.url + reverse("storefront:api_packages")
    for _ in range(3):
        with requests.Session() as browser:
            assert browser.get(address, timeout=20).status_code == 200
        wait_until(lambda: len(serving._kept) == 1, what="the session is kept")


def test_a_kept_session_holds_no_lock() -> None:
    number = visited(way())
    assert ask(connection, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
    assert visited(way()) == number


def test_a_session_that_the_server_ended_is_not_used() -> None:
    number = visited(way())
    assert ask(connection, f"SELECT pg_terminate_backend({number}, 5000)")
    assert visited(way()) != number


def test_a_session_in_a_transaction_ends() -> None:
    wrapper = way()
    wrapper.set_autocommit(False)
    visited(wrapper)
    assert not serving._kept


def test_a_session_of_another_database_is_left_alone() -> None:
    number = visited(way())
    other = way()
    other.settings_dict = {**other.settings_dict, "NAME": "postgres"}
    assert visited(other) != number
