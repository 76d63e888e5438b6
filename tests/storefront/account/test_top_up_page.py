"""The page to buy credit: what it costs is shown, then ordered with one click and one meaning."""

import re
from datetime import datetime

import pytest
from django.http import HttpResponse
from django.urls import reverse

from billing.models import Order, OrderLine, Payment, Subscription, TopUpTerms
from tests.storefront.account.people import Person


def page(person: Person, **query: str) -> str:
    url = reverse("storefront:top_up", args=[person.subscription.public_id])
    return person.browser().get(url, query).content.decode()


def post(person: Person, text: str, **changes: str) -> HttpResponse:
    """Send the form of the page as a browser does, with these changes."""
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text))
    form = {**hidden, "gateway": "bank_transfer", "terms_agreed": "on", "early_start": "on"}
    url = reverse("storefront:top_up", args=[person.subscription.public_id])
    answer = person.browser().post(url, {**form, "action": "order", **changes})
    assert isinstance(answer, HttpResponse)
    return answer


def ordered() -> list[int]:
    return list(OrderLine.objects.filter(kind="top_up").values_list("credit_minor", flat=True))


def test_the_services_page_leads_to_a_price(anna: Person) -> None:
    url = reverse("storefront:service", args=[anna.subscription.public_id])
    text = anna.browser().get(url).content.decode()
    target = reverse("storefront:top_up", args=[anna.subscription.public_id])
    assert f'action="{target}" method="get"' in text
    shown = page(anna, amount="42.50")
    assert "Order with obligation to pay · €42.50" in re.sub(r"\s+", " ", shown)
    assert "€6.79" in shown
    assert anna.account.username in shown


def test_an_amount_is_ordered_and_leads_on_to_the_payment(anna: Person) -> None:
    answer = post(anna, page(anna, amount="42.50"))
    assert answer.status_code == 303
    assert ordered() == [42_50]
    order = Order.objects.latest("id")
    assert set(order.consents) == {"terms", "early_start"}
    assert Payment.objects.get(invoice__order=order).amount_minor == 42_50


def test_a_german_reads_and_writes_a_comma(anna: Person) -> None:
    browser = anna.browser()
    browser.cookies["django_language"] = "de"
    url = reverse("storefront:top_up", args=[anna.subscription.public_id])
    text = browser.get(url, {"amount": "42,50"}).content.decode()
    assert "Zahlungspflichtig bestellen" in text
    assert "42,50" in text


@pytest.mark.parametrize("amount", ["9.99", "1000.01", "-5", "abc", "", "10.005"])
def test_a_bad_amount_is_explained_beside_the_field(anna: Person, amount: str) -> None:
    url = reverse("storefront:top_up", args=[anna.subscription.public_id])
    answer = anna.browser().get(url, {"amount": amount})
    assert answer.status_code == 422
    assert 'class="field__error"' in answer.content.decode()
    assert post(anna, page(anna, amount="20"), amount=amount).status_code == 422
    assert ordered() == []


def test_nothing_is_ordered_without_consent_or_at_another_sum(anna: Person) -> None:
    text = page(anna, amount="20")
    assert post(anna, text, terms_agreed="").status_code == 422
    assert post(anna, text, early_start="").status_code == 422
    assert post(anna, text, gateway="").status_code == 422
    answer = post(anna, text, amount="30")
    assert (answer.status_code, ordered()) == (409, [])
    assert "Your order has changed" in answer.content.decode()
    assert post(anna, text).status_code == 303


def test_a_second_click_is_the_same_order(anna: Person) -> None:
    text = page(anna, amount="20")
    first, second = post(anna, text), post(anna, text)
    assert first["Location"] == second["Location"]
    assert ordered() == [20_00]


def test_a_limit_is_explained_with_whom_to_ask(anna: Person) -> None:
    TopUpTerms.objects.update(new_day_minor=30_00)
    post(anna, page(anna, amount="20"))
    answer = post(anna, page(anna, amount="20"))
    text = answer.content.decode()
    assert (answer.status_code, ordered()) == (409, [20_00])
    assert "You can still buy €10.00 now" in text
    assert "support@nordcast.example" in text


def test_a_strangers_service_cannot_be_topped_up(anna: Person, bert: Person) -> None:
    url = reverse("storefront:top_up", args=[anna.subscription.public_id])
    assert bert.browser().get(url, {"amount": "20"}).status_code == 404
    assert bert.browser().post(url, {"amount": "20"}).status_code == 404


def test_a_service_that_does_not_run_has_no_such_page(anna: Person, now: datetime) -> None:
    Subscription.objects.update(state="suspended", next_invoice_on=None)
    url = reverse("storefront:top_up", args=[anna.subscription.public_id])
    assert anna.browser().get(url).status_code == 302
