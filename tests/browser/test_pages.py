"""Every page in the browser: readable by everybody, and on every screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from playwright.sync_api import Page, Request
from pytest_django.live_server_helper import LiveServer

from billing.models import User
from storefront.mail_kinds import KINDS
from tests import world
from tests.access import everybody
from tests.access.addresses import Address, addresses
from tests.browser.entering import enter
from tests.browser.reading import hindrances, overflows
from tests.clock import Clock
from tests.storefront.account import people
from tests.storefront.account.people import Person

pytestmark = pytest.mark.browser

OURS = ("storefront:", "account_", "mfa_")
LEFT_OUT = {
    # These end the session that looks at the others,
    "account_logout",
    "storefront:viewing_end",
    # this is a part of a page, and this a mail that runs no script; see below.
    "storefront:order_status",
    "storefront:mail_design",
}


@pytest.fixture
def anna(transactional_db: None, clock: Clock) -> Person:
    cache.clear()
    world.settle_in("http://127.0.0.1:9", at=clock.now())
    return people.running("anna@example.com", at=clock.now())


def test_every_page_is_for_everybody_on_every_screen(
    page: Page, live_server: LiveServer, anna: Person, clock: Clock, complaints: list[str]
) -> None:
    examples = everybody.examples(anna, at=clock.now())
    seen: dict[str, list[object]] = {}
    for who in (anna.browser(), Client()):
        enter(page, live_server, who)
        for each in _pages(who, examples):
            if each.name not in seen:
                page.goto(f"{live_server.url}{each.path}")
                seen[each.name] = [*overflows(page), *hindrances(page)]
    assert ({name: found for name, found in seen.items() if found}, complaints) == ({}, [])
    assert len(seen) > 40


def test_the_home_page_is_light(page: Page, live_server: LiveServer, anna: Person) -> None:
    moved: list[int] = []

    def came(request: Request) -> None:
        moved.append(request.sizes()["responseHeadersSize"] + request.sizes()["responseBodySize"])

    page.on("requestfinished", came)
    page.goto(live_server.url, wait_until="networkidle")
    assert len(moved) > 5
    assert sum(moved) <= 150_000


def test_previews_of_mails_keep_the_strict_policy_and_are_for_everybody(
    page: Page, live_server: LiveServer, anna: Person, complaints: list[str]
) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("owner@shop.test", "x" * 20))
    enter(page, live_server, client)
    page.goto(f"{live_server.url}/admin/mail-text/?mail=overdue_second&language=de")
    found = {"preview": [*complaints, *overflows(page), *hindrances(page)]}
    # By itself a design runs no script, so axe looks at a copy without its policy.
    page.goto("about:blank")
    for mail in KINDS:
        design = client.get(f"/admin/mail-design/?mail={mail}&language=de")
        page.set_content(design.content.decode())
        found[mail] = list(hindrances(page))
    assert {name: each for name, each in found.items() if each} == {}


def _pages(who: Client, examples: dict[str, dict[str, Any]]) -> Iterator[Address]:
    """Give the addresses that answer with a page."""
    for each in addresses(examples):
        if each.name.startswith(OURS) and each.name not in LEFT_OUT:
            answer = who.get(each.path)
            if answer.status_code == 200 and "html" in answer.headers["Content-Type"]:
                yield each
