"""The timetable: each step once, in order, one a day; nothing severe without proof."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from billing import days, dunning, invariants, timetables
from billing.models import Invoice, Mail, Notice, Payment, Subscription
from provisioning.models import Job
from tests import payments
from tests.billing import orders, renewing
from tests.guards.connections import together

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
# The second period begins on this day, and its invoice is due.
DUE = date(2026, 4, 2)
TIMETABLE = [
    ("reminder", -3),
    ("overdue_first", 1),
    ("overdue_second", 7),
    ("suspended", 10),
    ("revocation_warning", 24),
    ("ended", 30),
]


@pytest.fixture
def subscription(running_service: Subscription) -> Subscription:
    return running_service


def run(offset: int) -> days.Day:
    """Run the day so many days after the due date, and send its mails."""
    on = DUE + timedelta(days=offset)
    day = days.run(on, at=noon(on), most=None)
    renewing.post(at=noon(on))
    return day


def noon(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 12, tzinfo=UTC)


def live(first: int, last: int) -> None:
    for offset in range(first, last + 1):
        run(offset)


def taken() -> list[tuple[str, int]]:
    """Return the steps of the first renewal with their days after the due date."""
    (invoice, *_) = renewing.renewals()
    return [(each.step, (each.on - DUE).days) for each in invoice.notices.order_by("pk")]


def test_an_unpaid_renewal_goes_through_the_whole_timetable(subscription: Subscription) -> None:
    live(-7, 40)
    assert taken() == TIMETABLE
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.ENDED
    kinds = Job.objects.order_by("seq").values_list("kind", flat=True)
    assert list(kinds) == ["create", "set_limits", "credit", "suspend", "suspend", "terminate"]
    delete = Job.objects.get(kind=Job.Kind.TERMINATE)
    assert delete.run_at == noon(DUE + timedelta(days=30)) + timedelta(days=30)
    assert len(renewing.renewals()) == 1
    templates = Mail.objects.filter(cause__startswith="invoice-").values_list("template", flat=True)
    assert sorted(templates) == sorted(
        ["invoice_issued", "receipt", *(step for step, _ in TIMETABLE)]
    )
    assert invariants.violations() == []


def test_a_second_run_on_the_same_day_does_nothing(subscription: Subscription) -> None:
    live(-7, 1)
    before = (Notice.objects.count(), Mail.objects.count(), Invoice.objects.count())
    again = run(1)
    assert (again.invoices, again.ended, again.steps) == ([], [], [])
    assert (Notice.objects.count(), Mail.objects.count(), Invoice.objects.count()) == before


def test_after_an_outage_one_step_a_day_and_nobody_has_less_time(
    subscription: Subscription,
) -> None:
    live(-7, -4)
    live(9, 50)
    assert taken() == [
        ("overdue_first", 9),
        ("overdue_second", 15),
        ("suspended", 18),
        ("revocation_warning", 32),
        ("ended", 38),
    ]
    assert invariants.violations() == []


@pytest.mark.parametrize("paid_after", [2, 9, 10, 12, 25, 29])
def test_a_payment_before_the_end_restores_at_once(
    subscription: Subscription, paid_after: int
) -> None:
    live(-7, paid_after)
    (invoice,) = renewing.renewals()
    payments.pay(invoice, at=noon(DUE + timedelta(days=paid_after)))
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.ACTIVE
    assert str(subscription.paid_until) == "2026-05-02"
    assert str(subscription.next_invoice_on) == "2026-04-25"
    suspended = paid_after >= 10
    assert Job.objects.filter(kind=Job.Kind.UNSUSPEND).count() == suspended
    assert Mail.objects.filter(template="restored").count() == suspended
    before = taken()
    live(paid_after + 1, paid_after + 1)
    assert taken() == before
    assert invariants.violations() == []


def test_a_payment_after_the_end_settles_and_brings_nothing_back(
    subscription: Subscription,
) -> None:
    live(-7, 31)
    (invoice,) = renewing.renewals()
    payments.pay(invoice, at=noon(DUE + timedelta(days=32)))
    invoice.refresh_from_db()
    subscription.refresh_from_db()
    assert invoice.state == Invoice.State.PAID
    assert subscription.state == Subscription.State.ENDED
    assert str(subscription.paid_until) == str(DUE)
    assert invariants.violations() == []


def test_nothing_is_said_while_a_payment_is_being_confirmed(subscription: Subscription) -> None:
    live(-7, -1)
    (invoice,) = renewing.renewals()
    payments.confirming(invoice, at=AT)
    live(0, 20)
    assert taken() == [("reminder", -3)]
    Payment.objects.filter(invoice=invoice).update(state=Payment.State.FAILED)
    live(21, 21)
    assert taken() == [("reminder", -3), ("overdue_first", 21)]


def test_nobody_is_suspended_whose_invoice_did_not_go_out(subscription: Subscription) -> None:
    live(-7, 9)
    Mail.objects.filter(template="invoice_issued").update(state=Mail.State.FAILED)
    live(10, 39)
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.ACTIVE
    assert not Job.objects.filter(kind=Job.Kind.SUSPEND).exists()
    assert taken()[-1] == ("overdue_second", 7)


def test_nobody_is_suspended_before_the_announcement_went_out(
    subscription: Subscription,
) -> None:
    live(-7, 6)
    days.run(DUE + timedelta(days=7), at=noon(DUE + timedelta(days=7)), most=None)
    # The mail server is away until the twentieth day; then there is as much time as ever.
    back_at = noon(DUE + timedelta(days=20))
    Mail.objects.filter(template="overdue_second").update(next_attempt_at=back_at)
    live(8, 22)
    assert taken()[-1] == ("overdue_second", 7)
    live(23, 23)
    assert taken()[-1] == ("suspended", 23)
    assert invariants.violations() == []


def test_an_invoice_that_went_out_late_gives_three_days_to_read_it(
    subscription: Subscription,
) -> None:
    live(-7, 9)
    sent_at = noon(DUE + timedelta(days=9))
    Mail.objects.filter(template="invoice_issued").update(sent_at=sent_at)
    live(10, 14)
    assert taken()[-1] == ("suspended", 13)


def test_the_invoice_of_an_order_is_not_dunned(db: None) -> None:
    orders.seeded(at=AT)
    user, customer = orders.buyer(at=AT)
    orders.place(user, customer, "business", at=AT)
    for offset in range(60):
        run(offset)
    assert not Notice.objects.exists()
    assert Subscription.objects.get().state == Subscription.State.PENDING


def test_two_runners_take_a_step_once(transactional_db: None) -> None:
    orders.seeded(at=AT)
    renewing.bought(at=AT)
    live(-7, 9)
    on = DUE + timedelta(days=10)
    planned = dunning.plan(on, at=noon(on))
    done = together(lambda _: dunning.run(on, planned, at=noon(on)), 4)
    assert sorted(len(each) for each in done if isinstance(each, list)) == [0, 0, 0, 1]
    assert Notice.objects.filter(step="suspended").count() == 1
    assert Job.objects.filter(kind=Job.Kind.SUSPEND).count() == 1
    assert invariants.violations() == []


def test_the_timetable_runs_forward(db: None) -> None:
    steps = timetables.steps_of(timetables.default())
    assert [(step.code, step.days) for step in steps] == TIMETABLE
    assert set(dunning.DEEDS) == set(Notice.Step)
