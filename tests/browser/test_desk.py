"""Staff make a package and open a shop in a real browser; somebody buys what they made."""

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from billing import demo
from billing.gateways.simulator import GatewaySimulator
from billing.models import User
from provisioning.simulator.simulator import Simulator
from tests import snapshots, world
from tests.browser.entering import enter
from tests.browser.test_purchase import (
    ENGLISH,
    becomes_ready,
    choose,
    everything_is_there,
    fill,
    pay,
)
from tests.clock import Clock

pytestmark = pytest.mark.browser
COMPANY = {"company": "Nordlicht GmbH", "street": "Kai 1", "postcode": "20457", "city": "Hamburg"}


def sign_in(page: Page, live_server: LiveServer, staff: User) -> None:
    client = Client()
    client.force_login(staff)
    enter(page, live_server, client)


def publish(page: Page) -> None:
    page.get_by_role("button", name="Save and publish…").click()
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("is on sale")).to_be_visible()


def sells(browser: Browser, live_server: LiveServer, clock: Clock, package: str, sum: str) -> None:
    """A customer with a browser of their own buys the package, until the service runs."""
    page = browser.new_context(locale="en-GB").new_page()
    choose(page, live_server, (ENGLISH[0], f"Choose {package}", *ENGLISH[2:]))
    fill(page)
    page.locator("input[name=early_start]").check()
    page.get_by_role("button", name=f"Order with obligation to pay · {sum}").click()
    pay(page)
    becomes_ready(page, clock)


def test_staff_make_a_package_and_it_is_sold(
    page: Page,
    browser: Browser,
    gateway: GatewaySimulator,
    live_server: LiveServer,
    shop: Simulator,
    clock: Clock,
    complaints: list[str],
) -> None:
    sign_in(page, live_server, User.objects.get(email=demo.STAFF[0]))
    page.goto(f"{live_server.url}/admin/packages/package/add/")
    page.get_by_label("Large subscription").check()
    page.get_by_role("button", name="Make the draft").click()
    page.locator("#id_name_en").fill("Night line")
    page.locator("#id_tariff").select_option(label="Business")
    page.get_by_label("Monthly, EUR: price").fill("59.90")
    page.get_by_label("Monthly, EUR: set-up fee").fill("")
    page.get_by_role("button", name="Save and preview").click()
    expect(page.get_by_text("59,90 €").first).to_be_visible()
    page.get_by_role("link", name="Back to the package").click()
    publish(page)
    sells(browser, live_server, clock, "Night line", "€59.90")
    everything_is_there(shop)
    assert complaints == []


def test_a_wizard_leads_from_an_empty_database_to_the_first_sale(
    page: Page,
    browser: Browser,
    gateway: GatewaySimulator,
    live_server: LiveServer,
    shop: Simulator,
    clock: Clock,
    complaints: list[str],
) -> None:
    snapshots.put_back("bare")
    owner = User.objects.create_superuser("owner@shop.test", "x" * 20)
    sign_in(page, live_server, owner)
    page.goto(f"{live_server.url}/admin/")
    expect(page.get_by_role("heading", name="Brand")).to_be_visible()
    brand = {"name": "Nordlicht", "support_email": owner.email, "mail_sender": owner.email}
    _enter(page, {**brand, "accent": "#ffee00"})
    expect(page.get_by_text("is needed to be read by everybody")).to_be_visible()
    _enter(page, {"accent": "#0b5c6b"})
    _enter(page, COMPANY)
    for name in ("Imprint", "Terms", "Privacy", "Withdrawal"):
        page.get_by_role("link", name=f"Write “{name}”").click()
        page.locator("#id_body_en").fill("Nordlicht GmbH")
        page.locator("#id_body_de").fill("Nordlicht GmbH")
        page.locator("[name=_save]").click()
        page.goto(f"{live_server.url}/admin/opening/")
    page.locator("[name=profile]").select_option("current")
    page.locator("[name=auth]").select_option("form")
    page.locator("[name=simulator]").check()
    address = {"base_url": f"{shop.url}/current/rest", "login_url": f"{shop.url}/login"}
    login = {"username": "admin", "secret": world.SIMULATOR_PASSWORD}
    _enter(page, {"name": "Hamburg", "currency": "EUR", **address, **login})
    page.get_by_role("button", name="Test Card (test)").click()
    expect(page.get_by_text("its webhook address answers")).to_be_visible()
    expect(page.get_by_text("A signed test event arrived and was stored.")).to_be_visible()
    page.goto(f"{live_server.url}/admin/opening/")
    _enter(page, {"new_day_minor": "150"})
    page.get_by_role("button", name="Make the draft").click()
    page.locator("#id_new_tariff").fill("Standard")
    page.locator("#id_new_plan").fill("standard")
    publish(page)
    page.goto(f"{live_server.url}/admin/opening/")
    page.get_by_role("button", name="Send a test mail").click()
    clock.work()
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("The shop is open for business.")).to_be_visible()
    sells(browser, live_server, clock, "Starter", "€29.00")
    everything_is_there(shop)
    assert complaints == []


def _enter(page: Page, values: dict[str, str]) -> None:
    for name, value in values.items():
        page.locator(f".opening [name={name}]").fill(value)
    page.locator(".opening button[type=submit]").first.click()
