"""The client area as its owner meets it: a real browser under the strict content policy."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from provisioning import secrets
from provisioning.models import Account
from provisioning.simulator.simulator import Simulator
from tests.clock import Clock
from tests.payments import pay
from tests.storefront.account import people
from tests.storefront.account.people import Person

pytestmark = pytest.mark.browser

PASSWORD = "correct-horse-battery"


@pytest.fixture
def anna(shop: Simulator, clock: Clock) -> Person:
    """Someone whose account a worker really made at the dialler."""
    person = people.waiting("anna@example.com", at=datetime.now(UTC))
    pay(person.invoice, at=datetime.now(UTC))
    clock.work()
    person.subscription.refresh_from_db()
    assert person.account.state == Account.State.LIVE
    return person


def sign_in(page: Page, live_server: LiveServer, person: Person) -> None:
    page.goto(f"{live_server.url}/accounts/login/")
    page.get_by_label("E-mail address").fill(person.user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()


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


@pytest.mark.parametrize("width", [1440, 768, 390])
def test_no_page_is_wider_than_the_screen(
    page: Page, live_server: LiveServer, anna: Person, complaints: list[str], width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, live_server, anna)
    service = f"/account/services/{anna.subscription.public_id}/"
    invoice = f"/account/invoices/{anna.invoice.public_id}/"
    lists = ("/account/", "/account/services/", "/account/invoices/", "/account/profile/")
    entry = ("/accounts/email/", "/accounts/2fa/", "/accounts/password/change/", "/legal/terms/")
    for path in (*lists, service, invoice, *entry):
        page.goto(f"{live_server.url}{path}")
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert (path, overflow) == (path, 0)
    assert complaints == []
