"""Each day has one run: whoever rings first, what fails holds nobody up, staff release the rest."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from billing import days, invariants, runs
from billing.models import Invoice, Run, Subscription
from packages.states import history_of
from tests.billing import orders, renewing
from tests.billing.test_days import overdue
from tests.guards.connections import together

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUE = date(2026, 4, 2)
INVOICED = DUE - timedelta(days=7)


def noon(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 12, tzinfo=UTC)


def bill(on: date, *, hours: int = 0) -> Run | None:
    return runs.bill(on, now=lambda: noon(on) + timedelta(hours=hours))


def test_a_day_is_run_once_and_says_what_it_did(db: None) -> None:
    orders.seeded(at=AT)
    renewing.many(3, paid_until=DUE, at=AT)
    assert bill(INVOICED) is not None
    assert bill(INVOICED, hours=5) is None
    run = Run.objects.get()
    assert (run.state, run.counts["invoices"], run.faults) == (Run.State.DONE, 3, [])
    steps = [(each.after, each.reason) for each in history_of(run)]
    assert steps == [("running", "first ring of the day"), ("done", "invoices 3")]
    assert invariants.violations() == []


def test_many_clocks_run_a_day_once(transactional_db: None) -> None:
    orders.seeded(at=AT)
    renewing.many(3, paid_until=DUE, at=AT)
    done = together(lambda _: bill(INVOICED), 4)
    assert sum(isinstance(each, Run) for each in done) == 1
    run = Run.objects.get()
    assert (run.state, run.attempts, run.counts["invoices"]) == (Run.State.DONE, 1, 3)
    assert Invoice.objects.count() == 3


def test_one_bad_item_is_kept_aside_and_tried_again_in_an_hour(db: None) -> None:
    orders.seeded(at=AT)
    renewing.many(4, paid_until=DUE, at=AT)
    broken = Subscription.objects.filter(customer__name="Customer 1")
    broken.update(cycle="nonsense")
    bill(INVOICED)
    run = Run.objects.get()
    assert (run.state, run.counts["invoices"], len(run.faults)) == (Run.State.FAULTY, 3, 1)
    assert run.faults[0]["item"] == f"subscription {broken.get().pk}, renewal"
    assert bill(INVOICED) is None
    broken.update(cycle="monthly")
    bill(INVOICED, hours=1)
    run.refresh_from_db()
    assert (run.state, run.counts["invoices"], run.attempts) == (Run.State.DONE, 4, 2)
    assert Invoice.objects.count() == 4
    assert invariants.violations() == []


def test_a_runner_that_died_is_replaced_after_an_hour(db: None) -> None:
    orders.seeded(at=AT)
    renewing.many(2, paid_until=DUE, at=AT)
    bill(INVOICED)
    Run.objects.update(state=Run.State.RUNNING, again_at=noon(INVOICED) + timedelta(hours=1))
    assert bill(INVOICED) is None
    with pytest.raises(runs.Busy):
        runs.by_hand(INVOICED, careful=True, now=lambda: noon(INVOICED), actor="staff:1")
    assert bill(INVOICED, hours=1) is not None
    assert Run.objects.get().state == Run.State.DONE


def test_a_stopped_run_waits_for_its_release_and_does_no_more_than_it_planned(db: None) -> None:
    orders.seeded(at=AT)
    on = overdue(6)
    with pytest.raises(days.TooMany):
        bill(on)
    run = Run.objects.get()
    assert (run.state, run.planned) == (Run.State.STOPPED, {"services": 6})
    assert bill(on, hours=2) is None
    runs.release(run, reason="looked at all six", at=noon(on), actor="staff:1")
    with pytest.raises(runs.NotStopped):
        runs.release(run, reason="again", at=noon(on), actor="staff:1")
    assert bill(on) is not None
    assert Subscription.objects.filter(state=Subscription.State.SUSPENDED).count() == 6
    run.refresh_from_db()
    assert (run.state, run.counts["suspended"]) == (Run.State.DONE, 6)
    released = history_of(run).get(after="released")
    assert (released.actor, released.reason) == ("staff:1", "looked at all six")
    assert invariants.violations() == []


def test_only_the_latest_run_is_released(db: None) -> None:
    orders.seeded(at=AT)
    on = overdue(6)
    with pytest.raises(days.TooMany):
        bill(on)
    with pytest.raises(days.TooMany):
        bill(on + timedelta(days=1))
    first = Run.objects.get(on=on)
    with pytest.raises(runs.NotStopped):
        runs.release(first, reason="late", at=noon(on), actor="staff:1")
