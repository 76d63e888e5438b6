"""Who tries a package is told in time what it will cost; who has left is left alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from billing import cancellations, days, invariants, invoice_days
from billing.models import Invoice, Mail, Subscription
from packages.models import Package
from tests import world
from tests.billing import orders, renewing

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
ENDS = date(2026, 3, 16)


@pytest.fixture
def trial(db: None) -> Subscription:
    """A trial of fourteen days from 2 March."""
    orders.seeded(at=AT)
    Package.objects.filter(slug="business").update(trial_days=14)
    return renewing.bought(at=AT)


def live(first: int, last: int) -> None:
    """Live these days, counted from the end of the trial."""
    for offset in range(first, last + 1):
        on = ENDS + timedelta(days=offset)
        days.run(on, at=datetime(on.year, on.month, on.day, 12, tzinfo=UTC), most=None)


def test_the_sum_and_the_way_out_are_mailed_once_five_days_before(trial: Subscription) -> None:
    live(-13, -6)
    assert not Mail.objects.filter(template="trial_ending").exists()
    live(-5, 1)
    mail = Mail.objects.get(template="trial_ending")
    assert "79.00" in mail.text
    assert "16 March 2026" in mail.text
    assert "cancel before" in mail.text
    renewal = Invoice.objects.get(lines__period_start_on=ENDS)
    assert renewal.due_on == ENDS
    assert renewal.issued_on is not None
    assert renewal.issued_on < ENDS
    assert invariants.violations() == []


def test_they_are_told_in_time_however_late_renewals_are_invoiced(trial: Subscription) -> None:
    before, after = world.brand(), world.brand()
    after.lead_monthly = 0
    after.save()
    assert invoice_days.move(before, after) == 1
    live(-8, -6)
    assert not Invoice.objects.filter(lines__period_start_on=ENDS).exists()
    live(-5, -5)
    assert Mail.objects.filter(template="trial_ending").count() == 1
    trial.refresh_from_db()
    # The second period is invoiced as late as any other.
    assert trial.next_invoice_on == date(2026, 4, 16)


def test_who_has_cancelled_is_not_written_to(trial: Subscription) -> None:
    live(-13, -6)
    cancellations.cancel(trial, at=AT + timedelta(days=8), actor="user:1")
    live(-5, 0)
    assert not Mail.objects.filter(template="trial_ending").exists()
