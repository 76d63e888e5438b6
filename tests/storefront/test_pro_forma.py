"""What an order would be invoiced, on paper, for a business whose order must be approved first."""

import io

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from billing.models import Brand, Customer, Invoice, Order, User
from tests.storefront.browsing import CHECKOUT, put_in

BUSINESS = {"kind": "business", "company": "Muster GmbH", "action": "pro_forma"}


def _ask(client: Client, language: str = "de", **typed: str) -> HttpResponse:
    form = {**CHECKOUT, **BUSINESS, "terms": "", "early_start": "", "gateway": "", **typed}
    address = reverse("storefront:checkout")
    answer = client.post(address, form, headers={"Accept-Language": language})
    assert isinstance(answer, HttpResponse)
    return answer


def _read(answer: HttpResponse) -> str:
    assert answer.headers["Content-Type"] == "application/pdf"
    pages = PdfReader(io.BytesIO(answer.content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split()).replace("\xa0", " ")


def test_a_business_reads_what_its_order_would_cost_and_nothing_is_stored(
    buyer: Client, ada: tuple[User, Customer]
) -> None:
    Brand.objects.update(invoice_footer_de="Amtsgericht Hamburg HRB 4711")
    put_in(buyer)
    text = _read(_ask(buyer))
    for words in (
        "Amtsgericht Hamburg HRB 4711",
        *("Pro-forma-Rechnung", "Muster GmbH", "Musterweg 1", "20095 Hamburg"),
        *("MwSt. 19 % auf 107,56 €", "20,44 €", "128,00 €", "keine Rechnung im Sinne des"),
    ):
        assert words in text, words
    for words in ("R-2026", "Rechnungsnummer", "Kundennummer", "Fälligkeit", "Verwendungszweck"):
        assert words not in text, words
    assert not Order.objects.exists()
    assert not Invoice.objects.exists()
    assert not Customer.objects.filter(company="Muster GmbH").exists()


def test_it_is_priced_for_the_country_and_language_that_were_typed(buyer: Client) -> None:
    put_in(buyer)
    text = _read(_ask(buyer, "en", country="CH", city="Bern"))
    assert "Pro-forma invoice" in text
    assert "Switzerland" in text
    assert "€107.57" in text
    assert "VAT 19%" not in text


def test_it_carries_nothing_that_a_bookkeeping_program_would_read(buyer: Client) -> None:
    put_in(buyer)
    assert not PdfReader(io.BytesIO(_ask(buyer).content)).attachments


def test_an_address_that_is_not_complete_is_asked_for(buyer: Client) -> None:
    put_in(buyer)
    answer = _ask(buyer, street="", language="en")
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Please fill this in." in page
    # It is no order yet, so nobody has to agree to anything.
    assert "Please agree to the terms." not in page


@pytest.mark.parametrize(("kind", "switched"), [("private", True), ("business", False)])
def test_others_are_not_offered_one(buyer: Client, kind: str, switched: bool) -> None:
    Brand.objects.update(pro_forma=switched)
    put_in(buyer)
    answer = _ask(buyer, kind=kind)
    assert answer.status_code == 422
    assert 'value="pro_forma"' not in answer.content.decode()


def test_the_checkout_offers_it_to_businesses(buyer: Client) -> None:
    put_in(buyer)
    page = buyer.post(
        reverse("storefront:checkout"), {**CHECKOUT, "kind": "business", "action": "update"}
    )
    assert 'value="pro_forma"' in page.content.decode()
