"""Invoices as data: every kind passes the official EN 16931 rules, and a wrong one fails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from billing import credit_notes, demo, documents, einvoice, invoices
from billing.models import Brand, Customer, Invoice, InvoiceLine
from packages.money import Money
from packages.periods import Period
from tests import payments, world
from tests.billing import en16931

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))
Kind = InvoiceLine.Kind
Line = invoices.Line
pytestmark = pytest.mark.django_db


@pytest.fixture
def brand() -> Brand:
    demo.seed_operator(at=AT)
    return world.brand()


@pytest.fixture
def buyer(brand: Brand) -> Customer:
    return world.customer("ada@example.com", at=AT)[1]


def plain(brand: Brand, buyer: Customer) -> Invoice:
    return issued(brand, buyer, line(49_00), line(10_00, kind=Kind.SETUP))


def net_prices(brand: Brand, buyer: Customer) -> Invoice:
    brand.prices_include_tax = False
    return issued(brand, buyer, line(3_33), line(3_33), line(3_33))


def reverse_charge(brand: Brand, buyer: Customer) -> Invoice:
    buyer.country, buyer.vat_id, buyer.is_business = "AT", "ATU12345675", True
    return issued(brand, buyer, line(49_00))


def small_business(brand: Brand, buyer: Customer) -> Invoice:
    brand.small_business = True
    return issued(brand, buyer, line(49_00))


def outside(brand: Brand, buyer: Customer) -> Invoice:
    buyer.country = "CH"
    return issued(brand, buyer, line(49_00))


def mixed_rates(brand: Brand, buyer: Customer) -> Invoice:
    exempt = line(5_00, exempt="Exempt under section 4 of the VAT Act.")
    return issued(brand, buyer, line(49_00), line(9_99, rate_bp=700), exempt)


def discount(brand: Brand, buyer: Customer) -> Invoice:
    return issued(brand, buyer, line(49_00), line(-9_00, kind=Kind.SETUP))


def net_discount(brand: Brand, buyer: Customer) -> Invoice:
    brand.prices_include_tax = False
    return discount(brand, buyer)


def several(brand: Brand, buyer: Customer) -> Invoice:
    return issued(brand, buyer, line(3_33, quantity=7), line(-3_33, kind=Kind.SETUP))


def over_nothing(brand: Brand, buyer: Customer) -> Invoice:
    return issued(brand, buyer, line(0))


def in_dollars(brand: Brand, buyer: Customer) -> Invoice:
    return issued(brand, buyer, line(49_00, currency="USD"), currency="USD")


def no_vat_id(brand: Brand, buyer: Customer) -> Invoice:
    brand.vat_id, brand.bic = "", ""
    return issued(brand, buyer, line(49_00))


def full_credit(brand: Brand, buyer: Customer) -> Invoice:
    return credited(discount(brand, buyer))


def partial_credit(brand: Brand, buyer: Customer) -> Invoice:
    invoice = mixed_rates(brand, buyer)
    return credited(invoice, **{"1": 10_01, "2": 3_33})


def reverse_credit(brand: Brand, buyer: Customer) -> Invoice:
    return credited(reverse_charge(brand, buyer))


def partly_from_the_balance(brand: Brand, buyer: Customer) -> Invoice:
    note_of = issued(brand, buyer, line(9_00))
    payments.pay(note_of, at=AT)
    credited(note_of)
    invoice = issued(brand, buyer, line(49_00))
    assert (invoice.prepaid_minor, invoice.state) == (9_00, Invoice.State.OPEN)
    return invoice


CASES = (plain, net_prices, reverse_charge, small_business, outside, mixed_rates, discount) + (
    net_discount,
    several,
    over_nothing,
    in_dollars,
    no_vat_id,
    full_credit,
    partial_credit,
    reverse_credit,
    partly_from_the_balance,
)
Case = Callable[[Brand, Customer], Invoice]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_a_document_passes_the_official_rules(brand: Brand, buyer: Customer, case: Case) -> None:
    xml = einvoice.xml(case(brand, buyer))
    assert en16931.broken_by(xml) == [], xml.decode()


@pytest.mark.parametrize(
    ("right", "wrong", "rule"),
    [
        ("<ram:GrandTotalAmount>59.00", "<ram:GrandTotalAmount>59.01", "BR-CO-15"),
        ("<ram:TaxBasisTotalAmount>49.58", "<ram:TaxBasisTotalAmount>49.00", "BR-CO-13"),
        ("<ram:CategoryCode>S", "<ram:CategoryCode>E", "BR-E-05"),
        ("DE136695976", "136695976", "BR-CO-09"),
        ("<ram:CountryID>DE", "<ram:CountryID>ZZ", "ram:CountryID"),
        ("<ram:TypeCode>380", "<ram:TypeCode>999", "ram:TypeCode"),
        ("<ram:DuePayableAmount>59.00</ram:DuePayableAmount>", "", "DuePayableAmount"),
    ],
)
def test_a_wrong_document_fails(
    brand: Brand, buyer: Customer, right: str, wrong: str, rule: str
) -> None:
    xml = einvoice.xml(plain(brand, buyer)).decode()
    assert right in xml
    broken = en16931.broken_by(xml.replace(right, wrong).encode())
    assert broken
    assert rule in " ".join(broken)


@pytest.mark.parametrize("case", [plain, full_credit, outside], ids=lambda case: case.__name__)
def test_the_file_carries_its_xml(brand: Brand, buyer: Customer, case: Case) -> None:
    invoice = case(brand, buyer)
    pdf = documents.invoice_pdf(invoice)
    assert en16931.extracted(pdf) == ("factur-x.xml", einvoice.xml(invoice))
    assert documents.invoice_pdf(Invoice.objects.get(pk=invoice.pk)) == pdf


def test_the_file_says_that_it_is_an_archive_and_an_invoice(brand: Brand, buyer: Customer) -> None:
    pdf = documents.invoice_pdf(plain(brand, buyer))
    for words in (
        *("<pdfaid:part>3<", "<pdfaid:conformance>B<"),
        *("<fx:ConformanceLevel>EN 16931<", "<fx:DocumentType>INVOICE<", "Factur-X PDFA"),
        *("<fx:DocumentFileName>factur-x.xml<", "<fx:Version>1.0<"),
    ):
        assert words in en16931.metadata_of(pdf)
    assert b"/AFRelationship /Alternative" in pdf


def test_a_credit_note_names_what_it_corrects_and_counts_the_other_way(
    brand: Brand, buyer: Customer
) -> None:
    xml = einvoice.xml(full_credit(brand, buyer)).decode()
    assert "<ram:TypeCode>381<" in xml
    assert "<ram:IssuerAssignedID>R-2026-0001<" in xml
    assert "<ram:GrandTotalAmount>40.00<" in xml


def test_what_is_not_taxable_names_no_vat_id(brand: Brand, buyer: Customer) -> None:
    xml = einvoice.xml(outside(brand, buyer)).decode()
    assert brand.vat_id not in xml
    assert brand.tax_number in xml


def test_the_same_row_is_the_same_xml(brand: Brand, buyer: Customer) -> None:
    invoice = mixed_rates(brand, buyer)
    assert einvoice.xml(invoice) == einvoice.xml(Invoice.objects.get(pk=invoice.pk))


@pytest.mark.parametrize("name", ["<ram:x>&amp;]]>", "a\x00b\x0bc", "Zoë\n\tÜ", "😀", "\ud7ff"])
def test_a_hostile_name_is_text(brand: Brand, buyer: Customer, name: str) -> None:
    buyer.name = name.replace("\x00", "")
    buyer.save()
    xml = einvoice.xml(issued(brand, buyer, line(49_00)))
    assert en16931.broken_by(xml) == []


def test_a_draft_is_not_sent() -> None:
    with pytest.raises(ValueError, match="draft"):
        einvoice.xml(Invoice(currency="EUR", language="de"))


def line(
    minor: int,
    *,
    kind: Kind = Kind.RECURRING,
    currency: str = "EUR",
    rate_bp: int | None = None,
    exempt: str = "",
    quantity: int = 1,
) -> Line:
    amount = Money(minor, currency)
    return Line(
        kind,
        "Business",
        amount,
        period=MARCH,
        rate_bp=rate_bp,
        exempt=exempt,
        quantity=quantity,
    )


def issued(brand: Brand, buyer: Customer, *lines: Line, currency: str = "EUR") -> Invoice:
    buyer.save()
    draft = invoices.Draft(buyer, currency, "de", lines)
    (invoice,) = invoices.issue([draft], brand, at=AT, actor="test")
    return invoice


def credited(invoice: Invoice, **minors: int) -> Invoice:
    """Issue a credit note of everything, or of these amounts by position."""
    amounts = None
    if minors:
        ids = dict(invoice.lines.values_list("position", "pk"))
        amounts = {ids[int(at)]: Money(minor, "EUR") for at, minor in minors.items()}
    return credit_notes.issue(invoice, amounts, reason="Too much", at=AT, actor="test")
