"""Invoice numbers have no gap, however many draw at once and whoever gives up."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from billing import numbers
from billing.models import NumberSeries
from tests.guards.connections import together

WORKERS = 20


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
    ("sequence", "text"), [(1, "R-2026-0001"), (42, "R-2026-0042"), (12_345, "R-2026-12345")]
)
def test_a_number_is_printed_with_four_digits_or_more(sequence: int, text: str) -> None:
    assert numbers.text("R", 2026, sequence) == text
