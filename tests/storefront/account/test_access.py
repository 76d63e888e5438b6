"""Nobody reaches what belongs to another customer, by any of the client area's addresses."""

import uuid
from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import Customer, Invoice, User
from provisioning.models import Job
from tests.storefront.account.people import Person

PRIVATE = ("dashboard", "services", "orders", "invoices", "mails", "profile")
METHODS = ("get", "post", "put", "patch", "delete", "head")


def objects_of(person: Person) -> dict[str, uuid.UUID]:
    return {
        "service": person.subscription.public_id,
        "invoice": person.invoice.public_id,
        "invoice_pdf": person.invoice.public_id,
    }


def rows() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in (Customer, Invoice, Job, User)}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("page", ["service", "invoice", "invoice_pdf"])
def test_another_customers_rows_are_not_there(
    anna: Person, bert: Person, page: str, method: str
) -> None:
    before = rows()
    url = reverse(f"storefront:{page}", args=[objects_of(anna)[page]])
    unknown = reverse(f"storefront:{page}", args=[uuid.uuid4()])
    browser = bert.browser()
    deed = {"deed": "generate", "password": "x" * 20, "again": "x" * 20}
    theirs, nobodys = (getattr(browser, method)(each, deed) for each in (url, unknown))
    assert theirs.status_code == nobodys.status_code
    assert theirs.status_code in (404, 405)
    assert len(theirs.content) == pytest.approx(len(nobodys.content), abs=200)
    assert rows() == before


@pytest.mark.parametrize("page", ["service", "invoice", "invoice_pdf"])
def test_the_owner_sees_the_same_pages(anna: Person, page: str) -> None:
    url = reverse(f"storefront:{page}", args=[objects_of(anna)[page]])
    assert anna.browser().get(url).status_code == 200


@pytest.mark.parametrize("page", [*PRIVATE, "service", "invoice", "invoice_pdf"])
def test_a_visitor_is_asked_to_sign_in(anna: Person, page: str) -> None:
    args = [objects_of(anna)[page]] if page in objects_of(anna) else []
    url = reverse(f"storefront:{page}", args=args)
    answer = Client().get(url)
    assert answer.status_code == 302
    assert answer["Location"] == f"{reverse('account_login')}?next={url}"


@pytest.mark.parametrize("page", PRIVATE)
def test_lists_show_only_ones_own(anna: Person, bert: Person, page: str) -> None:
    text = bert.browser().get(reverse(f"storefront:{page}")).content.decode()
    assert anna.account.username not in text
    assert str(anna.invoice.number) not in text
    assert "anna@example.com" not in text


@pytest.mark.parametrize("page", PRIVATE)
def test_no_page_is_kept_by_browser_or_proxy(anna: Person, page: str) -> None:
    answer = anna.browser().get(reverse(f"storefront:{page}"))
    assert "no-store" in answer["Cache-Control"]


def test_a_draft_invoice_is_nobodys_yet(anna: Person, now: datetime) -> None:
    draft = Invoice.objects.create(customer=anna.customer, currency="EUR", language="en")
    browser = anna.browser()
    assert browser.get(reverse("storefront:invoice", args=[draft.public_id])).status_code == 404
    assert "draft" not in browser.get(reverse("storefront:invoices")).content.decode()


def test_looking_changes_nothing(anna: Person) -> None:
    before, browser = rows(), anna.browser()
    for page in PRIVATE:
        browser.get(reverse(f"storefront:{page}"))
    for page, key in objects_of(anna).items():
        browser.get(reverse(f"storefront:{page}", args=[key]))
    assert rows() == before
