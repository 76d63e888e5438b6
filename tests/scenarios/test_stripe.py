"""Stripe over HTTP: the shop, the official package, the stand-in, and its signed webhooks."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
import requests
from django.conf import settings
from django.db import connections
from django.test import override_settings

from billing import payment_checks, payments
from billing.gateways.base import MAX_BODY
from billing.gateways.simulator.stripe_like import signed
from billing.models import (
    Brand,
    GatewayEvent,
    Invoice,
    Mail,
    Order,
    Payer,
    Payment,
    PaymentMethod,
    Refund,
    Subscription,
)
from provisioning.simulator.simulator import Simulator
from tests import stripes
from tests.billing import renewing
from tests.clock import Clock
from tests.processes import wait_until
from tests.story import Customer, everything_is_there_once
from tests.stripes import Stripe

DEBIT, ASKS = "DE89370400440532013000", "4000002500003155"


@pytest.fixture
def stripe(site: str) -> Iterator[Stripe]:
    with stripes.offered(f"{site}/webhooks/stripe/") as stripe:
        yield stripe


@pytest.fixture
def buyer(site: str, stripe: Stripe) -> Customer:
    customer = Customer(site)
    customer.registers()
    customer.chooses("business")
    return customer


def arrived(count: int = 3) -> None:
    """Wait for the events of a payment that succeeded on the page."""
    wait_until(lambda: GatewayEvent.objects.count() >= count, what="the webhooks")


def waiting() -> bool:
    return GatewayEvent.objects.filter(state=GatewayEvent.State.RECEIVED).exists()


def test_a_purchase_is_paid_once_however_its_events_arrive(
    buyer: Customer, stripe: Stripe, shop: Simulator, clock: Clock
) -> None:
    stripe.webhooks(duplicates=2, hold=True)
    buyer.pays(buyer.orders(gateway="stripe"))
    stripe.webhooks(release="shuffled")
    wait_until(lambda: len(stripe.answers()) >= 9, what="all deliveries")
    assert set(stripe.answers()) == {200}
    clock.work()
    everything_is_there_once(shop)
    assert not waiting()
    assert stripe.charged() == [Payment.objects.get().amount_minor]
    assert Payer.objects.get().external_id == stripe.simulator["customer"][0]["id"]


def test_an_event_that_never_arrives_is_found_by_the_sweep(
    buyer: Customer, stripe: Stripe, shop: Simulator, clock: Clock
) -> None:
    stripe.webhooks(drop=True)
    buyer.orders(gateway="stripe")
    stripe.control(f"payments/{Payment.objects.get().external_id}/pay")
    assert not GatewayEvent.objects.exists()
    clock.pass_by(minutes=3)
    everything_is_there_once(shop)


def test_a_decline_gives_the_reason_and_paying_again_charges_once(
    buyer: Customer, stripe: Stripe, shop: Simulator, clock: Clock
) -> None:
    page = buyer.pays(buyer.orders(gateway="stripe"), card="4000000000009995")
    stripe.webhooks(drop=True)
    payment_checks.check(Payment.objects.get(), at=clock.now(), actor="test")
    order = buyer.browser.open(f"/orders/{Order.objects.get().public_id}/")
    assert "did not have enough funds" in order.text
    buyer.pays(page)
    clock.pass_by(minutes=1)
    everything_is_there_once(shop)
    assert len(stripe.charged()) == 1


def test_a_direct_debit_is_being_confirmed_for_days_and_then_paid(
    site: str, shop: Simulator, clock: Clock
) -> None:
    with stripes.offered(f"{site}/webhooks/stripe/", settle_seconds=5 * 86_400) as stripe:
        customer = Customer(site)
        customer.registers()
        customer.chooses("business")
        page = customer.pays(customer.orders(gateway="stripe", keep_method="on"), card=DEBIT)
        clock.work()
        assert "being confirmed" in page.text
        assert Payment.objects.get().state == Payment.State.PROCESSING
        stripe.webhooks(drop=True)
        clock.live(days=5)
        wait_until(lambda: bool(stripe.charged()), what="the debit to arrive")
        clock.advance(hours=7)
        everything_is_there_once(shop)
        assert PaymentMethod.objects.get().kind == "sepa_debit"


def test_a_kept_card_is_charged_for_renewals_and_a_bank_that_asks_gets_the_customer(
    buyer: Customer, stripe: Stripe, shop: Simulator, clock: Clock
) -> None:
    buyer.pays(buyer.orders(gateway="stripe", keep_method="on"))
    arrived()
    clock.work()
    method = PaymentMethod.objects.get()
    assert (method.brand, method.last4, method.is_default) == ("Visa", "4242", True)
    clock.live(days=31)
    assert renewing.renewals()[0].state == Invoice.State.PAID
    assert len(stripe.charged()) == 2
    assert Payer.objects.count() == len(stripe.simulator["customer"]) == 1

    stripe.later(method, "authentication_required")
    clock.live(days=31)
    mail = Mail.objects.get(template="needs_authentication")
    invoice = Invoice.objects.get(state=Invoice.State.OPEN)
    assert f"/account/invoices/{invoice.public_id}/" in mail.text
    assert PaymentMethod.objects.get().state == PaymentMethod.State.ACTIVE
    clock.live(days=8)
    assert Payment.objects.filter(invoice=invoice, turn__isnull=False).count() == 1

    buyer.signs_in()
    page = buyer.browser.open(f"/account/invoices/{invoice.public_id}/")
    page = buyer.browser.submit(page, "gateway", {"gateway": "stripe"})
    page = buyer.pays(page, card=ASKS)
    buyer.browser.submit(page, "card_number", {}, button="confirm")
    clock.work()
    invoice.refresh_from_db()
    assert invoice.state == Invoice.State.PAID
    assert len(stripe.charged()) == 3


def test_a_wallet_hands_over_a_card_that_is_kept_and_charged_for_renewals(
    buyer: Customer, stripe: Stripe, shop: Simulator, clock: Clock
) -> None:
    page = buyer.orders(gateway="stripe", keep_method="on")
    buyer.browser.submit(page, "card_number", {"card_number": ""}, button="apple_pay")
    arrived()
    clock.work()
    everything_is_there_once(shop)
    method = PaymentMethod.objects.get()
    assert (method.kind, str(method)) == ("card", "Visa, Apple Pay •••• 4242")
    clock.live(days=31)
    assert renewing.renewals()[0].state == Invoice.State.PAID
    assert len(stripe.charged()) == 2


def test_a_start_without_an_answer_is_begun_anew_and_charges_once(
    buyer: Customer, stripe: Stripe, shop: Simulator, clock: Clock
) -> None:
    path = "/v1/checkout/sessions"
    stripe.misbehaves(path, times=1, apply="no", answer="500", replay="yes")
    page = buyer.orders(gateway="stripe")
    assert "does not answer right now" in page.text
    (lost,) = Payment.objects.all()
    assert lost.state == Payment.State.CREATED
    clock.advance(minutes=3)
    invoice = Invoice.objects.get()
    page = buyer.browser.open(f"/account/invoices/{invoice.public_id}/")
    buyer.pays(buyer.browser.submit(page, "gateway", {"gateway": "stripe"}))
    clock.work()
    everything_is_there_once(shop)
    assert len(stripe.charged()) == 1


def test_a_charge_without_an_answer_is_read_and_never_sent_again(
    buyer: Customer, stripe: Stripe, shop: Simulator, clock: Clock
) -> None:
    buyer.pays(buyer.orders(gateway="stripe", keep_method="on"))
    arrived()
    clock.work()
    stripe.misbehaves("/v1/payment_intents", times=1, apply="yes", answer="500")
    clock.live(days=31)
    renewal = renewing.renewals()[0]
    assert renewal.payments.get().state == Payment.State.PROCESSING
    clock.pass_by(minutes=3)
    renewal.refresh_from_db()
    assert renewal.state == Invoice.State.PAID
    assert len(stripe.charged()) == 2


def test_refunds_of_both_sides_and_a_dispute_reach_the_books(
    buyer: Customer, stripe: Stripe, shop: Simulator, clock: Clock
) -> None:
    buyer.pays(buyer.orders(gateway="stripe"))
    arrived()
    clock.work()
    payment = Payment.objects.get()
    stripe.control(f"payments/{payment.external_id}/refund", amount_minor=5_00)
    wait_until(lambda: GatewayEvent.objects.filter(kind="charge.refunded").exists(), what="it")
    clock.work()
    event = GatewayEvent.objects.get(kind="charge.refunded")
    assert (event.state, "credit the invoice" in event.note) == ("parked", True)
    assert not Refund.objects.exists()

    stripe.control(f"payments/{payment.external_id}/dispute")
    wait_until(
        lambda: GatewayEvent.objects.filter(kind="charge.dispute.created").exists(), what="it"
    )
    clock.work()
    payment.refresh_from_db()
    assert (payment.dispute, payment.dispute_ended_at) == ("open", None)
    assert "/test/disputes/du_" in payment.dispute_url
    dispute = stripe.simulator["dispute"][0]
    stripe.control(f"disputes/{dispute['id']}/close", won=True)
    wait_until(
        lambda: GatewayEvent.objects.filter(kind="charge.dispute.closed").exists(), what="it"
    )
    clock.work()
    payment.refresh_from_db()
    assert payment.dispute == "won"
    assert payment.dispute_ended_at is not None


def event(at: datetime, **changes: Any) -> bytes:
    """An event as Stripe writes it, about a payment that exists nowhere."""
    fields = {
        "id": f"evt_{uuid.uuid4().hex}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "type": "payment_intent.succeeded",
        "created": int(at.timestamp()),
        "livemode": False,
        "data": {"object": {"id": "pi_nowhere", "object": "payment_intent"}},
        **changes,
    }
    return json.dumps(fields).encode()


def sent(
    at: datetime, body: bytes | None = None, *, secret: str = stripes.SECRET, age: int = 0
) -> tuple[bytes, dict[str, str]]:
    body = event(at) if body is None else body
    return body, signed(body, secret, at.timestamp() - age)


def deliver(site: str, body: bytes, headers: dict[str, str], code: str = "stripe") -> int:
    url = f"{site}/webhooks/{code}/"
    return requests.post(url, data=body, headers=headers, timeout=10).status_code


REFUSED: dict[str, Callable[[datetime], tuple[bytes, dict[str, str]]]] = {
    "forged": lambda at: sent(at, secret="whsec_guessed"),
    "another endpoint's": lambda at: sent(at, secret="whsec_of_stripe_ch"),
    "unsigned": lambda at: (event(at), {}),
    "changed": lambda at: (event(at), sent(at)[1]),
    "stale": lambda at: sent(at, age=301),
    "future-dated": lambda at: sent(at, age=-62),
    "oversized": lambda at: sent(at, b" " * MAX_BODY + event(at)),
    "live mode": lambda at: sent(at, event(at, livemode=True)),
    "another account's": lambda at: sent(at, event(at, account="acct_of_somebody")),
    "thin": lambda at: sent(at, event(at, object="v2.core.event")),
    "malformed": lambda at: sent(at, b"{not json"),
    "nameless": lambda at: sent(at, event(at, id=None)),
    "over-long": lambda at: sent(at, event(at, id="e" * 81)),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_not_believable_is_refused_and_stores_nothing(
    site: str, stripe: Stripe, clock: Clock, kind: str
) -> None:
    other = stripes.account(stripe.simulator.url, webhook_secrets=["whsec_of_stripe_ch"])
    both = {**settings.GATEWAY_ACCOUNTS, "stripe_ch": other}
    with override_settings(GATEWAY_ACCOUNTS=both):
        body, headers = REFUSED[kind](clock.now())
        assert deliver(site, body, headers) == (413 if kind == "oversized" else 400)
    assert not GatewayEvent.objects.exists()


@pytest.mark.parametrize("secret", [stripes.SECRET, stripes.OLDER])
def test_both_secrets_count_during_a_rotation_and_a_replay_changes_nothing(
    site: str, stripe: Stripe, clock: Clock, secret: str
) -> None:
    body, headers = sent(clock.now(), secret=secret)
    assert [deliver(site, body, headers) for _ in range(2)] == [200, 200]
    assert GatewayEvent.objects.count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "of.tomorrow", "data": {"object": {"id": "x_1", "object": "of_tomorrow"}}},
        {"api_version": "2031-01-01.tomorrow", "data": {"object": {"object": "customer"}}},
    ],
)
def test_an_event_of_a_kind_we_do_not_know_is_stored_and_ignored(
    site: str, stripe: Stripe, clock: Clock, changes: dict[str, Any]
) -> None:
    assert deliver(site, *sent(clock.now(), event(clock.now(), **changes))) == 200
    clock.work()
    assert GatewayEvent.objects.get().state == GatewayEvent.State.IGNORED


def test_a_dispute_suspends_what_was_paid_where_the_operator_says_so(
    buyer: Customer, stripe: Stripe, shop: Simulator, clock: Clock
) -> None:
    Brand.objects.update(suspends_disputed=True)
    buyer.pays(buyer.orders(gateway="stripe"))
    arrived()
    clock.work()
    payment = Payment.objects.get()
    stripe.control(f"payments/{payment.external_id}/dispute")
    wait_until(lambda: GatewayEvent.objects.filter(kind="charge.dispute.created").exists(), what="")
    clock.work()
    assert Subscription.objects.get().state == Subscription.State.SUSPENDED
    assert not shop.accounts()[0]["active"]
    dispute = stripe.simulator["dispute"][0]
    stripe.control(f"disputes/{dispute['id']}/close", won=True)
    wait_until(lambda: GatewayEvent.objects.filter(kind="charge.dispute.closed").exists(), what="")
    clock.work()
    assert Subscription.objects.get().state == Subscription.State.ACTIVE


def test_two_tabs_that_pay_at_once_open_one_page_and_charge_once(
    buyer: Customer, stripe: Stripe, shop: Simulator, clock: Clock
) -> None:
    page = buyer.orders(gateway="stripe")
    invoice = Invoice.objects.get()

    def begin() -> object:
        try:
            return payments.start(
                invoice, "stripe", return_url="http://shop/", at=clock.now(), actor="test"
            ).redirect_url
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        addresses = {future.result() for future in [pool.submit(begin) for _ in range(4)]}
    assert addresses == {Payment.objects.get().redirect_url}
    buyer.pays(page)
    arrived()
    clock.work()
    everything_is_there_once(shop)
    assert len(stripe.charged()) == len(stripe.simulator["checkout.session"]) == 1


def test_paying_by_hand_while_a_charge_is_on_its_way_is_refused(
    buyer: Customer, stripe: Stripe, shop: Simulator, clock: Clock
) -> None:
    buyer.pays(buyer.orders(gateway="stripe", keep_method="on"))
    arrived()
    clock.work()
    stripe.misbehaves("/v1/payment_intents", times=1, apply="yes", answer="500")
    clock.live(days=31)
    renewal = renewing.renewals()[0]
    buyer.signs_in()
    page = buyer.browser.open(f"/account/invoices/{renewal.public_id}/")
    assert "being confirmed" in page.text
    with pytest.raises(payments.NotPayable):
        payments.start(renewal, "stripe", return_url="http://x/", at=clock.now(), actor="test")
    clock.pass_by(minutes=3)
    assert len(stripe.charged()) == 2
