"""The desk's pages in the browser: readable by everybody, by day and by night."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.core.cache import cache
from django.test import Client, RequestFactory
from playwright.sync_api import Page, ViewportSize
from pytest_django.live_server_helper import LiveServer

from billing.models import User
from tests import world
from tests.access import everybody
from tests.access.addresses import addresses
from tests.browser.entering import enter
from tests.browser.reading import built, hindrances, overflows
from tests.clock import Clock
from tests.storefront.account import people

pytestmark = pytest.mark.browser
DESK: ViewportSize = {"width": 1440, "height": 900}
TABLET: ViewportSize = {"width": 768, "height": 1024}
PHONE: ViewportSize = {"width": 390, "height": 900}
# Pages of our own, and one of each kind that Django's templates and our style sheet make.
PAGES = {
    f"admin:{name}"
    for name in (
        "index",
        "sheet_opening",
        "sheet_automation",
        "sheet_reports",
        "packages_package_add",
        "packages_package_change",
        "packages_statechange_changelist",
        "billing_brand_change",
        "billing_coupon_add",
        "billing_customer_change",
        "billing_subscription_change",
        "billing_invoice_changelist",
        "billing_payment_changelist",
        "billing_mail_changelist",
        "provisioning_job_changelist",
        "provisioning_pool_change",
    )
}


def forms(user: User) -> set[str]:
    """All forms to add something. They have the colours and the frame of the pages above, so only
    what is in them is looked at.
    """
    request = RequestFactory().get("/")
    request.user = user
    return {
        f"admin:{model._meta.app_label}_{model._meta.model_name}_add"
        for model, page in admin.site._registry.items()
        if page.has_add_permission(request)
    }


# How far the rows of a list go beyond its box.
BEYOND = "() => [...document.querySelectorAll('.results')].map(e => e.scrollWidth - e.clientWidth)"


def everywhere(page: Page) -> Iterator[object]:
    """Say what hinders on a desk and on a phone, where rows are cards, what no screen holds, and
    whether a list is wider than a tablet.
    """
    yield from (*overflows(page), *hindrances(page))
    page.set_viewport_size(TABLET)
    yield from (("tablet", beyond) for beyond in page.evaluate(BEYOND) if beyond > 0)
    page.set_viewport_size(PHONE)
    yield from (("phone", each) for each in built(page))
    page.set_viewport_size(DESK)


def test_pages_of_the_desk_are_for_everybody(
    page: Page, live_server: LiveServer, transactional_db: None, clock: Clock, complaints: list[str]
) -> None:
    cache.clear()
    world.settle_in("http://127.0.0.1:9", at=clock.now())
    anna = people.running("anna@example.com", at=clock.now())
    examples = everybody.examples(anna, at=clock.now())
    owner = Client()
    user = User.objects.create_superuser("owner@shop.test", "x" * 20)
    owner.force_login(user)
    looked_at = PAGES | forms(user)
    enter(page, live_server, owner)
    found = {}
    for each in addresses(examples):
        if each.name in looked_at:
            answer = page.goto(f"{live_server.url}{each.path}", wait_until="domcontentloaded")
            assert answer is not None
            assert answer.ok, each
            found[each.name] = list((everywhere if each.name in PAGES else built)(page))
    assert found.keys() == looked_at
    assert ({name: some for name, some in found.items() if some}, complaints) == ({}, [])
