"""A refund that succeeded and came back days later, over HTTP and by signed webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from billing import (
    balances,
    credit_notes,
    events,
    failed_refunds,
    gateways,
    invariants,
    refunds,
    tasks,
    troubles,
)
from billing.models import Difference, GatewayEvent, LedgerTransaction, Mail, Payment, Refund, User
from packages.money import Money
from packages.states import history_of
from provisioning.simulator.simulator import Simulator
from tests import stripes
from tests.billing import orders
from tests.clock import Clock
from tests.desk import pages
from tests.guards.connections import together
from tests.paypals import PayPal
from tests.processes import wait_until
from tests.scenarios.conftest import Door
from tests.scenarios.gateway_books import book
from tests.scenarios.test_events_at_once import paid
from tests.stripes import Stripe

State, Way = Refund.State, Refund.Way
SUM = Money(28_00, "EUR")


@pytest.fixture(params=["stripe", "paypal"])
def door(site: str, request: pytest.FixtureRequest) -> Iterator[Door]:
    """Each of the gateways that tell of single refunds."""
    if request.param == "paypal":
        yield Door("paypal", request.getfixturevalue("paypal"))
        return
    with stripes.offered(f"{site}/webhooks/stripe/") as stripe:
        yield Door("stripe", stripe)


@pytest.fixture
def payment(door: Door, shop: Simulator, clock: Clock) -> Payment:
    """A payment whose invoice was credited, so that all of it is on the balance."""
    made = paid(door, orders.buyer(at=clock.now()), clock)
    clock.work()
    credit_notes.issue(made.invoice, reason="Outage", at=clock.now(), actor="staff:1")
    return made


@pytest.mark.parametrize("order", ["as_is", "reversed", "shuffled"])
def test_a_refund_that_comes_back_is_taken_back_once_in_whatever_order_its_events_come(
    door: Door, payment: Payment, clock: Clock, order: str
) -> None:
    held = book(door.code, "clearing")
    door.gateway.webhooks(hold=True, duplicates=2)
    refund = sent(payment, clock)
    assert book(door.code, "clearing") == held - SUM.minor
    fails(door)
    due = GatewayEvent.objects.count() + {"stripe": 4, "paypal": 2}[door.code]
    door.gateway.webhooks(release=order)
    wait_until(lambda: GatewayEvent.objects.count() == due, what="the webhooks")
    clock.work()
    came_back_once(refund, payment)
    assert book(door.code, "clearing") == held
    assert not GatewayEvent.objects.filter(state__in=["parked", "received"]).exists()
    again = ask(payment, clock, way=Way.TRANSFER)
    refunds.confirm(again, reference="SEPA 4711", at=clock.now(), actor="staff:1")
    assert balances.of(payment.customer, "EUR") == payment.amount - SUM
    assert invariants.violations() == []


def test_its_events_for_many_workers_beside_the_sweep_take_it_back_once(
    door: Door, payment: Payment, clock: Clock
) -> None:
    refund = sent(payment, clock)
    door.gateway.webhooks(duplicates=4)
    fails(door)
    wait_until(lambda: GatewayEvent.objects.filter(kind__icontains="fail").exists(), what="events")
    clock.shift(days=1, minutes=1)

    def work(worker: int) -> None:
        if worker >= 3:
            failed_refunds.look(refund.pk, at=clock.now())
            return
        for each in GatewayEvent.objects.order_by("pk").values_list("pk", flat=True):
            events.process(each, at=clock.now())

    assert together(work, 5) == [None] * 5
    wait_until(lambda: told(clock) and fresh(refund).state == "failed", what="its failure")
    came_back_once(refund, payment)


def test_without_any_event_the_sweep_finds_it_within_a_day_and_an_older_answer_books_nothing(
    door: Door, payment: Payment, clock: Clock
) -> None:
    door.gateway.webhooks(drop=True)
    refund = sent(payment, clock)
    gateway = gateways.get(door.code, livemode=payment.livemode)
    older = gateway.fetch_payment(str(payment.external_id))
    fails(door)
    tasks.sweep_refunds()
    assert fresh(refund).state == State.SUCCEEDED
    clock.shift(days=1, minutes=1)
    tasks.sweep_refunds()
    came_back_once(refund, payment)
    failed_refunds.learn(fresh(payment), older, at=clock.now(), actor="test")
    refunds.record_outside(fresh(payment), older, at=clock.now(), actor="test")
    came_back_once(refund, payment)


def test_one_that_stays_is_asked_about_for_some_weeks(
    door: Door, payment: Payment, clock: Clock
) -> None:
    door.gateway.webhooks(drop=True)
    refund = sent(payment, clock)
    clock.shift(days=20)
    tasks.sweep_refunds()
    assert fresh(refund).next_attempt_at is not None
    clock.shift(days=20)
    tasks.sweep_refunds()
    assert (fresh(refund).state, fresh(refund).next_attempt_at) == (State.SUCCEEDED, None)
    assert Mail.objects.filter(template="refund_returned").count() == 0


def test_one_that_was_made_at_the_gateway_by_hand_is_taken_back_as_well(
    door: Door, payment: Payment, clock: Clock
) -> None:
    asked = {"amount_minor": 28_00} if door.code == "stripe" else {"value": "28.00"}
    door.gateway.control(f"payments/{payment.external_id}/refund", **asked)
    wait_until(lambda: told(clock) and Refund.objects.exists(), what="the refund")
    refund = Refund.objects.get()
    assert (refund.way, refund.state, refund.amount) == (Way.OUTSIDE, State.SUCCEEDED, SUM)
    fails(door)
    wait_until(lambda: told(clock) and fresh(refund).state == "failed", what="its failure")
    came_back_once(refund, payment)


def test_staff_are_told_until_somebody_has_dealt_with_it(
    door: Door, payment: Payment, clock: Clock
) -> None:
    refund = sent(payment, clock)
    fails(door)
    wait_until(lambda: told(clock) and fresh(refund).state == "failed", what="its failure")
    refund = fresh(refund)
    assert "came back" in refund.note
    assert [each.facts for each in troubles._refunds()] == [{"count": 1}]
    staff = Client()
    staff.force_login(User.objects.create_superuser("staff@example.com", "correct-horse"))
    page = staff.get("/admin/billing/refund/?needs=staff").content.decode()
    assert f"#{refund.pk}" in page
    assert pages.offered(staff, refund) == ["settled"]
    pages.press(staff, refund, "settled", reason="Sent by transfer")
    assert list(troubles._refunds()) == []
    assert "Sent by transfer" in history_of(refund).values_list("reason", flat=True)
    assert pages.offered(staff, fresh(refund)) == []
    assert invariants.violations() == []


def test_the_hourly_comparison_sees_it_and_gateway_and_books_agree(
    door: Door, payment: Payment, clock: Clock
) -> None:
    door.gateway.webhooks(drop=True)
    refund = sent(payment, clock)
    fails(door)
    clock.shift(minutes=20)
    tasks.compare_gateways()
    came_back_once(refund, payment)
    open_ones = Difference.objects.filter(settled_at=None).exclude(kind="events")
    assert not open_ones.exists()


@pytest.mark.parametrize(("end", "state"), [("fail", "failed"), ("arrive", "succeeded")])
def test_a_refund_that_paypal_takes_from_a_bank_is_on_its_way_until_the_bank_has_spoken(
    paypal: PayPal, shop: Simulator, clock: Clock, end: str, state: str
) -> None:
    payment = paid(Door("paypal", paypal), orders.buyer(at=clock.now()), clock)
    credit_notes.issue(payment.invoice, reason="x", at=clock.now(), actor="staff:1")
    paypal.control("refunds", pending=True)
    refund = sent(payment, clock)
    assert fresh(refund).state == State.PROCESSING
    assert not Mail.objects.filter(template="refund").exists()
    paypal.control(f"refunds/{paypal.simulator['refund'][-1]['id']}/{end}")
    wait_until(lambda: told(clock) and fresh(refund).finished_at is not None, what="the end")
    assert fresh(refund).state == state
    # Who was never told that it was done need not be told that it was not.
    assert not Mail.objects.filter(template="refund_returned").exists()
    assert invariants.violations() == []


def test_of_more_refunds_than_stripe_shows_with_a_charge_the_oldest_is_seen_too(
    site: str, shop: Simulator, clock: Clock
) -> None:
    with stripes.offered(f"{site}/webhooks/stripe/") as stripe:
        payment = paid(Door("stripe", stripe), orders.buyer(at=clock.now()), clock)
        credit_notes.issue(payment.invoice, reason="x", at=clock.now(), actor="staff:1")
        made = [sent(fresh(payment), clock, Money(1_00, "EUR")) for _ in range(12)]
        oldest(stripe)
        wait_until(lambda: told(clock) and fresh(made[0]).state == "failed", what="its failure")
        states = [fresh(each).state for each in made]
        assert states == [State.FAILED, *[State.SUCCEEDED] * 11]
        assert invariants.violations() == []


def came_back_once(refund: Refund, payment: Payment) -> None:
    refund = fresh(refund)
    assert (refund.state, fresh(payment).refunded_minor) == (State.FAILED, 0)
    assert balances.of(payment.customer, "EUR") == payment.amount
    causes = LedgerTransaction.objects.filter(refund=refund).order_by("id")
    steps = [each.rpartition(":")[2] for each in causes.values_list("cause", flat=True)]
    assert steps == ["requested", "succeeded", "returned"]
    assert Refund.objects.count() == 1
    (mail,) = Mail.objects.filter(template="refund_returned")
    assert "on your balance again" in mail.text
    assert Mail.objects.filter(template="refund").count() == 1
    assert invariants.violations() == []


def sent(payment: Payment, clock: Clock, amount: Money = SUM) -> Refund:
    refund = ask(payment, clock, amount)
    return refunds.send(refund.pk, at=clock.now())


def ask(
    payment: Payment, clock: Clock, amount: Money = SUM, way: Refund.Way = Way.GATEWAY
) -> Refund:
    at = clock.now()
    return refunds.request(fresh(payment), amount, way=way, reason="x", at=at, actor="staff:1")


def fails(door: Door) -> None:
    made = door.gateway.simulator["refund"][-1]["id"]  # type: ignore[index]
    door.gateway.control(f"refunds/{made}/fail")


def oldest(stripe: Stripe) -> None:
    stripe.control(f"refunds/{stripe.simulator['refund'][0]['id']}/fail")


def told(clock: Clock) -> bool:
    """Process what has come by now."""
    clock.work()
    return True


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)
