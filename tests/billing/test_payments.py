"""What a gateway says is written down, whatever the order: success is final, nothing is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from billing import payments
from billing.gateways import bank_transfer
from billing.gateways.base import PaymentSnapshot, PaymentState
from billing.models import Allocation, Invoice, LedgerTransaction, Payment
from packages.money import Money
from packages.states import history_of
from tests.guards import rows

AT = rows.AT
State = Payment.State


@pytest.fixture
def payment(db: None) -> Payment:
    """An open card payment of 49.00 for an open invoice without an order."""
    world = rows.make()
    Allocation.objects.all().delete()
    made = Payment.objects.get(pk=world["payment"].pk)
    made.invoice = Invoice.objects.get(pk=world["bare"].pk)
    made.next_check_at = AT
    made.save()
    return made


def test_a_success_settles_the_invoice_once(payment: Payment) -> None:
    for _ in range(3):
        told(payment, "succeeded")
    invoice = Invoice.objects.get(pk=payment.invoice_id)
    assert (invoice.state, invoice.paid_minor) == (Invoice.State.PAID, 49_00)
    assert Allocation.objects.get().amount_minor == 49_00
    assert LedgerTransaction.objects.filter(payment=payment).count() == 1


@pytest.mark.parametrize("later", ["processing", "failed", "cancelled", "open"])
def test_a_success_is_never_taken_back(payment: Payment, later: PaymentState) -> None:
    told(payment, "succeeded")
    before = history_of(payment).count()
    assert told(payment, later).state == State.SUCCEEDED
    assert history_of(payment).count() == before


@pytest.mark.parametrize("earlier", ["failed", "cancelled"])
def test_a_success_is_believed_after_a_failure(payment: Payment, earlier: PaymentState) -> None:
    told(payment, earlier)
    assert told(payment, "succeeded").state == State.SUCCEEDED


@pytest.mark.parametrize("amount", [Money(48_99, "EUR"), Money(49_01, "EUR"), Money(49_00, "USD")])
def test_another_amount_credits_nothing(payment: Payment, amount: Money) -> None:
    snapshot = PaymentSnapshot("pay_1", "", "succeeded", amount, succeeded_at=AT)
    with pytest.raises(payments.Mismatch):
        payments.record(snapshot, "simulated", at=AT, actor="test")
    assert stored(payment).state == State.CREATED
    assert not Allocation.objects.exists()


def test_another_id_at_the_gateway_credits_nothing(payment: Payment) -> None:
    snapshot = PaymentSnapshot("pay_9", payment.key.hex, "succeeded", payment.amount)
    with pytest.raises(payments.UnknownPayment):
        payments.record(snapshot, "simulated", at=AT, actor="test")
    assert stored(payment).state == State.CREATED


def test_a_webhook_before_our_answer_finds_the_payment_by_its_key(payment: Payment) -> None:
    Payment.objects.filter(pk=payment.pk).update(external_id=None)
    snapshot = PaymentSnapshot("pay_7", payment.key.hex, "succeeded", payment.amount)
    payments.record(snapshot, "simulated", at=AT, actor="test")
    assert (stored(payment).state, stored(payment).external_id) == (State.SUCCEEDED, "pay_7")


def test_a_failed_payment_that_goes_on_is_asked_about_again(payment: Payment) -> None:
    told(payment, "failed")
    assert stored(payment).next_check_at is None
    told(payment, "processing")
    assert stored(payment).state == State.PROCESSING
    assert stored(payment).next_check_at == AT + payments.FIRST_CHECK


def test_a_given_up_payment_that_goes_on_does_not_disturb_the_open_one(payment: Payment) -> None:
    told(payment, "cancelled")
    other = another_open(payment)
    told(payment, "processing")
    assert stored(payment).state == State.CANCELLED
    assert stored(payment).next_check_at == AT + payments.FIRST_CHECK
    assert stored(other).state == State.CREATED
    assert told(payment, "succeeded").state == State.SUCCEEDED


def told(payment: Payment, state: PaymentState) -> Payment:
    """Record what the gateway says."""
    succeeded: dict[str, Any] = {"succeeded_at": AT} if state == "succeeded" else {}
    snapshot = PaymentSnapshot("pay_1", "", state, payment.amount, **succeeded)
    return payments.record(snapshot, "simulated", at=AT, actor="test")


def another_open(payment: Payment) -> Payment:
    return Payment.objects.create(
        customer=payment.customer,
        invoice=payment.invoice,
        gateway="bank_transfer",
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        created_at=AT,
    )


def stored(payment: Payment) -> Payment:
    return Payment.objects.get(pk=payment.pk)


def test_nothing_succeeds_before_it_was_begun(payment: Payment) -> None:
    behind = payment.created_at - timedelta(days=180)
    snapshot = PaymentSnapshot("pay_1", "", "succeeded", payment.amount, succeeded_at=behind)
    after = payments.record(snapshot, "simulated", at=AT, actor="test")
    assert after.succeeded_at == after.created_at


@pytest.mark.parametrize(("hours", "counts_from_bank"), [(-36, True), (-13, True), (-6, False)])
def test_a_transfer_counts_from_its_day_at_the_bank(
    payment: Payment, hours: int, counts_from_bank: bool
) -> None:
    """Of which it knows no hour; on the day the customer chose to transfer it, from that moment."""
    told(payment, "cancelled")
    transfer = another_open(payment)
    there = transfer.created_at + timedelta(hours=hours)
    snapshot = bank_transfer.confirmed(transfer.key.hex, transfer.amount, there)
    after = payments.record(snapshot, "bank_transfer", at=AT, actor="test")
    assert after.succeeded_at == (there if counts_from_bank else transfer.created_at)
