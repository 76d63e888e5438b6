"""A payment of which the gateway said something odd is fetched again by staff."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from billing import payment_checks, payments
from billing.models import Invoice, Payment
from tests.billing import saved
from tests.clock import Clock
from tests.desk import pages
from tests.desk.orders import placed
from tests.story import Gateway


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with saved.open_gateway() as gateway:
        yield gateway


@pytest.fixture
def doubtful(staff: Client, clock: Clock, gateway: Gateway) -> Payment:
    """A payment whose amount at the gateway is not ours."""
    invoice = placed("business", at=clock.now()).invoice
    payment = payments.start(
        invoice, "simulated", return_url="http://shop/", at=clock.now(), actor="test"
    )
    gateway.pays(payment)
    Payment.objects.filter(pk=payment.pk).update(amount_minor=1)
    payment_checks.check(payment, at=clock.now(), actor="test")
    payment.refresh_from_db()
    assert (payment.state, payment.failure_code) == ("created", "not_believed")
    return payment


def test_an_answer_that_contradicts_our_row_books_nothing(staff: Client, doubtful: Payment) -> None:
    assert "contradicts our row" in pages.text(pages.press(staff, doubtful, "fetch"))
    assert Payment.objects.get().state == Payment.State.CREATED
    assert Invoice.objects.get().state == Invoice.State.OPEN


def test_a_payment_is_fetched_again_and_settles_its_invoice(
    staff: Client, doubtful: Payment
) -> None:
    due = doubtful.invoice.due
    Payment.objects.filter(pk=doubtful.pk).update(amount_minor=due.minor)
    response = pages.press(staff, doubtful, "fetch")
    assert "The payment is now: succeeded." in pages.text(response)
    assert Invoice.objects.get().state == Invoice.State.PAID
    assert "fetch" not in pages.offered(staff, doubtful)


def test_a_gateway_without_an_answer_changes_nothing(
    staff: Client, doubtful: Payment, gateway: Gateway
) -> None:
    gateway.misbehaves("/v1/payments/*", method="GET", times=1, apply="no", answer="500")
    assert "has no answer now" in pages.text(pages.press(staff, doubtful, "fetch"))
    assert Payment.objects.get().failure_code == "not_believed"
