"""The road: register, choose, order, pay, receive the login, use it, top up."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import urlsplit

import requests

from packages.models import Price
from packages.money import Money
from storefront.walkthrough.browser import Browser, Page
from storefront.walkthrough.timeline import (
    Differs,
    Timeline,
    standing,
    subscription_of,
    wait_for,
)

CARD = "4242 4242 4242 4242"
DECLINED_CARD = "4000 0000 0000 0002"
PASSWORD = "walk-through-the-shop"


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who walks: a person with an address, a language and a currency."""

    email: str
    language: str
    currency: str
    form: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Road:
    """One customer's way through the running shop. Each step raises Differs when it goes wrong."""

    browser: Browser
    buyer: Buyer
    timeline: Timeline
    gross: bool = True
    login: dict[str, str] = field(default_factory=dict)

    def walk(self, package: str, top_up: str) -> None:
        self.timeline.title(f"{self.buyer.email}: {package}, then {top_up} ({self.buyer.currency})")
        price, more = self.price(package), self.price(top_up)
        self._register(package, price)
        self._order(price.amount + price.setup, decline_first=True)
        self._account(price)
        self._login()
        self.top_up(more, price.credit + more.credit)
        self._papers()

    def price(self, slug: str) -> Price:
        """Return the cheapest price of a package in the buyer's currency: the monthly one."""
        prices = Price.objects.select_related("package__tariff").filter(
            package__slug=slug, currency=self.buyer.currency
        )
        return prices.order_by("amount_minor")[0]

    def _register(self, package: str, price: Price) -> None:
        browser = self.browser
        self._ok(browser.open(f"/packages/?currency={self.buyer.currency}"), "package list")
        page = browser.open(f"/packages/{package}/")
        self._ok(page, "package page")
        self.step("chose a package")
        page = browser.submit(page, "price", {"price": str(price.pk)})
        page = browser.open("/checkout/")
        page = browser.open(page.link("signup"))
        account = {"email": self.buyer.email, "password1": PASSWORD}
        page = browser.submit(page, "password1", account)
        self.timeline.must("after signing up", urlsplit(page.url).path, "/checkout/")
        self.step("registered")

    def _order(self, expected: Money, *, decline_first: bool = False) -> None:
        """Order what is in the basket and pay it on the gateway's page."""
        browser = self.browser
        page = browser.open("/checkout/")
        values = {**self.buyer.form, "gateway": "simulated", "terms": "on", "early_start": "on"}
        # Another country or kind of buyer has another tax, so the page is asked for the new sum.
        page = browser.submit(page, "gateway", values, button="update")
        page = browser.submit(page, "gateway", values, button="order")
        if "card_number" not in page.text:
            raise Differs(f"no payment page after ordering: {page.url} ({page.status})")
        owed = standing(self.buyer.email, self.buyer.currency, None).owed
        if self.gross:
            self.timeline.must("the order's total", owed, expected)
        self.step("ordered")
        if decline_first:
            page = browser.submit(page, "card_number", {"card_number": DECLINED_CARD}, button="pay")
            self.step("first card declined, nothing paid")
        page = browser.submit(page, "card_number", {"card_number": CARD}, button="pay")
        self._ok(page, "return page")
        wait_for("the order runs", lambda: self._reloads_to_ready(page.url))
        self.step("paid, and everything that was ordered is there")

    def _reloads_to_ready(self, url: str) -> bool | None:
        """A customer who reloads the page; it says when everything is ready."""
        page = self.browser.open(url)
        return True if 'data-stage="ready"' in page.text else None

    def _account(self, price: Price) -> None:
        self.timeline.must("balance on the dialler", self.balance(), price.credit)
        self.timeline.must("limits on the dialler", self.limits(), limits_of(price))

    def _login(self) -> None:
        """Find the mail, open its one-time link, and sign in at the dialler with what it shows."""
        mail = self._mail("login-details")
        page = self.browser.open(mail.link("login-details"))
        page = self.browser.submit(page, "deed")
        shown = re.findall(r"data-copy-source>([^<]+)<", page.text)
        if len(shown) != 3:
            raise Differs(f"the one-time page shows {len(shown)} of 3 details")
        address, username, password = shown
        answer = requests.post(
            address, data={"username": username, "password": password}, timeout=10
        )
        self.timeline.must("signing in at the dialler", answer.status_code, 200)
        again = self.browser.open(mail.link("login-details"))
        if password in again.text:
            raise Differs("the one-time link shows the password twice")
        self.step(f"signed in at the dialler as {username}")

    def top_up(self, price: Price, expected: Money) -> None:
        subscription = subscription_of(self.buyer.email)
        assert subscription is not None
        page = self.browser.open(f"/account/services/{subscription.public_id}/")
        self._ok(page, "service page")
        forms = [form for form in page.forms if form.fields.get("price") == str(price.pk)]
        if not forms:
            raise Differs(f"the service page does not offer {price}")
        page = self.browser.send(page, forms[0])
        self._order(price.amount)
        self.timeline.must("balance after the top-up", self.balance(), expected)

    def _papers(self) -> None:
        """Both invoices are paid and can be had as PDF; the receipt was mailed."""
        page = self.browser.open("/account/invoices/")
        invoice = re.compile(r"/invoices/[0-9a-f-]{36}/$")
        links = sorted({link for link in page.links if invoice.search(link)})
        self.timeline.must("number of invoices", len(links), 2)
        for link in links:
            document = self.browser.session.get(f"{link}pdf/", timeout=30)
            self.timeline.must("begin of the PDF", document.content[:5], b"%PDF-")
        self.step("downloaded the invoices")

    def _mail(self, holding: str) -> Page:
        """Read the demo's mailbox until a mail to this customer holds the link."""

        def look() -> Page | None:
            box = self.browser.open("/demo/mailbox/")
            for link in box.links:
                if re.search(r"/demo/mailbox/\d+/$", link):
                    mail = self.browser.open(link)
                    if self.buyer.email in mail.text and holding in mail.text:
                        return mail
            return None

        return wait_for(f"the mail with {holding}", look)

    def remote(self) -> dict[str, str]:
        subscription = subscription_of(self.buyer.email)
        if subscription is None or subscription.account is None:
            raise Differs("there is no account")
        account = subscription.account
        address = urlsplit(account.server.base_url)
        url = f"{address.scheme}://{address.netloc}/_sim/accounts"
        remotes = requests.get(url, timeout=10).json()
        for remote in remotes:
            if remote["username"] == account.username:
                return dict(remote)
        raise Differs(f"{account.username} is not on the dialler")

    def balance(self) -> Money:
        return Money.rounded(Decimal(self.remote()["balance"]), self.buyer.currency)

    def limits(self) -> tuple[object, ...]:
        """Return what the dialler enforces: tariff, channels, services."""
        remote = self.remote()
        services = ",".join(sorted(remote["services"].split(",")))
        return remote["rate_plan"], int(remote["channels"]), services

    def _ok(self, page: Page, what: str) -> None:
        self.timeline.must(f"{what} ({page.url})", page.status, 200)

    def is_gone(self) -> bool:
        """Say whether the dialler knows the account no more."""
        try:
            self.remote()
        except Differs:
            return True
        return False

    def step(self, text: str) -> None:
        """Print a line of the timeline with what is true now."""
        try:
            balance = self.balance()
        except Differs:
            balance = None
        now = standing(self.buyer.email, self.buyer.currency, balance)
        self.timeline.step(text, now)


def limits_of(price: Price) -> tuple[object, ...]:
    """Return what the dialler should enforce for the price, as `Road.limits` reads it."""
    package = price.package
    assert package.tariff is not None, "A package that opens an account has a tariff."
    return package.tariff.remote_id, package.channels, ",".join(sorted(package.services))
