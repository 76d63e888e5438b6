"""A page that nobody is to pay on any more is closed at its gateway; who was faster has paid."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from billing import desk, invariants, ledger, payments, tasks
from billing.models import LedgerAccount, Payment
from tests import payments as paying
from tests import stripes
from tests.billing import orders
from tests.clock import Clock
from tests.stripes import Stripe

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
State = Payment.State


@pytest.fixture
def stripe(transactional_db: None) -> Iterator[Stripe]:
    with stripes.offered() as stripe:
        yield stripe


@pytest.fixture
def begun(stripe: Stripe) -> Payment:
    """A payment with its page open at Stripe."""
    orders.seeded(at=AT)
    user, customer = orders.buyer(at=AT)
    invoice = orders.place(user, customer, "business", at=AT).invoice
    return payments.start(invoice, "stripe", return_url="http://shop/", at=AT, actor="test")


def swept(payment: Payment, clock: Clock) -> Payment:
    clock.shift(minutes=2)
    tasks.sweep_payments()
    payment.refresh_from_db()
    return payment


def pages(stripe: Stripe) -> list[str]:
    return [each["status"] for each in stripe.simulator["checkout.session"]]


def test_the_page_of_a_payment_that_was_begun_anew_elsewhere_is_closed(
    begun: Payment, stripe: Stripe, clock: Clock
) -> None:
    chosen = payments.start(
        begun.invoice, "bank_transfer", return_url="http://shop/", at=AT, actor="test"
    )
    given_up = swept(begun, clock)
    assert pages(stripe) == ["expired"]
    assert (given_up.state, given_up.next_check_at) == (State.CANCELLED, None)
    chosen.refresh_from_db()
    assert chosen.state == State.CREATED


def test_the_page_of_an_invoice_that_was_paid_otherwise_is_closed(
    begun: Payment, stripe: Stripe, clock: Clock
) -> None:
    desk.book_transfer(begun.invoice, begun.amount, at=AT, actor="staff:1")
    assert swept(begun, clock).state == State.CANCELLED
    assert pages(stripe) == ["expired"]


def test_who_paid_before_the_page_was_closed_has_paid(
    begun: Payment, stripe: Stripe, clock: Clock
) -> None:
    paying.pay(begun.invoice, at=AT)
    stripe.control(f"payments/{begun.external_id}/pay")
    assert swept(begun, clock).state == State.SUCCEEDED
    credit = LedgerAccount.Kind.CUSTOMER_CREDIT
    held = ledger.balance(credit, customer=begun.customer, currency=begun.currency)
    assert held == -begun.amount
    assert invariants.violations() == []
