"""The verbs of the scenarios: what customers, the gateway and the browser do, over HTTP alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests

from billing.gateways.simulator import GatewaySimulator
from billing.models import Invoice, Mail, Order, Payment
from provisioning.models import Account, Job
from provisioning.simulator.simulator import Simulator
from storefront.walkthrough.browser import Browser, Page
from tests.world import price

ADDRESS = {
    "kind": "private",
    "name": "Ada Muster",
    "street": "Musterweg 1",
    "postcode": "20095",
    "city": "Hamburg",
    "country": "DE",
}
CONSENT = {"terms": "on", "early_start": "on"}
PASSWORD = "correct-horse-battery"


class Customer:
    """A person with a browser."""

    def __init__(self, site: str, email: str = "ada@example.com", language: str = "en") -> None:
        self.email = email
        self.browser = Browser(site, language)

    def registers(self) -> None:
        page = self.browser.open("/accounts/signup/")
        account = {"email": self.email, "password1": PASSWORD}
        assert self.browser.submit(page, "password1", account).status == 200

    def signs_in(self) -> None:
        """Sign in again: a session does not last for months."""
        self.browser.session.cookies.clear()
        page = self.browser.open("/accounts/login/")
        person = {"login": self.email, "password": PASSWORD}
        assert self.browser.submit(page, "login", person).status == 200

    def pays_invoice(self, invoice: Invoice, gateway: str = "simulated") -> Page:
        """Pay an open invoice from the client area."""
        page = self.browser.open(f"/account/invoices/{invoice.public_id}/")
        page = self.browser.submit(page, "gateway", {"gateway": gateway})
        return self.pays(page) if gateway == "simulated" else page

    def chooses(self, slug: str) -> None:
        chosen = price(slug)
        page = self.browser.open(f"/packages/{slug}/")
        assert self.browser.submit(page, "price", {"price": str(chosen.pk)}).status == 200

    def orders(self, gateway: str = "simulated", **more: str) -> Page:
        """Order what is in the basket; return the page of the gateway (or of the transfer)."""
        page = self.browser.open("/checkout/")
        values = {**ADDRESS, **CONSENT, "gateway": gateway, **more}
        return self.browser.submit(page, "gateway", values, button="order")

    def pays(self, page: Page, card: str = "4242424242424242") -> Page:
        """Pay on the hosted page and come back to the shop."""
        return self.browser.submit(page, "card_number", {"card_number": card}, button="pay")

    def buys(self, slug: str) -> Page:
        self.registers()
        self.chooses(slug)
        return self.pays(self.orders())


@dataclass(frozen=True)
class Gateway:
    """The simulated gateway's hidden levers."""

    simulator: GatewaySimulator

    def control(self, path: str, **values: Any) -> None:
        url = f"{self.simulator.url}/_sim/{path}"
        assert requests.post(url, json=values, timeout=10).ok

    def misbehaves(self, path: str, **fault: Any) -> None:
        """Script the next answer of the gateway's API."""
        script = [{"path": path, **fault}]
        url = f"{self.simulator.url}/_sim/faults"
        assert requests.post(url, json=script, timeout=10).ok

    def webhooks(self, **how: Any) -> None:
        self.control("webhooks", **how)

    def pays(self, payment: Payment) -> None:
        """Let the payment succeed without any browser."""
        self.control(f"payments/{payment.external_id}/pay", outcome="succeeded")

    def answers(self) -> list[int]:
        """Return the shop's answers to the webhooks, in the order they came."""
        return [int(each["status"]) for each in self.simulator.log()["attempts"]]


def everything_is_there_once(dialler: Simulator, *, balance: str = "20.0000") -> None:
    """One account with its credit, one paid invoice, one mail with the login, all agreeing."""
    (account,) = Account.objects.all()
    assert account.state == Account.State.LIVE
    (remote,) = dialler.accounts()
    assert (remote["username"], remote["balance"]) == (account.username, balance)
    assert len(dialler.effects("create")) == 1
    assert len(dialler.effects("credit")) == Job.objects.filter(kind=Job.Kind.CREDIT).count()
    assert Order.objects.get().state == Order.State.FULFILLED
    assert Invoice.objects.get().state == Invoice.State.PAID
    assert Payment.objects.filter(state=Payment.State.SUCCEEDED).count() == 1
    assert Mail.objects.filter(template="account_ready").count() == 1
    assert Mail.objects.filter(template="receipt").count() == 1
