"""Invoices: numbered in order, taxed by who buys, booked, and never changed afterwards."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from billing import demo, invoices, tax
from billing.models import (
    Brand,
    Customer,
    Invoice,
    InvoiceLine,
    LedgerTransaction,
    NumberSeries,
)
from packages.money import Money
from packages.states import history_of
from tests import world

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
Kind = InvoiceLine.Kind


@pytest.fixture
def brand(db: None) -> Brand:
    demo.seed_operator(at=AT)
    return world.brand()


@pytest.fixture
def buyer(brand: Brand) -> Customer:
    return world.customer("ada@example.com", at=AT)[1]


def test_an_invoice_carries_both_parties_and_adds_up(brand: Brand, buyer: Customer) -> None:
    invoice = issued(brand, buyer, 49_00, 10_00)
    assert (invoice.net_minor, invoice.tax_minor, invoice.total_minor) == (49_58, 9_42, 59_00)
    assert invoice.seller["company"] == "Nordcast Demo GmbH"
    assert invoice.buyer["city"] == "Hamburg"
    assert (invoice.issued_on, invoice.due_on) == (date(2026, 3, 2), date(2026, 3, 16))
    lines = list(invoice.lines.values_list("position", "unit_minor", "net_minor", "tax_bp"))
    assert lines == [(1, 49_00, 41_18, 1900), (2, 10_00, 8_40, 1900)]
    assert list(invoice.taxes.values_list("tax_bp", "net_minor", "tax_minor")) == [
        (1900, 49_58, 9_42)
    ]


def test_numbers_follow_the_order_of_issue(brand: Brand, buyer: Customer) -> None:
    first, second = issue(brand, [draft(buyer, 1_00), draft(buyer, 2_00)])
    third = issued(brand, buyer, 3_00)
    assert [each.number for each in (first, second, third)] == [
        "R-2026-0001",
        "R-2026-0002",
        "R-2026-0003",
    ]
    assert history_of(third).get().after == Invoice.State.OPEN


def test_the_year_is_that_of_the_sellers_zone(brand: Brand, buyer: Customer) -> None:
    new_year = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    (invoice,) = issue(brand, [draft(buyer, 1_00)], at=new_year)
    assert (invoice.number, invoice.issued_on) == ("R-2027-0001", date(2027, 1, 1))


def test_a_rolled_back_invoice_gives_its_number_back(brand: Brand, buyer: Customer) -> None:
    issued(brand, buyer, 1_00)
    with transaction.atomic():
        issued(brand, buyer, 2_00)
        transaction.set_rollback(True)
    assert issued(brand, buyer, 3_00).number == "R-2026-0002"
    assert NumberSeries.objects.get().last == 2


def test_nothing_is_issued_without_a_home_rate(brand: Brand, buyer: Customer) -> None:
    brand.country = "XX"
    with pytest.raises(tax.NoRate):
        issued(brand, buyer, 1_00)
    assert not Invoice.objects.exists()
    assert not NumberSeries.objects.exists()


def test_a_business_abroad_owes_the_tax_itself(brand: Brand, buyer: Customer) -> None:
    buyer.country, buyer.vat_id, buyer.is_business = "AT", "ATU12345678", True
    invoice = issued(brand, buyer, 49_00)
    assert (invoice.net_minor, invoice.tax_minor, invoice.total_minor) == (41_18, 0, 41_18)
    assert invoice.tax_note == tax.REVERSE_CHARGE
    assert invoice.lines.get().unit_minor == 41_18


def test_outside_the_eu_the_net_price_is_charged(brand: Brand, buyer: Customer) -> None:
    buyer.country = "CH"
    invoice = issued(brand, buyer, 49_00)
    assert (invoice.total_minor, invoice.tax_note) == (41_18, tax.OUTSIDE)


def test_net_prices_are_charged_with_tax_on_top(brand: Brand, buyer: Customer) -> None:
    brand.prices_include_tax = False
    invoice = issued(brand, buyer, 41_18)
    assert (invoice.net_minor, invoice.tax_minor, invoice.total_minor) == (41_18, 7_82, 49_00)


@pytest.mark.parametrize(("minor", "net", "included"), [(1, 1, 0), (3, 3, 0), (4, 3, 1)])
def test_a_few_cents_are_taxed_to_the_cent(
    brand: Brand, buyer: Customer, minor: int, net: int, included: int
) -> None:
    invoice = issued(brand, buyer, minor)
    assert (invoice.net_minor, invoice.tax_minor) == (net, included)


def test_an_invoice_over_nothing_is_numbered_and_not_booked(brand: Brand, buyer: Customer) -> None:
    invoice = issued(brand, buyer, 0)
    assert (invoice.number, invoice.total_minor) == ("R-2026-0001", 0)
    assert not LedgerTransaction.objects.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_invoice SET total_minor = total_minor + 1, net_minor = net_minor + 1",
        'UPDATE billing_invoice SET buyer = \'{"name": "Somebody else"}\'',
        "UPDATE billing_invoice SET number = 'R-2026-0009'",
        "UPDATE billing_invoice SET number = NULL, state = 'draft'",
        "UPDATE billing_invoice SET issued_on = issued_on - 1",
        "DELETE FROM billing_invoice",
        "UPDATE billing_invoiceline SET description = 'Another'",
        "DELETE FROM billing_invoiceline",
        "UPDATE billing_invoicetax SET tax_bp = 700",
        "DELETE FROM billing_invoicetax",
    ],
)
def test_an_issued_invoice_never_changes(brand: Brand, buyer: Customer, statement: str) -> None:
    issued(brand, buyer, 49_00)
    with (
        pytest.raises(IntegrityError, match="never changes"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_an_issued_invoice_takes_no_further_line(brand: Brand, buyer: Customer) -> None:
    invoice = issued(brand, buyer, 49_00)
    line = invoice.lines.get()
    line.pk, line.position = None, 2
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        line.save(force_insert=True)


def test_what_was_paid_may_be_written_on_an_issued_invoice(brand: Brand, buyer: Customer) -> None:
    invoice = issued(brand, buyer, 49_00)
    changed = Invoice.objects.filter(pk=invoice.pk).update(
        paid_minor=49_00, paid_at=AT, state=Invoice.State.PAID
    )
    assert changed == 1


def test_a_price_is_quoted_without_storing_anything(brand: Brand, buyer: Customer) -> None:
    priced = invoices.price(draft(buyer, 49_00), brand, on=date(2026, 3, 2))
    assert priced.sums.total == Money(49_00, "EUR")
    assert not Invoice.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_numbered_outside_of_a_transaction() -> None:
    demo.seed_operator(at=AT)
    buyer = world.customer("ada@example.com", at=AT)[1]
    with pytest.raises(AssertionError, match="transaction"):
        issued(world.brand(), buyer, 1_00)


def draft(buyer: Customer, *amounts: int) -> invoices.Draft:
    lines = tuple(
        invoices.Line(Kind.PACKAGE, f"Package {position}", Money(minor, "EUR"))
        for position, minor in enumerate(amounts, start=1)
    )
    return invoices.Draft(buyer, "EUR", "en", lines)


def issue(brand: Brand, drafts: list[invoices.Draft], *, at: datetime = AT) -> list[Invoice]:
    return invoices.issue(drafts, brand, at=at, actor="test")


def issued(brand: Brand, buyer: Customer, *amounts: int) -> Invoice:
    (invoice,) = issue(brand, [draft(buyer, *amounts)])
    return invoice
