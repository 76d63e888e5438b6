"""A day of the calendar by hand: preview changes nothing, and too much at once stops."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from billing import days, invariants, numbers
from billing.models import Invoice, Mail, Notice, NumberSeries, Subscription
from packages.states import StateChange
from provisioning.models import Job
from tests.billing import orders, renewing
from tests.guards.connections import beside

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUE = date(2026, 4, 2)


@pytest.fixture
def shop(db: None) -> None:
    orders.seeded(at=AT)


def noon(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 12, tzinfo=UTC)


def said(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def everything() -> list[Any]:
    """Return what a run would change: how many rows there are, and each subscription as it is."""
    counts = [m.objects.count() for m in (Invoice, Mail, Notice, Job)]
    # That a run was stopped is written down.
    counts.append(StateChange.objects.exclude(subject="run").count())
    numbers = list(NumberSeries.objects.values_list("year", "last"))
    return [counts, numbers, list(Subscription.objects.order_by("pk").values())]


def overdue(count: int) -> date:
    """Invoice so many services, and bring them to the day before they are suspended."""
    renewing.many(count, paid_until=DUE, at=AT)
    for offset in (-7, 1, 7):
        on = DUE + timedelta(days=offset)
        days.run(on, at=noon(on), most=None)
        renewing.post(at=noon(on))
    return DUE + timedelta(days=10)


def test_a_preview_prints_what_would_happen_and_changes_nothing(shop: None) -> None:
    renewing.bought(at=AT)
    before = everything()
    text = said("preview", "--on", "2026-03-26", "--days", "45")
    assert everything() == before
    assert "invoice                    R-2026-0002" in text
    assert "suspended                  R-2026-0002" in text
    assert text.splitlines()[-5:] == [
        "invoices 1, 79.00 EUR",
        "charges 0",
        "notices 4, 316.00 EUR",
        "suspensions 1, 79.00 EUR",
        "terminations 1, 79.00 EUR",
    ]


def test_a_preview_says_the_same_as_the_run(shop: None) -> None:
    on = overdue(3)
    (foreseen,) = days.preview(on, days=1)
    done = days.run(on, at=noon(on), most=None)
    assert foreseen == done
    assert len(done.steps) == 3


def test_a_preview_names_what_would_fail(shop: None) -> None:
    service = renewing.bought(at=AT)
    Subscription.objects.update(cycle="nonsense")
    lines = said("preview", "--on", "2026-03-26").splitlines()
    assert f"  failed{' ' * 34}subscription {service.pk}, renewal" in lines[1]
    assert "invoices 0" in lines


def test_bill_does_a_day_once(shop: None) -> None:
    renewing.bought(at=AT)
    assert "invoices 1, 79.00 EUR" in said("bill", "--on", "2026-03-26")
    assert "invoices 0" in said("bill", "--on", "2026-03-26")
    assert Invoice.objects.count() == 2
    assert invariants.violations() == []


def test_too_many_suspensions_at_once_stop_before_the_first(shop: None) -> None:
    on = overdue(6)
    before = everything()
    with pytest.raises(CommandError, match="6 services would be suspended"):
        said("bill", "--on", str(on))
    assert everything() == before
    text = said("bill", "--on", str(on), "--yes")
    assert "suspensions 6" in text
    assert Subscription.objects.filter(state=Subscription.State.SUSPENDED).count() == 6


def test_a_few_suspensions_are_usual(shop: None) -> None:
    on = overdue(5)
    assert days.usual() == {"services": 5, "charges": 20}
    days.run(on, at=noon(on), most=days.usual)
    assert Subscription.objects.filter(state=Subscription.State.SUSPENDED).count() == 5


def test_a_day_without_work_asks_once_and_one_with_a_renewal_once_more(shop: None) -> None:
    renewing.many(1, paid_until=DUE, at=AT)
    due = [each for each in (AT.date(), DUE) if days._due(each)]
    assert due == [DUE]
    with CaptureQueriesContext(connection) as asked:
        days.run(AT.date(), at=AT, most=None)
    assert sum("SAVEPOINT" not in each["sql"] for each in asked) == 1
    with CaptureQueriesContext(connection) as asked:
        days.run(DUE, at=noon(DUE), most=None)
    assert sum("billing_creditbucket" in each["sql"] for each in asked) == 2


def test_a_preview_leaves_the_numbers_where_they_were(transactional_db: None) -> None:
    orders.seeded(at=AT)
    renewing.many(3, paid_until=DUE, at=AT)
    days.preview(DUE, days=1)
    assert not connection.in_atomic_block
    days.run(DUE, at=noon(DUE), most=None)
    assert list(Invoice.objects.order_by("pk").values_list("sequence", flat=True)) == [1, 2, 3]


def test_a_preview_draws_its_numbers_aside_so_that_nobody_waits(transactional_db: None) -> None:
    NumberSeries.objects.create(code="R", year=2026, last=7)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(days.OWN_NUMBERS)
        assert list(numbers.draw("R", 2026, 2)) == [8, 9]
        assert list(numbers.draw("R", 2027, 1)) == [1]
        with beside() as other:
            other.execute("SET lock_timeout = 150")
            other.execute("UPDATE billing_numberseries SET last = last + 1 WHERE code = 'R'")
        transaction.set_rollback(True)
    assert list(numbers.draw("R", 2026, 1)) == [8]
