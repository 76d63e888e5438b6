"""Money goes back once, only from the balance, and never more than was paid."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from billing import (
    balances,
    credit_notes,
    desk,
    events,
    invariants,
    payment_checks,
    payments,
    refunds,
    settlements,
)
from billing.models import GatewayEvent, Invoice, Mail, Payment, Refund, User
from packages.desk import Impossible
from packages.states import history_of
from tests import payments as pay
from tests.billing import orders, saved
from tests.billing.orders import euros
from tests.desk import pages
from tests.story import Gateway

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = AT + timedelta(minutes=5)
State, Way = Refund.State, Refund.Way


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with saved.open_gateway() as gateway:
        yield gateway


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("staff@example.com", "correct-horse"))
    return client


@pytest.fixture
def payment(db: None, gateway: Gateway) -> Payment:
    """A card payment of 128.00 for an order."""
    orders.seeded(at=AT)
    invoice = orders.place(*orders.buyer(at=AT), "business", at=AT).invoice
    begun = payments.start(invoice, "simulated", return_url="http://shop/", at=AT, actor="test")
    gateway.pays(begun)
    payment_checks.check(begun, at=AT, actor="test")
    begun.refresh_from_db()
    return begun


def test_a_credit_note_and_its_refund_are_one_step(payment: Payment, gateway: Gateway) -> None:
    note, (refund,) = refunds.credit(
        payment.invoice, way=Way.GATEWAY, reason="Outage", at=AT, actor="staff:1"
    )
    assert (note.total, refund.amount, refund.state) == (
        euros(128_00),
        euros(128_00),
        State.REQUESTED,
    )
    assert balances.of(payment.customer, "EUR") == euros(0)
    assert invariants.violations() == []
    done = refunds.send(refund.pk, at=LATER)
    assert (done.state, done.finished_at) == (State.SUCCEEDED, LATER)
    assert "€128.00" in Mail.objects.get(template="refund").text
    assert given_back(gateway) == [128_00]
    assert refunds.send(refund.pk, at=LATER).state == State.SUCCEEDED
    assert given_back(gateway) == [128_00]
    assert invariants.violations() == []


def test_only_what_is_on_the_balance_goes_back(payment: Payment) -> None:
    with pytest.raises(refunds.NotRefundable):
        ask(payment, 1_00)
    credit_notes.issue(
        payment.invoice, part_of(payment.invoice, 20_00), reason="x", at=AT, actor="staff:1"
    )
    with pytest.raises(refunds.NotRefundable):
        ask(payment, 20_01)
    ask(payment, 15_00)
    with pytest.raises(refunds.NotRefundable):
        ask(payment, 5_01)
    assert refunds.left_of(fresh(payment)) == euros(5_00)
    assert invariants.violations() == []


def test_never_more_than_was_paid_goes_back(payment: Payment) -> None:
    """The balance may hold other money: a payment still gives back no more than it was."""
    credit_notes.issue(payment.invoice, reason="x", at=AT, actor="staff:1")
    other = orders.place(payment.customer.users.get(), payment.customer, "business", at=AT).invoice
    credit_notes.issue(other, reason="x", at=AT, actor="staff:1")
    again(payment)
    assert balances.of(payment.customer, "EUR") == euros(256_00)
    ask(payment, 128_00)
    with pytest.raises(refunds.NotRefundable):
        ask(fresh(payment), 1)


def test_a_lost_answer_is_asked_for_with_the_same_key(payment: Payment, gateway: Gateway) -> None:
    refund = credited(payment)
    path = f"/v1/payments/{payment.external_id}/refunds"
    gateway.misbehaves(path, times=1, apply="yes", answer="reset")
    assert refunds.send(refund.pk, at=AT).state == State.PROCESSING
    assert refunds.waiting(at=AT + timedelta(seconds=29)) == []
    assert refunds.waiting(at=AT + timedelta(seconds=30)) == [refund.pk]
    assert refunds.send(refund.pk, at=LATER).state == State.SUCCEEDED
    assert given_back(gateway) == [128_00]
    assert invariants.violations() == []


def test_what_the_gateway_refuses_waits_for_staff(
    payment: Payment, gateway: Gateway, staff: Client
) -> None:
    refund = credited(payment)
    gateway.control(f"payments/{payment.external_id}/refund")
    parked = refunds.send(refund.pk, at=AT)
    assert (parked.state, "Refused" in parked.note) == (State.PARKED, True)
    assert pages.offered(staff, parked) == ["again", "give-up"]
    pages.press(staff, parked, "again")
    assert fresh(parked).state in (State.PROCESSING, State.PARKED)
    refunds.send(refund.pk, at=datetime.now(tz=UTC) + timedelta(days=1))
    pages.press(staff, fresh(parked), "give-up", reason="Refunded at the gateway already")
    assert fresh(parked).state == State.FAILED
    assert balances.of(payment.customer, "EUR") == euros(128_00)
    assert refunds.left_of(fresh(payment)) == euros(128_00)
    assert invariants.violations() == []


def test_a_refund_by_transfer_is_confirmed_with_its_reference(
    payment: Payment, staff: Client
) -> None:
    credit_notes.issue(payment.invoice, reason="x", at=AT, actor="staff:1")
    pages.press(staff, payment, "refund", amount="28.00", way="transfer", reason="Outage")
    refund = Refund.objects.get()
    assert (refund.state, refunds.waiting(at=LATER)) == (State.REQUESTED, [])
    pages.press(staff, refund, "sent", reference="SEPA 4711")
    refund.refresh_from_db()
    assert (refund.state, refund.reference) == (State.SUCCEEDED, "SEPA 4711")
    assert "SEPA 4711" in Mail.objects.get(template="refund").text
    assert invariants.violations() == []


def test_staff_see_both_sums_before_they_credit_and_refund(payment: Payment, staff: Client) -> None:
    invoice = payment.invoice
    ids = list(invoice.lines.order_by("position").values_list("pk", flat=True))
    fields = {f"line_{ids[0]}": "9.00", f"line_{ids[1]}": "", "reason": "Outage", "way": "gateway"}
    page = pages.press(staff, invoice, "credit", **fields).content.decode()
    assert "€9.00 go back to the customer." in page
    assert not invoice.credit_notes.exists()
    pages.submit(staff, invoice, "credit", {**pages.hidden(page), **fields})
    assert Refund.objects.get().amount == euros(9_00)
    assert invoice.credit_notes.get().total == euros(9_00)


def test_a_refund_made_at_the_gateway_is_booked_when_a_credit_note_says_why(
    payment: Payment, gateway: Gateway
) -> None:
    gateway.control(f"payments/{payment.external_id}/refund", amount_minor=20_00)
    event = refunded_event(payment)
    events.process(event.pk, at=AT)
    event.refresh_from_db()
    assert (event.state, "credit the invoice" in event.note) == ("parked", True)
    credit_notes.issue(
        payment.invoice, part_of(payment.invoice, 20_00), reason="x", at=AT, actor="staff:1"
    )
    assert desk.process_again(event, at=LATER, actor="staff:1").state == "processed"
    refund = Refund.objects.get()
    assert (refund.way, refund.state, refund.amount) == (
        Way.OUTSIDE,
        State.SUCCEEDED,
        euros(20_00),
    )
    twin = refunded_event(payment, external_id="evt_2")
    events.process(twin.pk, at=LATER)
    assert Refund.objects.count() == 1
    assert invariants.violations() == []


def test_our_own_refund_is_not_taken_for_one_from_outside(
    payment: Payment, gateway: Gateway
) -> None:
    refunds.send(credited(payment).pk, at=AT)
    event = refunded_event(payment)
    events.process(event.pk, at=AT)
    event.refresh_from_db()
    assert (event.state, Refund.objects.count()) == ("processed", 1)


def test_a_smaller_transfer_leaves_the_rest_open(db: None) -> None:
    orders.seeded(at=AT)
    invoice = orders.place(*orders.buyer(at=AT), "business", at=AT).invoice
    begun = pay.begin(invoice, at=AT)
    with pytest.raises(Impossible):
        desk.confirm_transfer(begun, euros(100_00), at=AT, actor="staff:1")
    desk.confirm_transfer(begun, euros(100_00), differs=True, at=AT, actor="staff:1")
    invoice.refresh_from_db()
    assert (invoice.state, invoice.due) == (Invoice.State.OPEN, euros(28_00))
    mail = Mail.objects.get(template="part_paid")
    assert "€28.00 is still to be paid" in mail.text
    assert "EUR 100.00" in " ".join(history_of(begun).values_list("reason", flat=True)) or (
        history_of(begun).filter(reason__contains="arrived instead of").exists()
    )
    desk.book_transfer(invoice, euros(40_00), at=LATER, actor="staff:1")
    invoice.refresh_from_db()
    assert invoice.state == Invoice.State.PAID
    assert balances.of(invoice.customer, "EUR") == euros(12_00)
    with pytest.raises(Impossible):
        desk.book_transfer(invoice, euros(1_00), at=LATER, actor="staff:1")
    assert invariants.violations() == []


def test_what_nobody_will_pay_is_written_off(db: None, staff: Client) -> None:
    orders.seeded(at=AT)
    order = orders.place(*orders.buyer(at=AT), "business", at=AT)
    begun = pay.begin(order.invoice, at=AT)
    desk.book_transfer(order.invoice, euros(28_00), at=AT, actor="staff:1")
    pages.press(staff, order.invoice, "write-off", reason="Insolvent")
    invoice = fresh(order.invoice)
    assert (invoice.state, invoice.written_off_minor, invoice.due) == (
        "written_off",
        100_00,
        euros(0),
    )
    assert (fresh(order).state, pages.offered(staff, invoice)) == ("cancelled", [])
    with pytest.raises(settlements.NotOpen):
        settlements.write_off(invoice, reason="x", at=AT, actor="staff:1")
    with pytest.raises(credit_notes.NotCreditable):
        credit_notes.issue(invoice, reason="x", at=AT, actor="staff:1")
    assert fresh(begun).state == Payment.State.SUCCEEDED
    again(fresh(begun))
    assert balances.of(invoice.customer, "EUR") == euros(28_00)
    assert invariants.violations() == []


def credited(payment: Payment) -> Refund:
    _, (refund,) = refunds.credit(
        payment.invoice, way=Way.GATEWAY, reason="Outage", at=AT, actor="staff:1"
    )
    return refund


def ask(payment: Payment, minor: int) -> Refund:
    return refunds.request(
        payment, euros(minor), way=Way.GATEWAY, reason="x", at=AT, actor="staff:1"
    )


def part_of(invoice: Invoice, minor: int) -> dict[int, Any]:
    line = invoice.lines.order_by("position")[0]
    return {line.pk: euros(minor)}


def again(payment: Payment) -> None:
    """Let the customer pay the same invoice once more, by transfer."""
    copy = Payment.objects.create(
        customer=payment.customer,
        invoice=payment.invoice,
        gateway="bank_transfer",
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        created_at=AT,
    )
    pay.arrive(copy, at=AT)


def refunded_event(payment: Payment, *, external_id: str = "evt_1") -> GatewayEvent:
    return GatewayEvent.objects.create(
        gateway="simulated",
        account="shop",
        livemode=False,
        external_id=external_id,
        kind="payment.refunded",
        payment_external_id=str(payment.external_id),
        body=b"{}",
        created_at=AT,
        received_at=AT,
    )


def given_back(gateway: Gateway) -> list[int]:
    return [row["amount_minor"] for row in gateway.simulator.log()["refunds"]]


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)
