"""Invoices on paper: what they say, that they never change, and that no name is ever markup."""

from __future__ import annotations

import io
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.utils import translation
from pypdf import PdfReader

from billing import colours, credit_notes, documents, einvoice, girocode, papers, tax
from billing.formats import Format
from billing.models import Brand, Invoice, InvoiceLine
from packages.money import Money
from packages.periods import Period
from tests import payments
from tests.billing import orders

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOSTILE = [
    '#read("/etc/passwd")',
    "$ x^2 $ *bold* _it_ @ref <label> #panic()",
    '"] #import "@preview/cetz:0.3.0" [',
    "\\u{1F600} \\ // /* */",
    "W" * 120,
    "شركة الاتصالات السعودية",
    "😀 中文 \u202egnirts",
]
pytestmark = pytest.mark.django_db


@pytest.fixture
def brand() -> Brand:
    return orders.seeded(at=AT)


def _invoice(*slugs: str, language: str = "de", **customer: Any) -> Invoice:
    user, buyer = orders.buyer(at=AT, language=language, **customer)
    return orders.place(user, buyer, *(slugs or ("business",)), at=AT).invoice


def _read(invoice: Invoice) -> str:
    """Return the text of all pages, with every stretch of white space as one space."""
    reader = PdfReader(io.BytesIO(documents.invoice_pdf(invoice)))
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def test_a_german_invoice_says_what_the_law_asks_for(brand: Brand) -> None:
    text = _read(_invoice())
    for words in (
        *("Rechnung R-2026-0001", "2. März 2026", "16. März 2026", "Leistungszeitraum"),
        *("Ada Muster", "Musterweg 1", "20095 Hamburg"),
        *(brand.company, brand.street, brand.vat_id, brand.tax_number),
        *("ab Aktivierung", "Nettobetrag", "MwSt. 19 % auf 107,56 €", "20,44 €", "128,00 €"),
        *("66,38 €", "41,18 €", "DE02 1203 0000 0000 2020 51", brand.bic, "Seite 1 von 1"),
    ):
        assert words in text.replace("\xa0", " "), words


def test_a_pale_brand_has_a_colour_that_can_be_seen_on_paper(brand: Brand) -> None:
    Brand.objects.update(accent="#ffe680")
    invoice = _invoice()
    with translation.override(invoice.language):
        data = documents.printed(invoice, list(invoice.lines.all()), list(invoice.taxes.all()))
    assert colours.contrast(data["accent"], "#ffffff") >= colours.AA


def test_a_day_beside_the_address_keeps_to_one_line_however_long_its_label(brand: Brand) -> None:
    invoice = _invoice()
    with translation.override(invoice.language):
        data = documents.printed(invoice, list(invoice.lines.all()), list(invoice.taxes.all()))
    data["facts"] = [("Nummer der Rechnungskorrektur", "01.11.2026 – 30.11.2026")]
    (page,) = PdfReader(io.BytesIO(papers.plain(data, at=AT))).pages
    lines = page.extract_text().splitlines()
    assert any(line.endswith("01.11.2026 – 30.11.2026") for line in lines), lines


def test_an_english_invoice_is_english(brand: Brand) -> None:
    text = _read(_invoice(language="en"))
    for words in ("Invoice R-2026-0001", "2 March 2026", "€128.00", "VAT 19%", "Page 1 of 1"):
        assert words in text


@pytest.mark.parametrize(("language", "written"), [("de", "−5,00\xa0€"), ("en", "−€5.00")])
def test_what_is_taken_off_has_a_true_minus(language: str, written: str) -> None:
    assert Format(language, "EUR").money(-500) == written


def test_without_words_in_its_language_the_english_foot_is_printed(brand: Brand) -> None:
    Brand.objects.update(invoice_footer_en="Registered at Hamburg", invoice_footer_de="")
    invoice = _invoice()
    with translation.override(invoice.language):
        data = documents.printed(invoice, list(invoice.lines.all()), list(invoice.taxes.all()))
    assert data["closing"] == "Registered at Hamburg"


def test_the_operators_foot_is_printed_as_it_was_on_the_day_of_issue(brand: Brand) -> None:
    words = "Amtsgericht Hamburg HRB 4711"
    Brand.objects.update(invoice_footer_en="Registered at Hamburg", invoice_footer_de=words)
    invoice = _invoice()
    issued = documents.invoice_pdf(invoice)
    assert words in _read(invoice)
    Brand.objects.update(invoice_footer_de="Amtsgericht Kiel")
    invoice = Invoice.objects.get(pk=invoice.pk)
    assert documents.invoice_pdf(invoice) == issued
    credit = credit_notes.issue(invoice, reason="Kulanz", at=AT, actor="staff:1")
    assert words in _read(credit)
    invoice.language = "en"
    assert "Registered at Hamburg" in _read(invoice)


@pytest.mark.parametrize(
    "foot", ["W" * 300, "Kurz.", "Ein Satz mit Worten. " * 14], ids=["wide", "short", "long"]
)
def test_a_foot_of_any_length_is_between_the_company_and_the_page_number(
    brand: Brand, foot: str
) -> None:
    Brand.objects.update(invoice_footer_de=foot)
    heights: list[tuple[str, float]] = []

    def note(text: str, page: list[float], place: list[float], *_font: Any) -> None:
        heights.append((text.replace("\xa0", " "), page[5] + page[3] * place[5]))

    reader = PdfReader(io.BytesIO(documents.invoice_pdf(_invoice())))
    reader.pages[0].extract_text(visitor_text=note)
    printed = [(text, height) for text, height in heights if text.strip()]
    start = max(i for i, (text, _) in enumerate(printed) if text.startswith("BIC")) + 1
    company = next(height for text, height in printed if text == "Deutschland")
    own, (number, page) = [height for _, height in printed[start:-1]], printed[-1]
    assert number == "Seite 1 von 1"
    line = 8
    assert company > max(own) + line
    assert min(own) > page + line


def test_the_reader_of_the_page_does_not_change_the_document(brand: Brand) -> None:
    invoice = _invoice()
    with translation.override("en"):
        english = documents.invoice_pdf(invoice)
    with translation.override("de"):
        assert documents.invoice_pdf(invoice) == english


def test_the_same_row_is_the_same_file(brand: Brand) -> None:
    invoice = _invoice()
    first = documents.invoice_pdf(invoice)
    brand.name, brand.company, brand.iban, brand.accent = "Other", "Other Ltd", "", "#ff0000"
    brand.save()
    invoice.customer.name = "Somebody Else"
    invoice.customer.save()
    assert documents.invoice_pdf(Invoice.objects.get(pk=invoice.pk)) == first


def test_a_paid_invoice_says_when_and_asks_for_nothing(brand: Brand) -> None:
    invoice = _invoice()
    payments.pay(invoice, at=AT)
    invoice.refresh_from_db()
    text = _read(invoice)
    assert "Bezahlt: 128,00 € am 2. März 2026" in text.replace("\xa0", " ")
    assert "Verwendungszweck" not in text


def test_a_reverse_charge_invoice_names_both_ids_and_the_reason(brand: Brand) -> None:
    text = _read(
        _invoice(country="AT", is_business=True, vat_id="ATU12345678", company="Wien GmbH")
    )
    assert "Steuerschuldnerschaft des Leistungsempfängers" in text
    assert "ATU12345678" in text
    assert "Österreich" in text
    assert "MwSt. 0" in text


def test_every_tax_note_has_a_german_sentence() -> None:
    with translation.override("de"):
        for note in (tax.REVERSE_CHARGE, tax.OUTSIDE, tax.SMALL_BUSINESS):
            assert tax.sentence(note) != note


def test_an_invoice_over_nothing_is_printed_too(brand: Brand) -> None:
    text = _read(_invoice("message-reach"))
    assert "Es ist nichts fällig" in text


def test_a_cancelled_invoice_says_so(brand: Brand) -> None:
    invoice = _invoice()
    invoice.move(Invoice.State.CANCELLED, at=AT, actor="test", reason="test")
    assert "Diese Rechnung ist storniert" in _read(invoice)


def test_a_draft_is_not_printed() -> None:
    with pytest.raises(ValueError, match="draft"):
        documents.invoice_pdf(Invoice(currency="EUR", language="de"))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_printed_as_text(brand: Brand, name: str) -> None:
    invoice = _invoice(name=name, company=name, street=name, city=name[:80])
    text = _read(invoice)
    assert "root:" not in text
    if name.isascii():
        assert re.sub(r"\s", "", name) in re.sub(r"[\s\u200b]", "", text)


def test_the_template_reads_nothing_outside_its_folder(brand: Brand) -> None:
    sources = [path.read_text() for path in papers.ROOT.glob("*.typ")]
    assert sources
    for source in sources:
        assert not re.search(r'\b(read|csv|yaml|toml|xml|eval|plugin)\(|@preview|"\.\./|"/', source)


def test_many_lines_go_on_with_their_heads_on_the_next_page(brand: Brand) -> None:
    invoice = _invoice()
    lines = [
        InvoiceLine(
            position=position,
            kind=InvoiceLine.Kind.RECURRING,
            description=f"Voice {position}",
            period_start_on=date(2026, 3, 31),
            period_end_on=date(2026, 4, 30),
            unit_minor=100,
            net_minor=100,
            tax_bp=1900,
        )
        for position in range(1, 61)
    ]
    with translation.override("de"):
        form = Format("de", "EUR")
        data = documents.printed(invoice, lines, []) | documents._table(lines, form, gross=False)
    reader = PdfReader(io.BytesIO(papers.pdf(data, einvoice.xml(invoice), at=AT)))
    assert len(reader.pages) == 3
    for number, page in enumerate(reader.pages, start=1):
        text = page.extract_text()
        assert "Pos." in text
        assert f"Seite {number} von 3" in text
    assert "31.03.2026 – 29.04.2026" in reader.pages[0].extract_text()


def test_the_printed_period_ends_with_its_last_day() -> None:
    assert Format("de", "EUR").period(Period(date(2026, 1, 31), date(2026, 2, 28))) == (
        "31.01.2026 – 27.02.2026"
    )


def test_the_giro_code_follows_the_standard() -> None:
    code = {
        "holder": "Nord\ncast GmbH",
        "iban": "DE02 1203 0000 0000 2020 51",
        "bic": "BYLADEM1001",
    }
    text = girocode.payload(**code, amount=Money(4641, "EUR"), reference="R-2026-0042")
    assert text.split("\n") == [
        *("BCD", "002", "1", "SCT", "BYLADEM1001", "Nord cast GmbH"),
        *("DE02120300000000202051", "EUR46.41", "", "", "R-2026-0042"),
    ]
    assert girocode.payload(**code, amount=Money(4641, "USD"), reference="R") == ""
    assert girocode.payload(**code, amount=Money(0, "EUR"), reference="R") == ""
    assert girocode.svg(text) == girocode.svg(text)
