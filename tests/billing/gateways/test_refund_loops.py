"""Credit, refund, buy from the balance, refund again: in no order does more go back than came."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import Phase, settings

from billing import balances, credit_notes, invariants, payment_checks, payments, refunds, rests
from billing.gateways import get
from billing.models import Customer, Payment, Refund, User
from tests import stripes
from tests.billing import orders
from tests.billing.orders import euros
from tests.properties import given, st
from tests.stripes import Stripe

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
DEEDS = st.sampled_from(("credit", "refund", "refund", "lost", "spend"))
STEPS = st.lists(st.tuples(DEEDS, st.integers(1, 90_00)), min_size=5, max_size=8)
Person = tuple[User, Customer]


@pytest.fixture
def stripe(db: None) -> Iterator[Stripe]:
    orders.seeded(at=AT)
    with stripes.offered() as stripe:
        yield stripe


def test_in_no_order_of_credits_and_refunds_more_goes_back_than_came(stripe: Stripe) -> None:
    person = orders.buyer(at=AT)

    @settings(max_examples=4, phases=[Phase.generate])
    @given(STEPS)
    def check(steps: list[tuple[str, int]]) -> None:
        with transaction.atomic():
            payment = paid(stripe, person)
            back = 0
            for deed, minor in steps:
                back += done(stripe, person, payment, deed, minor, back=back)
                assert 0 <= balance(person) <= payment.amount_minor - back
            for refund in Refund.objects.all():
                assert refunds.send(refund.pk, at=LATER).state == Refund.State.SUCCEEDED
            there = get("stripe").fetch_payment(str(payment.external_id))
            assert there.refunded_minor == back <= payment.amount_minor
            assert invariants.violations() == []
            transaction.set_rollback(True)

    check()


def paid(stripe: Stripe, person: Person) -> Payment:
    invoice = orders.place(*person, "business", at=AT).invoice
    payment = payments.start(invoice, "stripe", return_url="http://x/", at=AT, actor="test")
    stripe.pays(payment)
    payment_checks.check(payment, at=AT, actor="test")
    payment.refresh_from_db()
    assert payment.state == Payment.State.SUCCEEDED
    return payment


def done(
    stripe: Stripe, person: Person, payment: Payment, deed: str, minor: int, *, back: int
) -> int:
    """Do one deed; return what of the payment it gives back. What must be refused is."""
    before = balance(person)
    if deed == "credit":
        _credit(payment, minor)
        assert balance(person) >= before
    elif deed == "spend":
        orders.place(*person, "flex", at=AT)
        assert balance(person) <= before
    elif minor > min(before, payment.amount_minor - back):
        with pytest.raises(refunds.NotRefundable):
            _refund(payment, minor)
        assert balance(person) == before
    else:
        if deed == "lost":
            stripe.misbehaves("/v1/refunds", method="POST", times=1, apply="yes", answer="500")
        refunds.send(_refund(payment, minor).pk, at=AT)
        assert balance(person) == before - minor
        return minor
    return 0


def balance(person: Person) -> int:
    return balances.of(person[1], "EUR").minor


def _credit(payment: Payment, minor: int) -> None:
    """Credit so much of the line of which most is left, or all that is."""
    left = rests.left_of(payment.invoice)
    line = max(left, key=lambda each: left[each].minor)
    if left[line]:
        amount = min(left[line], euros(minor))
        credit_notes.issue(payment.invoice, {line.pk: amount}, reason="x", at=AT, actor="staff:1")


def _refund(payment: Payment, minor: int) -> Refund:
    payment.refresh_from_db()
    return refunds.request(
        payment, euros(minor), way=Refund.Way.GATEWAY, reason="x", at=AT, actor="staff:1"
    )
