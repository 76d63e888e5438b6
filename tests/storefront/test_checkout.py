"""From the basket to one binding order: what is typed is kept, what is tampered with is ignored."""

import threading

import pytest
from django.core import exceptions
from django.db import connection
from django.test import Client
from django.urls import reverse

from billing.models import Cart, Customer, Invoice, Membership, Order, Payment, User
from packages.models import Price
from tests import world
from tests.clock import Clock
from tests.storefront.browsing import CHECKOUT, Gateway, order, put_in, seen
from tests.storefront.services import running_service

HERE = "/checkout/"


def test_a_visitor_signs_in_first_and_comes_back(client: Client, seeded: Clock) -> None:
    put_in(client)
    response = client.get(HERE)
    assert response.headers["Location"] == f"{reverse('account_login')}?next={HERE}"


def test_signing_up_keeps_the_basket_and_comes_back(client: Client, seeded: Clock) -> None:
    put_in(client)
    form = {"email": "new@shop.test", "password1": "correct-horse-battery", "next": HERE}
    response = client.post(reverse("account_signup"), form)
    assert response.headers["Location"] == HERE
    assert "€128.00" in client.get(HERE).content.decode()


@pytest.mark.parametrize("away", ["https://evil.test/", "//evil.test", "/\\evil.test", "http:///x"])
def test_signing_in_never_leads_away(client: Client, ada: tuple[User, Customer], away: str) -> None:
    form = {"login": ada[0].email, "password": "correct-horse-battery", "next": away}
    response = client.post(reverse("account_login"), form)
    assert response.status_code == 302
    assert response.headers["Location"] == reverse("storefront:dashboard")


def test_an_order_leads_to_the_payment_page(
    buyer: Client, ada: tuple[User, Customer], gateway: Gateway
) -> None:
    put_in(buyer)
    response = order(buyer)
    payment = Payment.objects.get()
    assert response.status_code == 303
    assert response.headers["Location"] == payment.redirect_url
    assert payment.redirect_url.startswith(gateway.simulator.url)
    assert payment.amount_minor == Invoice.objects.get().total_minor == 128_00
    assert Order.objects.get().customer == ada[1]
    assert not Cart.objects.exists()


def test_a_first_order_makes_the_customer(client: Client, seeded: Clock, gateway: Gateway) -> None:
    user = User.objects.create_user("first@shop.test", "correct-horse-battery")
    client.force_login(user)
    put_in(client)
    order(client, phone="030 123456", city="Berlin")
    membership = Membership.objects.get(user=user)
    assert membership.role == Membership.Role.OWNER
    assert membership.customer.city == "Berlin"
    assert membership.customer.phone == "+49 30 123456"
    assert membership.customer.email == user.email


def test_consents_are_kept_with_words_version_and_time(buyer: Client, gateway: Gateway) -> None:
    put_in(buyer)
    assert " checked" not in field(buyer.get(HERE).content.decode(), "terms")
    order(buyer)
    consents = Order.objects.get().consents
    assert set(consents) == {"terms", "early_start"}
    assert consents["terms"]["version"] == "1"
    assert consents["terms"]["at"].startswith("2026-03-02T09:")
    assert "version 1" in consents["terms"]["text"]


@pytest.mark.parametrize(
    "missing", ["name", "street", "postcode", "city", "country", "terms", "early_start", "kind"]
)
def test_what_is_missing_is_said_and_nothing_is_lost(buyer: Client, missing: str) -> None:
    put_in(buyer)
    response = order(buyer, **{missing: "", "street": "" if missing == "street" else "Elbweg 7"})
    page = response.content.decode()
    assert response.status_code == 422
    assert "Nothing was ordered yet" in page
    assert missing == "street" or "Elbweg 7" in page
    assert not Order.objects.exists()


def test_a_business_needs_a_company_but_no_withdrawal_consent(
    buyer: Client, gateway: Gateway
) -> None:
    put_in(buyer)
    refused = order(buyer, kind="business", early_start="")
    assert refused.status_code == 422
    assert order(buyer, kind="business", early_start="", company="Muster GmbH").status_code == 303
    assert Order.objects.get().customer.company == "Muster GmbH"


@pytest.mark.parametrize(
    ("vat_id", "country"),
    [("DE123456789", "DE"), ("ATU1", "AT"), ("ATU13585627", "DE"), ("<b>", "AT"), ("12345", "FR")],
)
def test_a_wrong_vat_id_is_refused(buyer: Client, vat_id: str, country: str) -> None:
    put_in(buyer)
    typed = {"kind": "business", "company": "M", "vat_id": vat_id, "country": country}
    assert order(buyer, **typed).status_code == 422
    assert not Order.objects.exists()


def test_a_vat_id_elsewhere_in_the_eu_takes_the_tax_off(buyer: Client, gateway: Gateway) -> None:
    put_in(buyer)
    typed = {"kind": "business", "company": "M", "vat_id": "atu 13585627", "country": "AT"}
    order(buyer, **typed)
    invoice = Invoice.objects.get()
    assert (invoice.net_minor, invoice.tax_minor) == (107_57, 0)
    assert invoice.tax_note.startswith("Reverse charge")
    assert invoice.buyer["vat_id"] == "ATU13585627"


def test_a_private_buyers_vat_id_takes_nothing_off(buyer: Client, gateway: Gateway) -> None:
    put_in(buyer)
    order(buyer, vat_id="ATU13585627", company="M", country="AT")
    assert Invoice.objects.get().buyer["vat_id"] == ""
    assert Invoice.objects.get().tax_minor > 0


@pytest.mark.parametrize("phone", ["abc", "1", "+49", "<script>"])
def test_a_phone_number_that_is_none_is_refused(buyer: Client, phone: str) -> None:
    put_in(buyer)
    assert order(buyer, phone=phone).status_code == 422


def test_updating_prices_orders_nothing_and_keeps_what_was_typed(buyer: Client) -> None:
    put_in(buyer)
    page = buyer.post(HERE, {**CHECKOUT, "action": "update", "country": "CH", "city": "Bern"})
    text = page.content.decode()
    assert page.status_code == 200
    assert "€107.57" in text
    assert 'value="Bern"' in text
    assert "Please fill this in" not in text
    assert not Order.objects.exists()


def test_htmx_gets_only_the_priced_parts(buyer: Client) -> None:
    put_in(buyer)
    form = {**CHECKOUT, "action": "update", "country": "CH"}
    text = buyer.post(HERE, form, headers={"hx-request": "true"}).content.decode()
    assert "€107.57" in text
    assert "<html" not in text


def test_a_price_that_changed_is_shown_before_anything_is_ordered(
    buyer: Client, gateway: Gateway
) -> None:
    put_in(buyer)
    before = seen(buyer)
    Price.objects.filter(pk=world.price("business").pk).update(amount_minor=99_00)
    response = buyer.post(HERE, {**CHECKOUT, "seen": before})
    text = response.content.decode()
    assert response.status_code == 409
    assert "Your order has changed" in text
    assert "€148.00" in text
    assert not Order.objects.exists()
    assert order(buyer).status_code == 303
    assert Invoice.objects.get().total_minor == 148_00


def test_a_price_from_the_browser_orders_nothing(buyer: Client, gateway: Gateway) -> None:
    put_in(buyer)
    made_up = seen(buyer).replace("12800", "1")
    assert buyer.post(HERE, {**CHECKOUT, "seen": made_up}).status_code == 409
    more = {"amount": "1", "total": "1", "customer": "1", "currency": "USD", "quantity": "9"}
    order(buyer, **more)
    assert Invoice.objects.get().total_minor == 128_00


def test_a_second_tab_gets_the_first_ones_order_and_payment(
    buyer: Client, gateway: Gateway
) -> None:
    put_in(buyer)
    form = {**CHECKOUT, "seen": seen(buyer)}
    first, second = buyer.post(HERE, form), buyer.post(HERE, form)
    assert first.headers["Location"] == second.headers["Location"]
    assert Order.objects.count() == Invoice.objects.count() == Payment.objects.count() == 1
    assert len(gateway.payments()) == 1


def test_two_clicks_at_once_make_one_order_and_one_payment(buyer: Client, gateway: Gateway) -> None:
    put_in(buyer)
    form = {**CHECKOUT, "seen": seen(buyer)}
    answers: list[tuple[int, str]] = []
    gate = threading.Barrier(4)

    def click() -> None:
        tab = Client()
        tab.cookies = buyer.cookies
        gate.wait()
        answer = tab.post(HERE, form)
        answers.append((answer.status_code, answer.headers.get("Location", "")))
        connection.close()

    tabs = [threading.Thread(target=click) for _ in range(4)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert len(answers) == 4
    assert {status for status, _ in answers} == {303}
    assert Order.objects.count() == Payment.objects.count() == len(gateway.payments()) == 1


def test_going_back_after_ordering_shows_the_order(buyer: Client, gateway: Gateway) -> None:
    put_in(buyer)
    order(buyer)
    response = buyer.get(HERE)
    placed = Order.objects.get()
    assert response.headers["Location"] == reverse("storefront:order", args=[placed.public_id])


def test_an_empty_basket_orders_nothing(buyer: Client) -> None:
    assert buyer.post(HERE, CHECKOUT).headers["Location"] == reverse("storefront:cart")
    assert not Order.objects.exists()


def test_a_top_up_slipped_into_another_customers_basket_is_not_ordered(
    stranger: Client, ada: tuple[User, Customer], seeded: Clock, gateway: Gateway
) -> None:
    service = running_service(ada[1], at=seeded.now())
    put_in(stranger)
    Cart.objects.get().lines.create(price=world.price("credit-25"), subscription=service)
    before = Order.objects.count()
    assert stranger.post(HERE, {**CHECKOUT, "seen": seen(stranger)}).status_code == 409
    assert Order.objects.count() == before


def test_who_pays_nothing_now_is_not_told_to_pay_in_the_next_step(buyer: Client) -> None:
    def page() -> str:
        return buyer.get(HERE).content.decode()

    put_in(buyer, "message-reach")
    free = page()
    assert "You pay in the next step" not in free
    assert "you need not choose how to pay yet" in free
    assert 'type="radio" name="gateway"' not in free
    assert "keep_method" not in free
    assert "€39.00 a month incl. VAT" in free
    put_in(buyer)
    assert 'type="radio" name="gateway"' in page()
    assert "You pay in the next step, in the way that you have chosen." in page()


def test_a_trial_needs_no_payment(buyer: Client, gateway: Gateway) -> None:
    put_in(buyer, "message-reach")
    response = order(buyer)
    placed = Order.objects.get()
    assert response.headers["Location"] == reverse("storefront:order", args=[placed.public_id])
    assert placed.state == Order.State.FULFILLED
    assert not Payment.objects.exists()


def test_the_law_stands_right_above_the_button(buyer: Client) -> None:
    put_in(buyer)
    text = buyer.get(HERE).content.decode()
    essentials, button = text.index('id="essentials"'), text.index('id="order-button"')
    assert essentials < button
    assert text.index('id="id_terms"') < essentials
    between = text[essentials:button]
    for fact in (
        "20 channels",
        "2,000 minutes",
        "250 SMS",
        "€79.00 a month",
        "€49.00 once",
        "renews until you cancel",
    ):
        assert fact in between
    assert "€128.00" in between
    assert "Order with obligation to pay" in text[button:]


def test_what_is_paid_once_has_its_price_above_the_button_too(buyer: Client) -> None:
    put_in(buyer, "flex")
    put_in(buyer)
    text = buyer.get(HERE).content.decode()
    between = text[text.index('id="essentials"') : text.index('id="order-button"')]
    assert "€20.00 once incl. VAT" in between
    assert "€79.00 a month incl. VAT, set-up €49.00 once" in between


def field(page: str, name: str) -> str:
    """Return the input with this name as it stands in the page."""
    at = page.find(f'name="{name}"')
    if at < 0:
        raise exceptions.FieldDoesNotExist(name)
    return page[page.rindex("<", 0, at) : page.index(">", at)]
