"""A period that nobody pays for is passed: no gap, no paid period that waits for ever."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from billing import cancellations, credit_notes, days, invariants, settlements
from billing.models import Invoice, Subscription
from provisioning.models import Job
from tests import payments
from tests.billing import renewing

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
START = AT.date()
APRIL, MAY, JUNE = date(2026, 4, 2), date(2026, 5, 2), date(2026, 6, 2)


@pytest.fixture
def subscription(running_service: Subscription) -> Subscription:
    return running_service


def at(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 12, tzinfo=UTC)


def live(first: date, last: date) -> None:
    while first <= last:
        days.run(first, at=at(first), most=None)
        renewing.post(at=at(first))
        first += timedelta(days=1)


def invoiced(start_on: date) -> Invoice:
    return Invoice.objects.get(lines__period_start_on=start_on, kind="invoice")


def credit(invoice: Invoice, on: date) -> None:
    credit_notes.issue(invoice, reason="Outage", at=at(on), actor="staff:1")


def state(subscription: Subscription) -> tuple[str, date | None]:
    subscription.refresh_from_db()
    return subscription.state, subscription.paid_until


def credited() -> int:
    return Job.objects.filter(kind=Job.Kind.CREDIT).count()


def test_a_renewal_that_is_credited_is_free_and_the_next_one_follows(
    subscription: Subscription,
) -> None:
    live(APRIL - timedelta(days=7), APRIL - timedelta(days=7))
    credit(invoiced(APRIL), APRIL - timedelta(days=5))
    assert state(subscription) == ("active", MAY)
    # The time alone: the credit that was included in March is all there is.
    assert credited() == 1
    live(APRIL, MAY - timedelta(days=7))
    payments.pay(invoiced(MAY), at=at(MAY))
    assert state(subscription) == ("active", JUNE)
    assert credited() == 2
    assert invariants.violations() == []


def test_a_debt_that_is_credited_lets_the_service_run_again(subscription: Subscription) -> None:
    live(APRIL - timedelta(days=7), APRIL + timedelta(days=20))
    assert state(subscription) == ("suspended", APRIL)
    credit(invoiced(APRIL), APRIL + timedelta(days=20))
    assert state(subscription) == ("active", MAY)
    assert Job.objects.filter(kind=Job.Kind.UNSUSPEND).count() == 1
    live(APRIL + timedelta(days=21), MAY - timedelta(days=1))
    assert invoiced(MAY).due.minor == 79_00
    assert invariants.violations() == []


def test_a_debt_that_is_written_off_leaves_the_service_suspended(
    subscription: Subscription,
) -> None:
    live(APRIL - timedelta(days=7), APRIL + timedelta(days=20))
    owed = invoiced(APRIL)
    settlements.write_off(owed, reason="gone", at=at(APRIL + timedelta(days=20)), actor="staff:1")
    assert state(subscription) == ("suspended", APRIL)
    assert invariants.violations() == []


def test_a_running_service_goes_on_past_what_was_written_off(subscription: Subscription) -> None:
    live(APRIL - timedelta(days=7), APRIL + timedelta(days=1))
    owed = invoiced(APRIL)
    settlements.write_off(owed, reason="ours", at=at(APRIL + timedelta(days=1)), actor="staff:1")
    live(APRIL + timedelta(days=2), MAY - timedelta(days=7))
    payments.pay(invoiced(MAY), at=at(MAY))
    assert state(subscription) == ("active", JUNE)
    assert invariants.violations() == []


def test_behind_the_end_of_a_cancelled_service_nothing_is_free(subscription: Subscription) -> None:
    live(APRIL - timedelta(days=7), APRIL - timedelta(days=7))
    cancellations.cancel(subscription, at=at(APRIL - timedelta(days=6)), actor="user:1")
    credit(invoiced(APRIL), APRIL - timedelta(days=5))
    assert state(subscription) == ("active", APRIL)
    cancellations.withdraw(subscription, at=at(APRIL - timedelta(days=4)), actor="user:1")
    assert state(subscription) == ("active", MAY)
    assert invariants.violations() == []


def test_a_part_that_is_credited_frees_nothing(subscription: Subscription) -> None:
    live(APRIL - timedelta(days=7), APRIL - timedelta(days=7))
    invoice = invoiced(APRIL)
    part = {invoice.lines.get().pk: invoice.total.fraction(1, 2)}
    credit_notes.issue(invoice, part, reason="Outage", at=at(APRIL), actor="staff:1")
    assert state(subscription) == ("active", APRIL)
    payments.pay(invoice, at=at(APRIL))
    assert state(subscription) == ("active", MAY)
    assert invariants.violations() == []
