"""A visitor buys in a real browser, with and without JavaScript, until the service runs."""

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from billing.models import Invoice, Mail, Order, Payment
from provisioning.models import Account
from provisioning.simulator.simulator import Simulator
from tests.clock import Clock
from tests.processes import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("gateway")]
ADDRESS = {"name": "Ada Muster", "street": "Musterweg 1", "postcode": "20095", "city": "Hamburg"}


ENGLISH = (
    "See packages and prices",
    "Choose Business",
    "Add to cart",
    "Create an account and continue",
    "Checkout",
)
GERMAN = (
    "Pakete und Preise ansehen",
    "Business wählen",
    "In den Warenkorb",
    "Konto anlegen und weiter",
    "Kasse",
)


def choose(page: Page, live_server: LiveServer, words: tuple[str, ...] = ENGLISH) -> None:
    """Walk from the home page to the checkout as a new customer."""
    prices, choose, add, go_on, checkout = words
    page.goto(live_server.url)
    page.get_by_role("link", name=prices).click()
    page.get_by_role("link", name=choose).click()
    page.get_by_role("button", name=add).click()
    page.get_by_role("link", name=go_on).click()
    page.locator("input[name=email]").fill("ada@shop.test")
    page.locator("input[name=password1]").fill("correct-horse-battery")
    page.locator("form:has(input[name=password1]) button[type=submit]").click()
    expect(page.get_by_role("heading", name=checkout)).to_be_visible()


def fill(page: Page) -> None:
    for name, value in ADDRESS.items():
        page.locator(f"input[name={name}]").fill(value)
    page.locator("input[name=terms]").check()


def pay(page: Page, card: str = "4242 4242 4242 4242") -> None:
    page.locator("input[name=card_number]").fill(card)
    page.locator("button[value=pay]").click()


def becomes_ready(page: Page, clock: Clock, said: str = "Your service is ready") -> None:
    """The page tells by itself; meanwhile the work is done that workers would do."""
    ready = page.get_by_role("heading", name=said)

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


@pytest.mark.browser_context_args(locale="de-DE")
def test_a_german_consumer_buys_and_the_page_follows_to_the_running_service(
    page: Page, live_server: LiveServer, shop: Simulator, clock: Clock, complaints: list[str]
) -> None:
    choose(page, live_server, GERMAN)
    expect(page.locator("input[type=checkbox]:checked")).to_have_count(0)
    fill(page)
    page.locator("input[name=early_start]").check()
    page.get_by_role("button", name="Zahlungspflichtig bestellen · 128,00 €").click()
    pay(page)
    becomes_ready(page, clock, "Ihr Dienst ist bereit")
    everything_is_there(shop)
    assert set(Order.objects.get().consents) == {"terms", "early_start"}
    assert "Bestellbestätigung" in Mail.objects.get(template="order_placed").subject
    assert complaints == []


def test_a_business_with_a_vat_id_buys_at_the_price_that_follows_its_typing(
    page: Page, live_server: LiveServer, shop: Simulator, clock: Clock, complaints: list[str]
) -> None:
    choose(page, live_server)
    expect(page.locator("#id_company")).to_have_count(0)
    page.get_by_text("Business", exact=True).first.click()
    page.locator("#id_company").fill("Muster GmbH")
    page.locator("#id_vat_id").fill("ATU13585627")
    page.locator("#id_country").select_option("AT")
    expect(page.locator("#order-button")).to_contain_text("€107.57")
    expect(page.locator("#summary")).to_contain_text("Reverse charge")
    page.get_by_text("Private customer").click()
    expect(page.locator("#id_early_start")).to_be_visible()
    expect(page.locator("#id_company")).to_have_count(0)
    page.get_by_text("Business", exact=True).first.click()
    page.locator("#id_company").fill("Muster GmbH")
    page.locator("#id_vat_id").fill("ATU13585627")
    expect(page.locator("#id_early_start")).to_have_count(0)
    fill(page)
    page.get_by_role("button", name="Order with obligation to pay · €107.57").click()
    pay(page)
    becomes_ready(page, clock)
    everything_is_there(shop)
    assert Invoice.objects.get().buyer["vat_id"] == "ATU13585627"
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


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_without_javascript_a_business_buys_too(
    page: Page, live_server: LiveServer, shop: Simulator, clock: Clock, complaints: list[str]
) -> None:
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
    assert complaints == []


def test_the_keyboard_alone_buys(
    page: Page, live_server: LiveServer, shop: Simulator, clock: Clock, complaints: list[str]
) -> None:
    keys = Keys(page)
    page.goto(live_server.url)
    for link in ("a[href='/packages/'].button", "a[href='/packages/business/'].button"):
        keys.reach(link).press("Enter")
    keys.reach("form[action='/cart/lines/'] button").press("Enter")
    keys.reach("a[href^='/accounts/signup/'].button").press("Enter")
    keys.reach("input[name=email]").write("ada@shop.test")
    keys.reach("input[name=password1]").write("correct-horse-battery").press("Enter")
    for name, value in ADDRESS.items():
        keys.reach(f"input[name={name}]").write(value)
    for name in ("terms", "early_start"):
        keys.reach(f"input[name={name}]").press("Space")
    keys.reach("#order-button").press("Enter")
    keys.reach("input[name=card_number]").write("4242 4242 4242 4242")
    keys.reach("button[value=pay]").press("Enter")
    becomes_ready(page, clock)
    everything_is_there(shop)
    assert complaints == []


class Keys:
    """Somebody without a mouse: Tab until there, and what is there must be seen to be."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def reach(self, selector: str) -> "Keys":
        self.page.wait_for_selector(selector)
        there = "wanted => document.activeElement.matches(wanted)"
        for _ in range(80):
            self.page.keyboard.press("Tab")
            if self.page.evaluate(there, selector):
                outline = "getComputedStyle(document.activeElement).outlineStyle"
                assert self.page.evaluate(outline) != "none", f"{selector} shows no focus"
                return self
        raise AssertionError(f"Tab does not lead to {selector}.")

    def write(self, text: str) -> "Keys":
        self.page.keyboard.type(text)
        return self

    def press(self, key: str) -> "Keys":
        self.page.keyboard.press(key)
        return self
