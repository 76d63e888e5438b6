"""Money that comes late, on detours, or while the shop cannot use it: none of it is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from billing import payment_checks, payments
from billing.gateways.base import GatewayRefused
from billing.models import GatewayEvent, Invoice, Payment
from provisioning import runner
from provisioning.models import Job, Server
from provisioning.simulator.simulator import Simulator
from tests import world
from tests.billing import orders
from tests.clock import Clock
from tests.processes import wait_until
from tests.story import Customer, Gateway, everything_is_there_once

QUARTER = timedelta(minutes=15)


def test_a_payment_while_every_server_is_drained_counts_and_its_account_comes_later(
    customer: Customer, gateway: Gateway, shop: Simulator, clock: Clock
) -> None:
    gateway.webhooks(hold=True)
    customer.registers()
    customer.chooses("business")
    page = customer.orders()
    active = list(Server.objects.filter(active=True).values_list("pk", flat=True))
    Server.objects.update(active=False)
    assert customer.pays(page).status == 200
    gateway.webhooks(release="as_is")
    wait_until(GatewayEvent.objects.exists, what="the webhook")
    for _ in range(3):
        clock.advance(minutes=2)
    assert GatewayEvent.objects.get().state == GatewayEvent.State.PROCESSED
    assert Invoice.objects.get().state == Invoice.State.PAID
    job = Job.objects.get(kind=Job.Kind.CREATE)
    assert (job.state, job.reason, job.tries) == (Job.State.WAITING, runner.NO_ROOM, 0)
    assert shop.log()["requests"] == []
    Server.objects.filter(pk__in=active).update(active=True)
    clock.advance(minutes=1)
    everything_is_there_once(shop)


def test_a_refused_second_tab_does_not_lose_what_the_first_one_pays(
    customer: Customer, gateway: Gateway, shop: Simulator, clock: Clock
) -> None:
    gateway.webhooks(drop=True)
    customer.registers()
    customer.chooses("business")
    customer.orders()
    first = Payment.objects.get()
    begun = {"external_id": first.external_id, "redirect_url": first.redirect_url}
    # The gateway has answered the first tab, which has not written it down yet.
    Payment.objects.update(external_id=None, redirect_url="")
    with pytest.raises(GatewayRefused):
        payments.start(
            first.invoice, "simulated", return_url="http://x/", at=clock.now(), actor="test"
        )
    assert Payment.objects.get().state == Payment.State.FAILED
    Payment.objects.update(**begun)
    gateway.pays(first)
    clock.advance(minutes=2)
    everything_is_there_once(shop)


def test_a_payment_nobody_finishes_is_asked_about_for_two_days(
    customer: Customer, gateway: Gateway, shop: Simulator, clock: Clock
) -> None:
    customer.registers()
    customer.chooses("business")
    customer.orders()
    payment = Payment.objects.get()
    at = begun_at = payment.created_at
    while payment.next_check_at is not None:
        assert payment.next_check_at - at <= QUARTER
        at = payment.next_check_at
        payment_checks.check_due(payment, at=at, actor="test")
        payment.refresh_from_db()
    assert timedelta(days=2) <= at - begun_at <= timedelta(days=2) + QUARTER
    assert payment.state == Payment.State.CREATED
    asked = [each for each in gateway.simulator.log()["calls"] if each["method"] == "GET"]
    assert len(asked) == payment.checks


def test_an_event_of_a_gateway_that_was_switched_off_is_parked_in_the_end(
    customer: Customer, gateway: Gateway, shop: Simulator, clock: Clock, settings: Settings
) -> None:
    config = settings.SIMULATED_GATEWAY
    customer.registers()
    customer.chooses("business")
    customer.orders()
    payment = Payment.objects.get()
    gateway.pays(payment)
    wait_until(GatewayEvent.objects.exists, what="the webhook")
    settings.SIMULATED_GATEWAY = {**config, "url": ""}
    for _ in range(30):
        clock.advance(minutes=11)
    event = GatewayEvent.objects.get()
    assert (event.state, event.note) == (GatewayEvent.State.PARKED, "NotConfigured")
    payment.refresh_from_db()
    assert payment.state == Payment.State.CREATED
    settings.SIMULATED_GATEWAY = config
    clock.advance(minutes=16)
    everything_is_there_once(shop)


def test_an_open_payment_of_a_gateway_no_longer_offered_holds_up_no_other(
    customer: Customer, gateway: Gateway, shop: Simulator, clock: Clock, settings: Settings
) -> None:
    user, buyer = world.customer("transfer@example.com", at=clock.now())
    order = orders.place(user, buyer, "business", at=clock.now())
    payments.start(
        order.invoice, "bank_transfer", return_url="http://x/", at=clock.now(), actor="test"
    )
    settings.BANK_TRANSFER = False
    gateway.webhooks(drop=True)
    customer.registers()
    customer.chooses("business")
    customer.orders()
    payment = Payment.objects.get(gateway="simulated")
    gateway.pays(payment)
    clock.advance(minutes=2)
    payment.refresh_from_db()
    assert payment.state == Payment.State.SUCCEEDED
