"""Whose timetable, the law's floor, pauses and disputes: what may happen when, and why not yet."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from billing import days, disputes, dunning, explanations, invariants, pauses, payments, timetables
from billing.gateways.base import DisputeState, PaymentSnapshot
from billing.models import (
    Brand,
    Customer,
    Invoice,
    Mail,
    Notice,
    PackageTimetable,
    Payment,
    Subscription,
    Timetable,
)
from tests import payments as paying
from tests.billing import orders, renewing

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUE = date(2026, 4, 2)


@pytest.fixture
def subscription(running_service: Subscription) -> Subscription:
    return running_service


def noon(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 12, tzinfo=UTC)


def day(offset: int) -> date:
    return DUE + timedelta(days=offset)


def live(first: int, last: int) -> None:
    for offset in range(first, last + 1):
        days.run(day(offset), at=noon(day(offset)), most=None)
        renewing.post(at=noon(day(offset)))


def first() -> Invoice:
    return renewing.renewals()[0]


def taken() -> list[tuple[str, int]]:
    return [(each.step, (each.on - DUE).days) for each in first().notices.order_by("pk")]


def why(offset: int) -> str:
    told = explanations.of([first()], on=day(offset), at=noon(day(offset)))
    return " ".join(told.get(first().pk, []))


def test_where_there_is_one_timetable_nobody_is_asked_for_theirs(
    subscription: Subscription, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    live(-7, -7)
    invoice = Invoice.objects.select_related("customer").get(pk=first().pk)
    usual = timetables.default()
    with django_assert_num_queries(1):
        found = timetables.of([invoice])
    assert found == {invoice.pk: usual}


def test_the_customers_timetable_comes_before_the_packages_and_that_before_the_default(
    subscription: Subscription,
) -> None:
    live(-7, -7)
    usual = timetables.default()
    assert timetables.of([first()]) == {first().pk: usual}
    patient = Timetable.objects.create(name="patient", suspended=20)
    PackageTimetable.objects.create(timetable=patient, package=subscription.package)
    assert timetables.of([first()]) == {first().pk: patient}
    off: dict[str, Any] = {"overdue_first": None, "reminder": None}
    own = Timetable.objects.create(name="own", **off)
    Customer.objects.update(timetable=own)
    assert timetables.of([first()]) == {first().pk: own}
    live(-6, 10)
    assert taken() == [("overdue_second", 7), ("suspended", 10)]
    notice = Notice.objects.get(step="suspended")
    assert (notice.timetable, notice.days, notice.due_minor) == (own, 10, first().total_minor)
    assert [job.kind for job in notice.jobs] == ["suspend"]
    assert notice.mail.state == Mail.State.SENT


def test_without_suspension_nobody_is_threatened(subscription: Subscription) -> None:
    off: dict[str, Any] = {"suspended": None, "revocation_warning": None, "ended": None}
    never = Timetable.objects.create(name="never", **off)
    Customer.objects.update(timetable=never)
    live(-7, 40)
    assert taken() == [("reminder", -3), ("overdue_first", 1), ("overdue_second", 7)]
    mail = Mail.objects.get(template="overdue_second", cause=f"invoice-{first().pk}")
    assert "suspended" not in mail.text
    assert first().next_step_on is None


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"overdue_second": None}, "suspended", "must be told"),
        ({"suspended": None}, "ended", "only after it was suspended"),
        ({"ended": 20}, "ended", "must come after"),
        ({"suspended": 8}, "suspended", "at least 3 days after"),
        ({"revocation_warning": None}, "revocation_warning", "belong together"),
    ],
)
def test_a_timetable_that_does_not_fit_together_says_why(
    wrong: dict[str, int | None], field: str, words: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        Timetable(name="x", **wrong).clean()
    assert words in " ".join(refused.value.message_dict[field])


def test_a_consumer_is_not_suspended_below_the_laws_floor(subscription: Subscription) -> None:
    Brand.objects.update(telecom_floor=True)
    live(-7, 30)
    assert taken()[-1] == ("overdue_second", 7)
    assert "79.00 below" in why(30)
    assert "§ 61 TKG" in why(30)
    mail = Mail.objects.get(template="overdue_second", cause=f"invoice-{first().pk}")
    assert "100.00" in mail.text
    assert "reviewed by a court" in mail.text
    # The next period is owed too: 158.00, and the announcement is older than two weeks.
    live(31, 33)
    assert taken()[-1] == ("suspended", 31)
    assert invariants.violations() == []


def test_a_contested_invoice_is_no_arrears_and_a_business_has_no_floor(
    subscription: Subscription,
) -> None:
    Brand.objects.update(telecom_floor=True)
    live(-7, 30)
    contested = renewing.renewals()[1]
    pauses.begin(
        contested, until_on=day(60), reason="contested", on=day(30), at=AT, actor="staff:1"
    )
    live(31, 35)
    assert taken()[-1] == ("overdue_second", 7)
    Customer.objects.update(is_business=True)
    live(36, 36)
    assert taken()[-1] == ("suspended", 36)


def test_a_floor_gives_two_weeks_from_the_announcement(subscription: Subscription) -> None:
    Brand.objects.update(telecom_floor=True, telecom_floor_minor=10_00)
    live(-7, 25)
    assert taken()[-2:] == [("overdue_second", 7), ("suspended", 21)]


@pytest.mark.parametrize("scope", ["invoice", "subscription", "customer"])
def test_the_days_of_a_pause_do_not_count(subscription: Subscription, scope: str) -> None:
    live(-7, 8)
    target: Any = {
        "invoice": first(),
        "subscription": subscription,
        "customer": subscription.customer,
    }[scope]
    pause = pauses.begin(
        target, until_on=day(40), reason="talks", on=day(9), at=noon(day(9)), actor="staff:1"
    )
    live(9, 18)
    assert taken()[-1] == ("overdue_second", 7)
    assert "paused until" in why(18)
    pauses.lift(pause, on=day(19))
    # One of the three days had passed before the pause.
    live(19, 35)
    assert taken()[3:] == [("suspended", 20), ("revocation_warning", 34)]
    assert invariants.violations() == []


def test_a_disputed_payment_stops_dunning_until_it_is_over(subscription: Subscription) -> None:
    live(-7, 8)
    payment = Payment.objects.get()
    payments.record(_told(payment, "open"), payment.gateway, at=noon(day(8)), actor="test")
    live(9, 15)
    assert taken()[-1] == ("overdue_second", 7)
    assert "disputed" in why(15)
    payment.refresh_from_db()
    disputes.end(payment, at=noon(day(15)))
    live(16, 20)
    assert taken()[-1] == ("suspended", 18)
    assert invariants.violations() == []


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "contested at your bank"), ("de", "wurde bei Ihrer Bank")],
)
def test_who_is_suspended_for_a_dispute_is_told_once(
    subscription: Subscription, language: str, told: str
) -> None:
    Brand.objects.update(suspends_disputed=True)
    Customer.objects.update(language=language)
    payment, at = Payment.objects.get(), noon(day(-10))
    for _ in range(2):
        payments.record(_told(payment, "open"), payment.gateway, at=at, actor="test")
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.SUSPENDED
    mail = Mail.objects.get(template="disputed")
    assert str(payment.invoice.number) in mail.subject
    assert told in mail.text
    assert not Mail.objects.filter(template="suspended").exists()


def test_money_that_a_bank_takes_back_without_a_question_suspends_as_well(
    subscription: Subscription,
) -> None:
    """A direct debit's dispute is lost when it is first heard of; nobody can answer it."""
    Brand.objects.update(suspends_disputed=True)
    payment, at = Payment.objects.get(), noon(day(-10))
    for _ in range(2):
        payments.record(_told(payment, "lost"), payment.gateway, at=at, actor="test")
    payment.refresh_from_db()
    subscription.refresh_from_db()
    assert (payment.dispute, payment.dispute_ended_at) == ("lost", at)
    assert subscription.state == Subscription.State.SUSPENDED
    assert Mail.objects.filter(template="disputed").count() == 1


def _told(payment: Payment, dispute: DisputeState) -> PaymentSnapshot:
    return PaymentSnapshot(
        external_id=payment.external_id or "",
        key=payment.key.hex,
        state="succeeded",
        amount=payment.amount,
        dispute=dispute,
    )


def test_a_new_timetable_holds_for_what_is_open(subscription: Subscription) -> None:
    live(-7, 2)
    usual = timetables.default()
    usual.overdue_second, usual.suspended = 4, 8
    usual.save()
    pauses.look_again(Invoice.objects.all(), on=day(3))
    live(3, 8)
    assert taken()[2:] == [("overdue_second", 4), ("suspended", 8)]


def test_after_an_outage_the_next_runs_take_a_step_a_day(subscription: Subscription) -> None:
    live(-7, 6)
    live(10, 14)
    assert taken()[2:] == [("overdue_second", 10), ("suspended", 13)]
    assert len(renewing.renewals()) == 1


def test_paid_after_the_end_the_invoice_is_paid_and_nothing_runs(
    subscription: Subscription,
) -> None:
    live(-7, 31)
    paying.pay(first(), at=noon(day(32)))
    assert first().state == Invoice.State.PAID
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.ENDED
    assert Mail.objects.filter(template="paid_after_end").count() == 1
    live(33, 34)
    assert invariants.violations() == []


def test_choosing_what_to_look_at_reads_what_is_due(db: None) -> None:
    """Hundreds wait for another day; the plan finds the few of today by an index."""
    orders.seeded(at=AT)
    renewing.many(300, paid_until=DUE, at=AT)
    days.run(day(-7), at=noon(day(-7)), most=None)
    Invoice.objects.update(next_step_on=day(20))
    few = Invoice.objects.order_by("pk").values_list("pk", flat=True)[:3]
    Invoice.objects.filter(pk__in=list(few)).update(next_step_on=day(-3))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE billing_invoice")
    due = Invoice.objects.filter(state=Invoice.State.OPEN, next_step_on__lte=day(-3))
    assert "invoice_to_dun" in due.order_by("next_step_on", "id")[:500].explain()
    planned = dunning.plan(day(-3), at=noon(day(-3)))
    assert len(planned) == 3
