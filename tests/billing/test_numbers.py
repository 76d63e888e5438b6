"""Invoice numbers have no gap, however many draw at once and whoever gives up."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection, transaction

from billing import credit_notes, demo, invariants, invoices, numbers
from billing.models import Brand, Customer, Invoice, InvoiceLine, NumberSeries
from packages.money import Money
from tests import world
from tests.guards.connections import together

WORKERS = 20
ON = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_numbers_drawn_at_once_have_no_gap_although_some_roll_back() -> None:
    def issue(index: int) -> list[int]:
        with transaction.atomic():
            drawn = numbers.draw("R", 2026, 1 + index % 3)
            if index % 4 == 0:
                transaction.set_rollback(True)
                return []
            return list(drawn)

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    results = together(issue, WORKERS)
    assert [each for each in results if isinstance(each, Exception)] == []
    kept = sorted(number for each in results if isinstance(each, list) for number in each)
    assert kept == list(range(1, len(kept) + 1))
    assert NumberSeries.objects.get().last == len(kept)
    assert len(kept) == sum(1 + index % 3 for index in range(WORKERS) if index % 4)


@pytest.mark.django_db
def test_a_series_begins_anew_each_year() -> None:
    assert list(numbers.draw("R", 2026, 2)) == [1, 2]
    assert list(numbers.draw("R", 2027, 1)) == [1]
    assert list(numbers.draw("R", 2026, 1)) == [3]


@pytest.mark.django_db
def test_two_series_do_not_share_numbers() -> None:
    assert list(numbers.draw("R", 2026, 1)) == [1]
    assert list(numbers.draw("G", 2026, 1)) == [1]


@pytest.mark.parametrize(
    ("settings", "sequence", "text"),
    [
        ({}, 1, "R-2026-0001"),
        ({}, 42, "R-2026-0042"),
        ({}, 12_345, "R-2026-12345"),
        ({"invoice_prefix": "RE", "number_digits": 6}, 42, "RE-2026-000042"),
        ({"numbers_by_year": False}, 42, "R-0042"),
    ],
)
def test_a_number_is_printed_as_the_brand_says(
    settings: dict[str, Any], sequence: int, text: str
) -> None:
    brand = Brand(**settings)
    assert numbers.text(brand, "R", numbers.year_of(brand, ON), sequence) == text


@pytest.mark.django_db
def test_another_format_goes_on_counting_and_prints_no_number_twice() -> None:
    demo.seed_operator(at=AT)
    _, buyer = world.customer("ada@example.com", at=AT)
    printed = []
    for changes in (
        {"number_digits": 2},
        {"invoice_prefix": "RE"},
        {"numbers_by_year": False},
        {"numbers_by_year": True},
    ):
        Brand.objects.update(**changes)
        brand = Brand.objects.get()
        foreseen = numbers.upcoming(brand, "R", on=ON)
        invoice = invoiced(brand, buyer)
        assert invoice.number == foreseen
        printed.append(foreseen)
    assert printed == ["R-2026-01", "RE-2026-02", "RE-01", "RE-2026-03"]
    note = credit_notes.issue(invoice, reason="x", at=AT, actor="test")
    assert note.number == "G-2026-01"
    assert invariants.violations() == []


def invoiced(brand: Brand, buyer: Customer) -> Invoice:
    charge = invoices.Line(InvoiceLine.Kind.SETUP, "Line", Money(49_00, "EUR"))
    draft = invoices.Draft(buyer, "EUR", "en", (charge,))
    (invoice,) = invoices.issue([draft], brand, at=AT, actor="test")
    return invoice
