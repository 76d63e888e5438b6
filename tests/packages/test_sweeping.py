"""A query that is kept answers for whichever day or instant it is asked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db.models import QuerySet

from billing.models import Brand, Run
from packages.sweeping import any_among, any_of, rows_written_once, which_among, written_once

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
FIRST = date(2026, 3, 1)
DAYS = [FIRST + timedelta(days=count) for count in range(10)]


def _soon(on: date) -> QuerySet[Run]:
    return Run.objects.filter(on__gt=on, on__lte=on + timedelta(days=2)).order_by("-on")


def _left(*, at: datetime) -> QuerySet[Run]:
    return Run.objects.filter(again_at__lte=at - timedelta(hours=1), attempts=3)


@pytest.fixture(autouse=True)
def runs(db: None) -> None:
    for on in DAYS:
        Run.objects.create(on=on, started_at=AT, again_at=AT, attempts=3)


def test_a_query_is_written_once_and_asks_for_each_day() -> None:
    written = list[date]()

    @written_once
    def soon(on: date) -> QuerySet[Run, date]:
        written.append(on)
        return _soon(on).values_list("on", flat=True)

    for on in (*DAYS, FIRST - timedelta(days=1), FIRST - timedelta(days=9)):
        assert soon(on) == list(_soon(on).values_list("on", flat=True))
    assert len(written) == 1


def test_a_query_asks_for_each_instant() -> None:
    any_left = any_of(_left)
    hour = AT + timedelta(hours=1)
    assert any_left(at=hour)
    assert not any_left(at=hour - timedelta(microseconds=1))
    assert any_left(at=hour + timedelta(days=1))


def test_whole_rows_come_by_their_id_and_by_an_instant() -> None:
    @rows_written_once
    def due(run_id: int, at: datetime) -> QuerySet[Run]:
        return Run.objects.filter(pk=run_id, again_at__lte=at)[:1]

    for run in Run.objects.all():
        assert due(run.pk, AT) == [run]
        assert due(run.pk, AT)[0].started_at == run.started_at
        assert due(run.pk, AT - timedelta(seconds=1)) == []
    assert due(-1, AT) == []


def test_whole_rows_are_as_django_makes_them() -> None:
    @rows_written_once
    def locked(run_id: int) -> QuerySet[Run]:
        return Run.objects.filter(pk=run_id).select_for_update()

    Run.objects.filter(on=FIRST).update(counts={"invoices": 2}, faults=[{"item": "run"}])
    expected = Run.objects.get(on=FIRST)
    (run,) = locked(expected.pk)
    fields = [field.attname for field in Run._meta.concrete_fields]
    assert [getattr(run, each) for each in fields] == [getattr(expected, each) for each in fields]
    run.attempts = 7
    run.save()
    assert Run.objects.get(on=FIRST).attempts == 7


def test_one_question_is_about_rows_of_many_kinds() -> None:
    @any_among
    def any_left(at: datetime) -> list[QuerySet[Any]]:
        return [Brand.objects.filter(name="nobody"), _left(at=at), Run.objects.filter(on=FIRST)]

    @any_among
    def none_left(at: datetime) -> list[QuerySet[Any]]:
        return [Brand.objects.filter(name="nobody"), _left(at=at)]

    assert any_left(AT)
    assert not none_left(AT)
    assert none_left(AT + timedelta(hours=1))


def test_one_question_tells_of_which_kinds_there_are_rows() -> None:
    @which_among
    def kinds(at: datetime) -> dict[str, QuerySet[Any]]:
        nobody, first = Brand.objects.filter(name="nobody"), Run.objects.filter(on=FIRST)
        return {"nobody": nobody, "left": _left(at=at), "first": first}

    assert kinds(AT) == {"first"}
    assert kinds(AT + timedelta(hours=1)) == {"first", "left"}
