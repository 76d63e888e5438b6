"""Many at once: what several workers, tabs or webhooks do together is done once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail as outbox
from django.db import transaction

from billing import (
    balances,
    checkout,
    coupons,
    deliveries,
    inbox,
    invoices,
    payments,
)
from billing.gateways.base import IncomingEvent, PaymentSnapshot
from billing.models import (
    Allocation,
    Cart,
    CartLine,
    Coupon,
    GatewayEvent,
    Invoice,
    InvoiceLine,
    LedgerTransaction,
    Mail,
    NumberSeries,
    Order,
    current_brand,
)
from packages.money import Money
from provisioning import jobs, runner, secrets
from provisioning.models import Account, Circuit, Job
from tests import world as world_of
from tests.billing import orders
from tests.guards import rows
from tests.guards.connections import together

AT = rows.AT
MANY = 8


@pytest.fixture
def world(transactional_db: None) -> rows.Rows:
    return rows.make()


def test_the_same_webhook_in_parallel_is_stored_once(world: rows.Rows) -> None:
    event = IncomingEvent("evt_9", "payment.succeeded", "pay_1", False, "shop", AT, b"{}")
    stored = together(lambda _: inbox.store(event, "simulated", at=AT), MANY)
    assert sorted(type(each).__name__ for each in stored) == ["NoneType"] * 7 + ["int"]
    assert GatewayEvent.objects.filter(external_id="evt_9").count() == 1


def test_the_same_payment_in_parallel_is_booked_once(world: rows.Rows) -> None:
    Allocation.objects.all().delete()
    paid = PaymentSnapshot("pay_1", "", "succeeded", Money(49_00, "EUR"), succeeded_at=AT)
    # An excess payment: no order hangs on it, so nothing but the money is looked at.
    close_invoice(world)
    results = together(lambda _: payments.record(paid, "simulated", at=AT, actor="test"), MANY)
    assert [each for each in results if isinstance(each, Exception)] == []
    assert LedgerTransaction.objects.filter(payment=world["payment"].pk).count() == 1


def test_invoices_issued_in_parallel_share_one_balance(world: rows.Rows) -> None:
    customer: Any = world["customer"]
    Invoice.objects.filter(pk=world["invoice"].pk).update(state=Invoice.State.CANCELLED)
    paid = PaymentSnapshot("pay_1", "", "succeeded", Money(49_00, "EUR"), succeeded_at=AT)
    payments.record(paid, "simulated", at=AT, actor="test")
    NumberSeries.objects.update(last=9)

    def issue(_: int) -> int:
        charge = invoices.Line(InvoiceLine.Kind.SETUP, "Line", Money(20_00, "EUR"))
        draft = invoices.Draft(customer, "EUR", "en", (charge,))
        with transaction.atomic():
            (issued,) = invoices.issue([draft], current_brand(), at=AT, actor="test")
        return issued.prepaid_minor

    assert sorted(map(str, together(issue, 4))) == ["0", "2000", "2000", "900"]
    assert balances.of(customer, "EUR") == Money(0, "EUR")


def test_a_one_time_link_opens_for_one_of_many(world: rows.Rows) -> None:
    account = Account.objects.get(pk=world["account"].pk)
    token = secrets.create(account, "hidden", cause="many", at=AT)
    opened = together(lambda _: secrets.reveal(token, at=AT), MANY)
    assert sorted(type(each).__name__ for each in opened) == ["Gone"] * 7 + ["Login"]


def test_one_mail_is_sent_by_one_of_many(world: rows.Rows, settings: Any) -> None:
    together(lambda _: deliveries.deliver(world["mail"].pk, at=AT), MANY)
    assert len(outbox.outbox) == 1
    assert Mail.objects.get(pk=world["mail"].pk).state == Mail.State.SENT


def test_jobs_asked_for_together_are_numbered_without_gap(world: rows.Rows) -> None:
    account = Account.objects.get(pk=world["account"].pk)

    def ask(index: int) -> None:
        with transaction.atomic():
            jobs.suspend(account, cause=f"test-{index}", at=AT, actor="test")

    assert together(ask, MANY) == [None] * MANY
    assert sorted(Job.objects.values_list("seq", flat=True)) == list(range(1, MANY + 2))


def test_the_same_cause_asked_for_together_is_one_job(world: rows.Rows) -> None:
    account = Account.objects.get(pk=world["account"].pk)

    def ask(_: int) -> None:
        with transaction.atomic():
            jobs.suspend(account, cause="one", at=AT, actor="test")

    assert together(ask, MANY) == [None] * MANY
    assert Job.objects.filter(cause="one").count() == 1


def test_an_expired_job_is_claimed_by_one_of_many(world: rows.Rows) -> None:
    late = AT + timedelta(hours=1)
    Circuit.objects.all().delete()
    claims = together(lambda _: runner._claim(world["account"].pk, at=late, worker="test"), MANY)
    assert sorted(type(each).__name__ for each in claims) == ["Claim"] + ["NoneType"] * 7
    assert Job.objects.get().fence == 2


def test_the_last_uses_of_a_coupon_go_to_as_many_orders(transactional_db: None) -> None:
    orders.seeded(at=AT)
    coupon = Coupon.objects.create(code="FIVE", percent_bp=1000, max_orders=5)
    buyers = [world_of.customer(f"buyer-{index}@example.com", at=AT) for index in range(20)]
    carts = [Cart.objects.create(currency="EUR", coupon=coupon, updated_at=AT) for _ in buyers]
    for cart in carts:
        CartLine.objects.create(cart=cart, price=world_of.price("starter"))
    seen = [
        checkout.quote(cart, buyer, world_of.brand(), language="en", on=rows.ON).fingerprint
        for cart, (_, buyer) in zip(carts, buyers, strict=True)
    ]
    results = together(
        lambda index: orders.order(carts[index], *buyers[index], at=AT, seen=seen[index]), 20
    )
    assert sorted(type(each).__name__ for each in results) == ["Changed"] * 15 + ["Order"] * 5
    assert (coupons.uses(coupon), Order.objects.count()) == (5, 5)


def close_invoice(world: rows.Rows) -> None:
    """Cancel the invoice, as raw SQL may: a payment for it is then the customer's credit."""
    Invoice.objects.filter(pk=world["invoice"].pk).update(state=Invoice.State.CANCELLED)
