"""A cancelled service runs to the end of its paid time, and nothing is charged after it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from billing import cancellations, days, invariants
from billing.models import Invoice, Subscription
from packages.states import history_of
from provisioning.models import Job
from tests import payments
from tests.billing import orders, renewing

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUE = date(2026, 4, 2)


@pytest.fixture
def subscription(running_service: Subscription) -> Subscription:
    return running_service


def day(offset: int) -> datetime:
    on = DUE + timedelta(days=offset)
    return datetime(on.year, on.month, on.day, 12, tzinfo=UTC)


def live(first: int, last: int) -> None:
    for offset in range(first, last + 1):
        days.run(DUE + timedelta(days=offset), at=day(offset), most=None)


def cancel(subscription: Subscription, offset: int) -> None:
    cancellations.cancel(subscription, at=day(offset), actor="user:7")
    subscription.refresh_from_db()


def test_it_ends_with_the_paid_time_without_another_invoice(subscription: Subscription) -> None:
    cancel(subscription, -20)
    assert (subscription.ends_on, subscription.next_invoice_on) == (DUE, None)
    live(-19, -1)
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.ACTIVE
    live(0, 5)
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.ENDED
    assert renewing.renewals() == []
    assert Job.objects.get(kind=Job.Kind.TERMINATE).run_at == day(0) + timedelta(days=30)
    assert invariants.violations() == []


def test_who_cancelled_and_when_is_on_record(subscription: Subscription) -> None:
    cancel(subscription, -20)
    cancel(subscription, -19)
    last = history_of(subscription).order_by("-pk")[0]
    assert (last.actor, last.reason, last.at) == ("user:7", f"cancelled to {DUE}", day(-20))


def test_a_withdrawn_cancellation_renews_as_before(subscription: Subscription) -> None:
    before = subscription.next_invoice_on
    cancel(subscription, -20)
    cancellations.withdraw(subscription, at=day(-18), actor="user:7")
    subscription.refresh_from_db()
    assert (subscription.ends_on, subscription.next_invoice_on) == (None, before)
    live(-17, 0)
    assert renewing.starts() == [str(DUE)]
    assert invariants.violations() == []


def test_withdrawn_late_the_renewal_is_invoiced_at_once(subscription: Subscription) -> None:
    cancel(subscription, -20)
    live(-19, -2)
    cancellations.withdraw(subscription, at=day(-2), actor="user:7")
    live(-1, -1)
    (invoice,) = renewing.renewals()
    assert (invoice.issued_on, invoice.due_on) == (DUE - timedelta(days=1), DUE)


def test_an_open_invoice_for_the_time_after_is_taken_back_by_a_credit_note(
    subscription: Subscription,
) -> None:
    live(-7, -5)
    (invoice,) = renewing.renewals()
    cancel(subscription, -5)
    assert subscription.ends_on == DUE
    live(-4, 12)
    invoice.refresh_from_db()
    subscription.refresh_from_db()
    assert invoice.state == Invoice.State.CANCELLED
    assert [note.total for note in invoice.credit_notes.all()] == [invoice.total]
    assert subscription.state == Subscription.State.ENDED
    assert not invoice.notices.exists()
    assert invariants.violations() == []


def test_whoever_pays_the_open_invoice_gets_its_period(subscription: Subscription) -> None:
    live(-7, -5)
    (invoice,) = renewing.renewals()
    cancel(subscription, -5)
    payments.pay(invoice, at=day(-1))
    live(0, 1)
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.ACTIVE
    assert str(subscription.ends_on) == "2026-05-02"
    assert subscription.next_invoice_on is None
    live(20, 31)
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.ENDED
    assert invariants.violations() == []


def test_a_period_that_has_begun_is_still_owed(subscription: Subscription) -> None:
    live(-7, 3)
    cancel(subscription, 3)
    assert str(subscription.ends_on) == "2026-05-02"
    live(4, 8)
    (invoice,) = renewing.renewals()
    assert invoice.state == Invoice.State.OPEN
    assert [each.step for each in invoice.notices.order_by("pk")] == [
        "reminder",
        "overdue_first",
        "overdue_second",
    ]


@pytest.mark.parametrize("slug", ["flex"])
def test_what_does_not_renew_is_not_cancelled(db: None, slug: str) -> None:
    orders.seeded(at=AT)
    subscription = renewing.bought(at=AT, slug=slug)
    with pytest.raises(cancellations.NotCancellable):
        cancellations.cancel(subscription, at=day(0), actor="user:7")
    subscription.refresh_from_db()
    assert subscription.ends_on is None


def test_a_cancelled_trial_ends_with_the_trial(db: None) -> None:
    orders.seeded(at=AT)
    subscription = renewing.bought(at=AT, slug="message-reach")
    cancellations.cancel(subscription, at=AT, actor="user:7")
    subscription.refresh_from_db()
    assert str(subscription.ends_on) == "2026-03-16"
    live(-20, -16)
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.ENDED
    assert Invoice.objects.count() == 1
