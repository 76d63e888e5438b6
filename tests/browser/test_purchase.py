"""A visitor buys in a real browser, with and without JavaScript, until the service runs."""

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from billing.gateways.simulator import GatewaySimulator
from billing.models import Invoice, Mail, Order, Payment
from provisioning.models import Account
from provisioning.simulator.simulator import Simulator
from tests.clock import Clock
from tests.processes import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("gateway")]
ADDRESS = {"name": "Ada Muster", "street": "Musterweg 1", "postcode": "20095", "city": "Hamburg"}


def choose(page: Page, live_server: LiveServer) -> None:
    """Walk from the home page to the checkout as a new customer."""
    page.goto(live_server.url)
    page.get_by_role("link", name="See packages and prices").click()
    page.get_by_role("link", name="Choose Business").click()
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("link", name="Create an account and continue").click()
    page.locator("input[name=email]").fill("ada@shop.test")
    page.locator("input[name=password1]").fill("correct-horse-battery")
    page.locator("form:has(input[name=password1]) button[type=submit]").click()
    expect(page.get_by_role("heading", name="Checkout")).to_be_visible()


def fill(page: Page) -> None:
    for name, value in ADDRESS.items():
        page.locator(f"input[name={name}]").fill(value)
    page.locator("input[name=terms]").check()


def pay(page: Page, card: str = "4242 4242 4242 4242") -> None:
    page.locator("input[name=card_number]").fill(card)
    page.locator("button[value=pay]").click()


def becomes_ready(page: Page, clock: Clock) -> None:
    """The page tells by itself; meanwhile the work is done that workers would do."""
    ready = page.get_by_role("heading", name="Your service is ready")

    def worked_and_ready() -> bool:
        clock.work()
        return ready.is_visible()

    wait_until(worked_and_ready, what="the page says ready")


def everything_is_there(dialler: Simulator) -> None:
    assert Order.objects.count() == Invoice.objects.count() == 1
    assert Payment.objects.filter(state=Payment.State.SUCCEEDED).count() == 1
    assert Account.objects.get().state == Account.State.LIVE
    assert len(dialler.effects("create")) == 1
    assert Mail.objects.filter(template="account_ready").count() == 1


def test_a_consumer_buys_and_the_page_follows_to_the_running_service(
    page: Page, live_server: LiveServer, shop: Simulator, clock: Clock, complaints: list[str]
) -> None:
    choose(page, live_server)
    fill(page)
    page.locator("input[name=early_start]").check()
    page.get_by_role("button", name="Order with obligation to pay · €128.00").click()
    pay(page)
    becomes_ready(page, clock)
    everything_is_there(shop)
    assert complaints == []


def test_prices_follow_country_and_vat_id_while_typing(
    page: Page, live_server: LiveServer, shop: Simulator, complaints: list[str]
) -> None:
    choose(page, live_server)
    expect(page.locator("#id_company")).to_have_count(0)
    page.get_by_text("Business", exact=True).first.click()
    page.locator("#id_company").fill("Muster GmbH")
    page.locator("#id_vat_id").fill("ATU13585627")
    page.locator("#id_country").select_option("AT")
    expect(page.locator("#order-button")).to_contain_text("€107.57")
    expect(page.locator("#summary")).to_contain_text("Reverse charge")
    expect(page.locator("#id_company")).to_have_value("Muster GmbH")
    expect(page.locator("#id_early_start")).to_have_count(0)
    page.get_by_text("Private customer").click()
    expect(page.locator("#id_early_start")).to_be_visible()
    expect(page.locator("#id_company")).to_have_count(0)
    assert not Order.objects.exists()
    assert complaints == []


def test_a_declined_card_then_another(
    page: Page, live_server: LiveServer, shop: Simulator, clock: Clock
) -> None:
    choose(page, live_server)
    fill(page)
    page.locator("input[name=early_start]").check()
    page.locator("#order-button").click()
    page.locator("button[value=decline]").click()
    expect(page.get_by_role("heading", name="The payment did not go through")).to_be_visible()
    page.get_by_role("button", name="Try again and pay €128.00").click()
    pay(page)
    becomes_ready(page, clock)
    everything_is_there(shop)


def test_without_javascript_a_business_buys_too(
    browser: Browser,
    gateway: GatewaySimulator,
    live_server: LiveServer,
    shop: Simulator,
    clock: Clock,
) -> None:
    page = browser.new_context(java_script_enabled=False, locale="en-GB").new_page()
    choose(page, live_server)
    page.locator("#id_kind_1").check()
    page.locator("#id_company").fill("Muster GmbH")
    page.locator("#id_vat_id").fill("ATU13585627")
    page.locator("#id_country").select_option("AT")
    page.get_by_role("button", name="Update prices").click()
    expect(page.locator("#order-button")).to_contain_text("€107.57")
    fill(page)
    page.locator("#order-button").click()
    pay(page)
    clock.work()
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_role("heading", name="Your service is ready")).to_be_visible()
    everything_is_there(shop)
