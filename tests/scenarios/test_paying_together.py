"""One payment for several invoices: on a gateway's page, with a saved method, and not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from billing import payments, refunds
from billing.models import Allocation, Invoice, Payment, PaymentMethod, Refund
from provisioning.simulator.simulator import Simulator
from tests import stripes
from tests.clock import Clock
from tests.story import Customer
from tests.stripes import Stripe


@pytest.fixture
def stripe(site: str) -> Iterator[Stripe]:
    with stripes.offered(f"{site}/webhooks/stripe/") as stripe:
        stripe.webhooks(drop=True)
        yield stripe


@pytest.fixture
def debtor(site: str, stripe: Stripe, shop: Simulator, clock: Clock) -> Customer:
    """A customer with a kept card that is not charged by itself, and two open renewals."""
    customer = Customer(site)
    customer.registers()
    for number in range(2):
        customer.chooses("business")
        customer.pays(
            customer.orders(gateway="stripe", **({} if number else {"keep_method": "on"}))
        )
        # What renews on one day is one invoice.
        clock.live(days=1)
    customer.browser.submit(customer.browser.open("/account/methods/"), "/automatic/")
    clock.live(days=31)
    assert Invoice.objects.filter(state=Invoice.State.OPEN).count() == 2
    customer.signs_in()
    return customer


def due() -> int:
    return sum(each.due.minor for each in Invoice.objects.filter(state=Invoice.State.OPEN))


def test_several_invoices_are_paid_by_one_payment_on_the_page(
    debtor: Customer, stripe: Stripe, clock: Clock
) -> None:
    expected = due()
    page = debtor.browser.open("/account/invoices/")
    page = debtor.browser.submit(page, "way", _ticked(page.text) | {"way": "gateway:stripe"})
    assert page.status == 200
    payment = Payment.objects.latest("pk")
    assert payment.amount_minor == expected
    page = debtor.pays(page)
    assert "Paid: " in page.text
    assert not Invoice.objects.filter(state=Invoice.State.OPEN).exists()
    assert Allocation.objects.filter(payment=payment).count() == 2
    assert stripe.charged()[-1] == expected


def test_an_invoice_that_was_paid_with_others_is_refunded_from_their_payment(
    debtor: Customer, stripe: Stripe, clock: Clock
) -> None:
    _first, second = Invoice.objects.filter(state=Invoice.State.OPEN).order_by("due_on", "pk")
    page = debtor.browser.open("/account/invoices/")
    way = f"method:{PaymentMethod.objects.get().public_id}"
    debtor.browser.submit(page, "way", _ticked(page.text) | {"way": way})
    second.refresh_from_db()
    _note, (refund,) = refunds.credit(
        second, way=Refund.Way.GATEWAY, reason="test", at=clock.now(), actor="test"
    )
    clock.work()
    refund.refresh_from_db()
    assert (refund.state, refund.amount) == (Refund.State.SUCCEEDED, second.total)
    assert [each["amount"] for each in stripe.simulator["refund"]] == [second.total_minor]


def test_several_invoices_are_charged_at_once_to_a_saved_method(
    debtor: Customer, stripe: Stripe, clock: Clock
) -> None:
    expected, method = due(), PaymentMethod.objects.get()
    page = debtor.browser.open("/account/invoices/")
    way = f"method:{method.public_id}"
    debtor.browser.submit(page, "way", _ticked(page.text) | {"way": way})
    assert not Invoice.objects.filter(state=Invoice.State.OPEN).exists()
    assert stripe.charged()[-1] == expected
    assert len(stripe.charged()) == 3


def test_while_one_payment_for_several_is_being_confirmed_none_of_them_is_paid_again(
    debtor: Customer, stripe: Stripe, clock: Clock
) -> None:
    first, second = Invoice.objects.filter(state=Invoice.State.OPEN).order_by("due_on", "pk")
    stripe.misbehaves("/v1/payment_intents", times=1, apply="yes", answer="500")
    page = debtor.browser.open("/account/invoices/")
    way = f"method:{PaymentMethod.objects.get().public_id}"
    debtor.browser.submit(page, "way", _ticked(page.text) | {"way": way})
    for invoice in (first, second):
        shown = debtor.browser.open(f"/account/invoices/{invoice.public_id}/")
        assert "being confirmed" in shown.text
        with pytest.raises(payments.NotPayable):
            payments.start(invoice, "stripe", return_url="http://x/", at=clock.now(), actor="t")
    clock.pass_by(minutes=3)
    assert not Invoice.objects.filter(state=Invoice.State.OPEN).exists()
    assert len(stripe.charged()) == 3


def test_a_strangers_invoice_is_left_out(debtor: Customer, stripe: Stripe, site: str) -> None:
    page = debtor.browser.open("/account/invoices/")
    form = page.form("way")
    stranger = Customer(site, email="eve@example.com")
    stranger.registers()
    token = stranger.browser.session.cookies.get("csrftoken") or ""
    before = Payment.objects.count()
    answer = stranger.browser.session.post(
        f"{site}{form.action}",
        data={**_ticked(page.text), "way": "gateway:stripe", "csrfmiddlewaretoken": token},
        timeout=10,
    )
    assert answer.status_code in (200, 403)
    assert Payment.objects.count() == before


def _ticked(html: str) -> dict[str, Any]:
    """What a browser sends for the boxes, which are ticked as the page comes."""
    return {"invoice": re.findall(r'name="invoice" value="([\w-]+)"', html)}
