"""The client area as its owner meets it: a real browser under the strict content policy."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from billing.gateways.simulator import GatewaySimulator
from billing.models import Mail
from provisioning import secrets
from provisioning.models import Account
from provisioning.simulator.simulator import Simulator
from tests import payments
from tests.browser.entering import enter
from tests.browser.test_purchase import pay
from tests.clock import Clock
from tests.storefront.account import people
from tests.storefront.account.people import Person

pytestmark = pytest.mark.browser


@pytest.fixture
def anna(shop: Simulator, clock: Clock) -> Person:
    """Someone whose account a worker really made at the dialler."""
    person = people.waiting("anna@example.com", at=datetime.now(UTC))
    payments.pay(person.invoice, at=datetime.now(UTC))
    clock.work()
    person.subscription.refresh_from_db()
    assert person.account.state == Account.State.LIVE
    return person


def sign_in(page: Page, live_server: LiveServer, person: Person) -> None:
    enter(page, live_server, person.browser())
    page.goto(f"{live_server.url}/account/")


def test_the_login_is_shown_by_a_click_and_never_again(
    page: Page, live_server: LiveServer, anna: Person, complaints: list[str]
) -> None:
    # The browser itself must accept the form's origin under the page's referrer policy.
    token = secrets.create(anna.account, "shown-only-once-26", cause="test", at=datetime.now(UTC))
    page.goto(f"{live_server.url}/login-details/{token}/")
    expect(page.get_by_text("shown-only-once-26")).to_have_count(0)
    page.get_by_role("button", name="Show the login details once").click()
    expect(page.get_by_text("shown-only-once-26")).to_be_visible()
    expect(page.get_by_role("button", name="Copy")).to_have_count(3)
    assert complaints == []
    page.goto(f"{live_server.url}/login-details/{token}/")
    expect(page.get_by_role("heading", name="This link no longer opens")).to_be_visible()


def test_why_opens_the_explanation(
    page: Page, live_server: LiveServer, anna: Person, complaints: list[str]
) -> None:
    sign_in(page, live_server, anna)
    told = page.get_by_text("The dialler keeps the credit")
    expect(told).not_to_be_visible()
    page.get_by_role("link", name="Why?").nth(1).click()
    expect(told).to_be_visible()
    assert complaints == []


def test_a_new_dialler_password_is_asked_for_without_being_shown(
    page: Page, live_server: LiveServer, anna: Person, complaints: list[str]
) -> None:
    sign_in(page, live_server, anna)
    page.get_by_role("link", name="Open service").click()
    page.get_by_label("New password").fill("Tanne-27-Wolke")
    page.get_by_label("The same again").fill("Tanne-27-Wolke")
    page.get_by_role("button", name="Set this password").click()
    expect(page.get_by_text("Your new dialler password is being set.")).to_be_visible()
    expect(page.get_by_text("Tanne-27-Wolke")).to_have_count(0)
    assert complaints == []


def test_credit_is_topped_up(
    page: Page,
    live_server: LiveServer,
    gateway: GatewaySimulator,
    shop: Simulator,
    anna: Person,
    clock: Clock,
    complaints: list[str],
) -> None:
    sign_in(page, live_server, anna)
    page.get_by_role("link", name="Open service").click()
    page.locator("#id_amount").fill("42.50")
    page.locator("form:has(#id_amount) button").click()
    page.locator("input[name=terms_agreed]").check()
    page.locator("input[name=early_start]").check()
    page.get_by_role("button", name="Order with obligation to pay · €42.50").click()
    before = len(shop.effects("credit"))
    pay(page)
    expect(page.get_by_role("heading", name="Paid. Your credit is being added")).to_be_visible()
    clock.work()
    assert [each["amount"] for each in shop.effects("credit")][before:] == ["42.50"]
    assert complaints == []


def test_a_package_is_exchanged_after_a_look_at_what_it_costs(
    page: Page,
    live_server: LiveServer,
    gateway: GatewaySimulator,
    shop: Simulator,
    anna: Person,
    clock: Clock,
    complaints: list[str],
) -> None:
    sign_in(page, live_server, anna)
    page.goto(f"{live_server.url}/account/services/{anna.subscription.public_id}/exchange/")
    page.locator("label.choice", has_text="Business · €79.00, monthly").click()
    page.get_by_role("button", name="Show what it costs").click()
    expect(page.locator("#preview")).to_contain_text("Starter to Business")
    total = page.locator("#preview dd.strong").inner_text().split()[0]
    page.get_by_role("button", name=f"Order with obligation to pay · {total}").click()
    pay(page)
    clock.work()
    anna.subscription.refresh_from_db()
    assert anna.subscription.package.slug == "business"
    assert len(shop.effects("update")) == 1
    page.goto(f"{live_server.url}/account/services/{anna.subscription.public_id}/")
    expect(page.get_by_role("heading", name="Business", level=1)).to_be_visible()
    assert complaints == []


def test_a_contract_is_cancelled_and_withdrawn_from_without_signing_in(
    page: Page, live_server: LiveServer, anna: Person, complaints: list[str]
) -> None:
    for link, button, said in (
        ("Cancel contracts here", "Cancel now", "We have received your cancellation"),
        ("Withdraw from a contract", "Confirm withdrawal", "We have received your withdrawal"),
    ):
        page.goto(live_server.url)
        page.get_by_role("link", name=link).click()
        page.locator("#id_name").fill("Anna Muster")
        page.locator("#id_email").fill(anna.user.email)
        page.locator("#id_contract").fill(anna.account.username)
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("heading", name=said)).to_be_visible()
    anna.subscription.refresh_from_db()
    assert anna.subscription.ends_on is not None
    assert Mail.objects.filter(template="declaration_received").count() == 2
    assert complaints == []
