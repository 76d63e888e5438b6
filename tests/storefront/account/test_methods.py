"""Saved payment methods as their owner sees them: one click pays, strangers find nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from billing import methods
from billing.models import Customer, Invoice, Payment, PaymentMethod
from tests.billing import orders, saved
from tests.storefront.account.people import Person
from tests.story import Gateway


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with saved.open_gateway() as gateway:
        yield gateway


@pytest.fixture
def card(anna: Person, now: datetime) -> PaymentMethod:
    return saved.kept(anna.customer, at=now)


def page(browser: Client, name: str = "methods", *args: object) -> str:
    return browser.get(reverse(f"storefront:{name}", args=args)).content.decode()


def post(browser: Client, name: str, *args: object, **fields: str) -> str:
    answer = browser.post(reverse(f"storefront:{name}", args=args), fields, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def real_card(anna: Person, gateway: Gateway, *, at: datetime, card: str) -> Invoice:
    """Let Anna keep a card from an order, and return the open invoice of another one."""
    first = orders.place(anna.user, anna.customer, "starter", at=at).invoice
    saved.pay_and_keep(first, gateway, at=at, card=card)
    return orders.place(anna.user, anna.customer, "starter", at=at).invoice


def pay_with_it(anna: Person, invoice: Invoice) -> str:
    method = PaymentMethod.objects.get()
    return post(anna.browser(), "pay", invoice.public_id, method=str(method.public_id))


def test_the_page_names_the_card_and_never_its_token(anna: Person, card: PaymentMethod) -> None:
    text = page(anna.browser())
    assert "what renews is charged to Visa •••• 4242" in text
    assert "pm_1" not in text


def test_a_customer_without_a_method_is_told_how_to_add_one(anna: Person) -> None:
    text = page(anna.browser())
    assert "No payment method saved" in text
    assert "Save this payment method" in text


def test_a_card_that_has_expired_is_not_offered_to_be_charged(
    anna: Person, card: PaymentMethod, now: datetime
) -> None:
    PaymentMethod.objects.update(is_default=False)
    assert "Charge Visa •••• 4242" in page(anna.browser())
    PaymentMethod.objects.update(expires_on=now.date() - timedelta(days=2))
    text = page(anna.browser())
    assert "expired" in text
    assert "Charge Visa •••• 4242" not in text
    assert "Remove Visa •••• 4242" in text
    open_one = orders.place(anna.user, anna.customer, "starter", at=now).invoice
    assert "with Visa" not in page(anna.browser(), "invoice", open_one.public_id)


def test_automatic_payment_is_turned_off_and_on(anna: Person, card: PaymentMethod) -> None:
    browser = anna.browser()
    assert "you pay each invoice yourself" in post(browser, "automatic", on="no")
    assert not Customer.objects.get(pk=anna.customer.pk).pays_automatically
    assert "Automatic payment is on." in post(browser, "automatic", on="yes")


def test_another_card_is_chosen_and_the_first_removed(
    anna: Person, card: PaymentMethod, now: datetime
) -> None:
    PaymentMethod.objects.filter(pk=card.pk).update(is_default=False)
    second = saved.kept(anna.customer, at=now, token="pm_2")
    browser = anna.browser()
    assert "From now on we charge" in post(browser, "method_default", card.public_id)
    assert methods.default_of(anna.customer) == card
    assert "is removed" in post(browser, "method_remove", card.public_id)
    assert methods.default_of(anna.customer) is None
    assert "no method is chosen" in page(browser)
    assert list(anna.customer.methods.filter(state="active")) == [second]


def test_a_strangers_card_is_not_there(anna: Person, bert: Person, card: PaymentMethod) -> None:
    browser = bert.browser()
    assert "4242" not in page(browser)
    for name in ("method_default", "method_remove"):
        url = reverse(f"storefront:{name}", args=[card.public_id])
        assert browser.post(url).status_code == 404
        assert browser.get(url).status_code == 405
    url = reverse("storefront:pay", args=[bert.invoice.public_id])
    for method in (str(card.public_id), "no-id"):
        assert browser.post(url, {"method": method}).status_code == 404
    card.refresh_from_db()
    assert card.state == PaymentMethod.State.ACTIVE


def test_one_click_pays_and_the_second_charges_nothing(
    anna: Person, gateway: Gateway, now: datetime
) -> None:
    invoice = real_card(anna, gateway, at=now, card="4242424242424242")
    text = page(anna.browser(), "invoice", invoice.public_id)
    assert "with Visa •••• 4242" in text
    assert 'name="keep_method"' in text
    assert "checked" not in text[text.index('name="keep_method"') :][:60]
    assert "Paid with Visa •••• 4242" in pay_with_it(anna, invoice)
    assert "This is paid already" in pay_with_it(anna, invoice)
    assert saved.charged(gateway) == 2


def test_a_decline_is_told_in_words_and_the_invoice_stays_open(
    anna: Person, gateway: Gateway, now: datetime
) -> None:
    invoice = real_card(anna, gateway, at=now, card="4000000000000259")
    assert "did not have enough funds" in pay_with_it(anna, invoice)
    invoice.refresh_from_db()
    assert invoice.state == Invoice.State.OPEN


def test_a_bank_that_asks_leads_to_the_gateways_page(
    anna: Person, gateway: Gateway, now: datetime
) -> None:
    invoice = real_card(anna, gateway, at=now, card="4000002500003155")
    url = reverse("storefront:pay", args=[invoice.public_id])
    method = PaymentMethod.objects.get()
    answer = anna.browser().post(url, {"method": str(method.public_id)})
    assert answer.status_code == 303
    assert answer["Location"].startswith(f"{gateway.simulator.url}/pay/")
    charge, begun = invoice.payments.order_by("pk")
    assert (charge.state, begun.state) == (Payment.State.FAILED, Payment.State.CREATED)
