"""Who may open and send what: a verdict for every address and everybody, kept in `matrix.csv`.

The table is written beside the data of the test run and compared. A new address has no line there,
and fails. Where the tables differ on purpose, copy the new one over and read the difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.admin import AdminSite
from django.core.cache import caches
from django.db import transaction
from django.template.backends.django import Template
from django.test import Client
from django.urls import resolve
from pytest_django import Settings

from config.env import VAR_DIR
from tests import world
from tests.access import everybody
from tests.access.addresses import Address, addresses
from tests.clock import Clock
from tests.storefront.account import people
from tests.storefront.account.people import Person

EXPECTED = Path(__file__).with_name("matrix.csv")
HEAD = """\
# What GET/POST of each address answer to whom. POST is sent without fields.
# login: asked to sign in · door: the desk's door decides · 2fa: a second factor is asked for
# again: asked once more who it is · 302: goes on · else the status
"""
SHOWN = re.compile(r"admin:\w+_(changelist|history)")
DOORS = {
    "account_login": "login",
    "login": "door",
    "mfa_index": "2fa",
    "mfa_authenticate": "2fa",
    "mfa_reauthenticate": "again",
    "account_reauthenticate": "again",
}


@pytest.fixture
def anna(transactional_db: None, clock: Clock, settings: Settings) -> Person:
    """Whose rows are tried; the desk's door is closed as it is in production."""
    world.settle_in("http://127.0.0.1:9", at=clock.now())
    settings.STAFF_GUARDED = settings.DEMO = True
    # On a busy machine the table takes longer than somebody's proof lasts.
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 86_400
    return people.running("anna@example.com", at=clock.now())


@pytest.fixture
def undrawn(anna: Person, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The verdict is there before the page is drawn; that it can be is tested by desk/test_pages.

    Pages that are kept in the process must not be shown to the tests that follow.
    """
    monkeypatch.setattr(Template, "render", lambda *_, **__: "")
    monkeypatch.setattr(AdminSite, "each_context", lambda *_: {})
    yield
    caches["pages"].clear()


@pytest.mark.usefixtures("undrawn")
def test_everybody_opens_what_is_theirs_and_nothing_else(anna: Person, clock: Clock) -> None:
    asked = addresses(everybody.examples(anna, at=clock.now()))
    browsers = everybody.browsers(anna, at=clock.now())
    lines = [(each.name, *(verdict(who, each) for who in browsers.values())) for each in asked]
    table = HEAD + _columns([("", *browsers), *lines])
    (VAR_DIR / "matrix.csv").write_text(table)
    assert table == EXPECTED.read_text()


def verdict(who: Client, address: Address) -> str:
    """Say what both methods answer; the desk's door is one for both, its lists take nothing."""
    shown = tried(who, address, "get")
    return (
        shown
        if shown == "door" or SHOWN.fullmatch(address.name)
        else f"{shown}/{tried(who, address, 'post')}"
    )


def tried(who: Client, address: Address, method: str) -> str:
    """Return the verdict; whatever was done is undone."""
    browser = Client(raise_request_exception=False)
    browser.handler = who.handler  # which has loaded the middleware
    browser.cookies.update(who.cookies)
    with transaction.atomic():
        answer = getattr(browser, method)(address.path)
        transaction.set_rollback(True)
    if answer.status_code not in (301, 302, 303):
        return str(answer.status_code)
    leads = resolve(urlsplit(answer.headers["Location"]).path)
    return DOORS.get(leads.url_name or "", "302")


def _columns(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = (map(str.ljust, row, widths) for row in rows)
    return "".join(", ".join(row).rstrip() + "\n" for row in padded)
