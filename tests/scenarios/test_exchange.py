"""A service changes its package and back, ends at once, comes back, and goes for good."""

from __future__ import annotations

from typing import Any

from billing import invariants
from billing.models import Brand, Exchange, Invoice, Order, Subscription
from provisioning.models import Account
from provisioning.simulator.simulator import Simulator
from storefront.walkthrough.browser import Page
from tests.billing import renewing
from tests.clock import Clock
from tests.story import Customer, Gateway
from tests.world import price


def begun(customer: Customer, clock: Clock, slug: str = "business") -> Subscription:
    customer.buys(slug)
    clock.work()
    return Subscription.objects.get()


def page_of(customer: Customer, subscription: Subscription, below: str = "") -> Page:
    return customer.browser.open(f"/account/services/{subscription.public_id}/{below}")


def previewed(customer: Customer, subscription: Subscription, slug: str, mode: str) -> Page:
    """Choose another package, and when; the page then says what it costs."""
    page = page_of(customer, subscription, "exchange/")
    values = {"price": str(price(slug).pk), "mode": mode}
    return customer.browser.submit(page, "price", values)


def at_the_dialler(shop: Simulator) -> tuple[Any, ...]:
    (account,) = shop.accounts()
    names = ("username", "rate_plan", "channels", "unit_voice", "balance", "active")
    return tuple(account[name] for name in names)


def test_up_at_once_and_down_at_the_end_of_the_period(
    customer: Customer, gateway: Gateway, shop: Simulator, clock: Clock
) -> None:
    subscription = begun(customer, clock)
    name = Account.objects.get().username
    assert at_the_dialler(shop) == (name, "business", 20, 2_000, "20.0000", 1)
    clock.live(days=10)
    customer.signs_in()
    page = previewed(customer, subscription, "scale", "now")
    for words in ("€168.68", "€53.52", "€115.16", "€54.19", "€249.00"):
        assert words in page.text, words
    customer.pays(customer.browser.submit(page, "seen", {"gateway": "simulated"}))
    clock.work()
    assert at_the_dialler(shop) == (name, "volume", 100, 10_000, "74.1900", 1)
    assert Exchange.objects.get().total_minor == Order.objects.latest("pk").invoice.total_minor

    page = previewed(customer, subscription, "starter", "at_end")
    assert "€0.00" in page.text
    page = customer.browser.submit(page, "seen")
    assert "From 2 April 2026 on your package is Starter" in page.text
    clock.live(days=14)
    customer.signs_in()
    (renewal,) = [each for each in renewing.renewals() if each.state == Invoice.State.OPEN]
    assert renewal.total_minor == 29_00
    page = page_of(customer, subscription, "exchange/")
    assert "A change of the package is already agreed" in page.text
    customer.pays_invoice(renewal)
    clock.work()
    assert at_the_dialler(shop)[1:3] == ("volume", 100)
    clock.live(days=7)
    # On the first day of the new period: its limits and 5.00 of credit. The 20.00 that Business
    # included lapse, the 54.19 that were paid for with Scale stay.
    assert at_the_dialler(shop) == (name, "standard", 5, 300, "59.1900", 1)
    assert invariants.violations() == []


def test_down_at_once_is_credited_and_an_open_renewal_is_paid_first(
    customer: Customer, gateway: Gateway, shop: Simulator, clock: Clock
) -> None:
    subscription = begun(customer, clock)
    clock.live(days=10)
    customer.signs_in()
    page = previewed(customer, subscription, "starter", "now")
    assert "€23.71" in page.text
    page = customer.browser.submit(page, "seen")
    assert "Your package is now Starter" in page.text
    clock.work()
    assert at_the_dialler(shop)[1:5] == ("standard", 5, 300, "20.0000")
    clock.live(days=14)
    customer.signs_in()
    # The balance paid what it could: 29.00 less 23.71.
    renewal = renewing.renewals()[-1]
    assert renewal.due.minor == 5_29
    page = page_of(customer, subscription, "exchange/")
    assert f"Invoice {renewal.number} is still open. Pay it first." in page.text
    customer.pays_invoice(renewal)
    page = page_of(customer, subscription, "exchange/")
    assert "still open" not in page.text
    assert invariants.violations() == []


def test_it_ends_at_once_comes_back_and_goes_for_good(
    customer: Customer, gateway: Gateway, shop: Simulator, clock: Clock
) -> None:
    subscription = begun(customer, clock)
    assert page_of(customer, subscription, "end/").status == 404
    Brand.objects.update(cancel_now=Brand.CancelNow.CREDIT)
    clock.live(days=10)
    customer.signs_in()
    page = page_of(customer, subscription)
    page = customer.browser.open(page.link("/end/"))
    for words in ("€38.07", "€20.00", "11 April 2026"):
        assert words in page.text, words
    page = customer.browser.submit(page, "seen")
    assert "The service has ended." in page.text
    clock.work()
    assert at_the_dialler(shop)[5] == 0

    clock.live(days=5)
    customer.signs_in()
    page = page_of(customer, subscription)
    assert "Order with obligation to pay · €79.00" in page.text
    page = customer.browser.submit(page, "return/", {"gateway": "simulated"})
    assert "40.93" in page.text
    customer.pays(page)
    clock.work()
    # The same account: its credit is still there, and that of the new period beside it.
    assert at_the_dialler(shop)[4:] == ("40.0000", 1)
    subscription.refresh_from_db()
    assert str(subscription.paid_until) == "2026-04-17"

    Brand.objects.update(cancel_now=Brand.CancelNow.FORFEIT)
    page = page_of(customer, subscription, "end/")
    assert "is not given back" in page.text
    customer.browser.submit(page, "seen")
    clock.work()
    assert at_the_dialler(shop)[5] == 0
    page = page_of(customer, subscription)
    assert "It runs again at no cost" in page.text
    page = customer.browser.submit(page, "return/")
    assert "Your service is back." in page.text
    clock.work()
    assert at_the_dialler(shop)[5] == 1

    page = page_of(customer, subscription, "end/")
    customer.browser.submit(page, "seen")
    clock.live(days=31)
    assert shop.accounts() == []
    assert Account.objects.get().state == Account.State.CLOSED
    assert invariants.violations() == []
