"""Who is billed: checked, saved, and nothing else than the form's fields."""

from datetime import datetime

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from billing.models import Customer, Membership
from tests import world
from tests.storefront.account.people import Person

FIELDS = {
    "name": "Anna Beispiel",
    "company": "Beispiel GmbH",
    "is_business": "on",
    "vat_id": "",
    "email": "rechnung@example.com",
    "phone": "",
    "street": "Allee 2",
    "extra": "",
    "postcode": "20457",
    "city": "Hamburg",
    "country": "DE",
    "language": "en",
}


def save(client: Client, **changes: str) -> HttpResponse:
    answer = client.post(reverse("storefront:profile"), {**FIELDS, **changes})
    assert isinstance(answer, HttpResponse)
    return answer


def test_details_are_saved(anna: Person) -> None:
    assert save(anna.browser(), vat_id="DE 136 695 976").status_code == 302
    anna.customer.refresh_from_db()
    assert anna.customer.company == "Beispiel GmbH"
    assert anna.customer.email == "rechnung@example.com"
    assert anna.customer.vat_id == "DE136695976"


@pytest.mark.parametrize(
    ("vat_id", "country"),
    [("DE136695977", "DE"), ("hello", "DE"), ("ATU13585627", "DE"), ("DE136695976", "FR")],
)
def test_a_wrong_vat_id_is_refused(anna: Person, vat_id: str, country: str) -> None:
    answer = save(anna.browser(), vat_id=vat_id, country=country)
    assert answer.status_code == 422
    assert 'id="id_vat_id_error"' in answer.content.decode()
    anna.customer.refresh_from_db()
    assert anna.customer.vat_id == ""


def test_greek_vat_ids_begin_with_el(anna: Person) -> None:
    assert save(anna.browser(), vat_id="EL094259216", country="GR").status_code == 302


def test_what_was_typed_is_not_lost(anna: Person) -> None:
    text = save(anna.browser(), city="", street="Neue Straße 7").content.decode()
    assert "Neue Straße 7" in text
    assert 'href="#id_city"' in text


def test_the_language_switches_the_site(anna: Person) -> None:
    browser = anna.browser()
    save(browser, language="de")
    anna.user.refresh_from_db()
    anna.customer.refresh_from_db()
    assert (anna.user.language, anna.customer.language) == ("de", "de")
    assert 'lang="de"' in browser.get(reverse("storefront:profile")).content.decode()


def test_an_issued_invoice_keeps_its_address(anna: Person) -> None:
    before = dict(anna.invoice.buyer)
    save(anna.browser(), street="Somewhere else 9")
    anna.invoice.refresh_from_db()
    assert anna.invoice.buyer == before


def test_only_the_forms_fields_can_be_set(anna: Person, bert: Person) -> None:
    since = anna.customer.created_at
    save(
        anna.browser(),
        id=str(bert.customer.pk),
        created_at="2001-01-01",
        users=str(bert.user.pk),
        is_staff="on",
        is_superuser="on",
        role="owner",
    )
    anna.user.refresh_from_db()
    anna.customer.refresh_from_db()
    bert.customer.refresh_from_db()
    assert not anna.user.is_staff
    assert anna.customer.created_at == since
    assert bert.customer.street == "Musterweg 1"
    assert Membership.objects.filter(user=anna.user).count() == 1


def test_a_first_profile_makes_one_customer(now: datetime) -> None:
    user, customer = world.customer("neu@example.com", at=now)
    customer.delete()
    browser = Client()
    browser.force_login(user)
    assert browser.get(reverse("storefront:profile")).status_code == 200
    assert not Customer.objects.filter(users=user).exists()
    save(browser)
    save(browser, city="Kiel")
    assert [each.city for each in Customer.objects.filter(users=user)] == ["Kiel"]
