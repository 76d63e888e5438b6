"""Prices that change: new orders pay them, existing services only after a notice in time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from billing import cancellations, days, invariants, pauses, price_changes
from billing.models import Brand, Invoice, Mail, PriceChange, PriceNotice, Subscription, User
from packages.states import StateChange, record_change
from provisioning.models import Job
from tests import payments, world
from tests.billing import orders, renewing

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
ON = date(2026, 3, 2)
pytestmark = pytest.mark.django_db


def noon(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 12, tzinfo=UTC)


@pytest.fixture
def service(running_service: Subscription) -> Subscription:
    """Business at 79.00 a month with 20.00 credit, from 2 March."""
    return running_service


def change(
    on: date, *, amount: int = 89_00, credit: int = 25_00, existing: bool = True
) -> PriceChange:
    made = PriceChange.objects.create(
        price=world.price("business"),
        amount_minor=amount,
        credit_minor=credit,
        effective_on=on,
        existing=existing,
    )
    record_change(made, before="", at=AT, actor="staff:1", reason="drafted")
    return price_changes.confirm(made, on=ON, at=AT, actor="staff:1")


def live(until: date, *, start: date = ON, deliver: bool = True) -> None:
    """Run every few days and the last one; mails arrive, and invoices are paid, the same day."""
    span = (until - start).days
    for count in sorted({*range(0, span, 6), span}):
        on = start + timedelta(days=count)
        days.run(on, at=noon(on), most=None)
        if deliver:
            delivered(on)
        for invoice in Invoice.objects.filter(state=Invoice.State.OPEN):
            payments.pay(invoice, at=noon(on))


def delivered(on: date, state: str = Mail.State.SENT) -> None:
    for mail in Mail.objects.filter(state=Mail.State.QUEUED):
        mail.state, mail.sent_at = state, noon(on) if state == Mail.State.SENT else None
        mail.save()
        record_change(mail, before="queued", at=noon(on), actor="test", reason="sent")


def charged() -> dict[str, int]:
    return {
        str(line.period_start_on): line.unit_minor
        for invoice in renewing.renewals()
        for line in invoice.lines.all()
    }


def test_new_orders_pay_it_from_its_day_and_nobody_else(service: Subscription) -> None:
    change(date(2026, 3, 10), existing=False)
    live(date(2026, 3, 9))
    assert world.price("business").amount_minor == 79_00
    live(date(2026, 3, 27), start=date(2026, 3, 10))
    price = world.price("business")
    assert (price.amount_minor, price.credit_minor) == (89_00, 25_00)
    assert charged() == {"2026-04-02": 79_00}
    assert not PriceNotice.objects.exists()
    assert invariants.violations() == []


def test_existing_services_pay_it_from_the_first_period_after_notice(
    service: Subscription,
) -> None:
    change(date(2026, 3, 10))
    live(date(2026, 6, 1))
    notice = PriceNotice.objects.get()
    # Told on 2 March for 42 days, so on 13 April at the earliest.
    assert (str(notice.starts_on), str(notice.applies_from)) == ("2026-05-02", "2026-05-02")
    assert charged() == {"2026-04-02": 79_00, "2026-05-02": 89_00, "2026-06-02": 89_00}
    service.refresh_from_db()
    assert (service.amount_minor, service.credit_minor) == (89_00, 25_00)
    assert Mail.objects.filter(template="price_changed").count() == 1
    assert invariants.violations() == []


def test_the_notice_says_both_prices_the_day_and_how_to_cancel(service: Subscription) -> None:
    service.customer.language = "de"
    service.customer.save()
    change(date(2026, 3, 10))
    days.run(ON, at=AT, most=None)
    mail = Mail.objects.get(template="price_changed")
    for text in (mail.text, mail.html):
        for said in ("79,00", "89,00", "2. Mai 2026", "kündigen", f"{service.public_id}"):
            assert said in text.replace("\xa0", " ")
    assert "neuer Preis ab 2. Mai 2026" in mail.subject


@pytest.mark.parametrize("state", [Mail.State.FAILED, Mail.State.UNKNOWN, Mail.State.QUEUED])
def test_whom_no_notice_reached_keeps_the_old_price(service: Subscription, state: str) -> None:
    change(date(2026, 3, 10))
    days.run(ON, at=AT, most=None)
    delivered(ON, state)
    live(date(2026, 5, 1), deliver=False)
    assert charged() == {"2026-04-02": 79_00, "2026-05-02": 79_00}


def test_a_notice_that_was_late_counts_from_the_day_it_was_sent(service: Subscription) -> None:
    change(date(2026, 3, 10))
    days.run(ON, at=AT, most=None)
    late = date(2026, 4, 1)
    live(late - timedelta(days=1), deliver=False)
    delivered(late)
    live(date(2026, 6, 1), start=late)
    assert charged() == {"2026-04-02": 79_00, "2026-05-02": 79_00, "2026-06-02": 89_00}
    assert invariants.violations() == []


def test_a_withdrawn_change_changes_nothing(service: Subscription) -> None:
    made = change(date(2026, 4, 20))
    live(date(2026, 3, 5))
    price_changes.withdraw(made, at=AT, actor="staff:1")
    live(date(2026, 5, 1), start=date(2026, 3, 6))
    assert set(charged().values()) == {79_00}
    assert world.price("business").amount_minor == 79_00
    with pytest.raises(price_changes.NotPossible):
        price_changes.withdraw(made, at=AT, actor="staff:1")


def test_the_last_of_two_changes_holds(service: Subscription) -> None:
    change(date(2026, 4, 20), amount=85_00)
    change(date(2026, 4, 25), amount=99_00)
    live(date(2026, 5, 1))
    assert charged()["2026-05-02"] == 99_00
    assert invariants.violations() == []


def test_a_period_that_is_paid_late_includes_the_credit_of_its_own_price(
    service: Subscription,
) -> None:
    """The next one is charged at the new price already when it is paid."""
    change(date(2026, 4, 10))
    until_on = ON + timedelta(days=80)
    pauses.begin(service, until_on=until_on, reason="asked", on=ON, at=AT, actor="staff:1")
    for day in range(60):
        on = ON + timedelta(days=day)
        days.run(on, at=noon(on), most=None)
        delivered(on)
    late = sorted(renewing.renewals(), key=lambda invoice: invoice.pk)
    assert charged() == {"2026-04-02": 79_00, "2026-05-02": 89_00}
    for invoice in late:
        payments.pay(invoice, at=noon(ON + timedelta(days=60)))
    days.run(date(2026, 5, 2), at=noon(date(2026, 5, 2)), most=None)
    given = Job.objects.filter(kind="credit", cause__startswith="invoice-line-").order_by("seq")
    assert [job.amount_minor for job in given] == [20_00, 25_00]


def test_who_has_cancelled_is_not_told(service: Subscription) -> None:
    cancellations.cancel(service, at=AT, actor="test")
    change(date(2026, 3, 10))
    days.run(ON, at=AT, most=None)
    assert not PriceNotice.objects.exists()


def test_pay_as_you_go_has_no_next_period_and_stops_no_run(service: Subscription) -> None:
    user = User.objects.get(customers=service.customer)
    payments.pay(orders.place(user, service.customer, "flex", at=AT).invoice, at=AT)
    made = PriceChange.objects.create(
        price=world.price("flex"), amount_minor=9_00, effective_on=ON, existing=True
    )
    price_changes.confirm(made, on=ON, at=AT, actor="staff:1")
    days.run(ON, at=AT, most=None)
    assert world.price("flex").amount_minor == 9_00
    assert not PriceNotice.objects.exists()
    (said,) = StateChange.objects.filter(after="priced")
    assert said.reason == "EUR one_time: price 20.00 → 9.00, credit 20.00 → 0.00"


def test_a_preview_sees_notice_and_new_price(service: Subscription) -> None:
    Brand.objects.update(price_notice_days=31)
    change(ON)
    seen = days.preview(ON, days=25)
    assert [each for day in seen for each in day.faults] == []
    assert [each.total.minor for day in seen for each in day.invoices] == [89_00]


def test_a_past_day_is_refused(service: Subscription) -> None:
    with pytest.raises(price_changes.NotPossible):
        change(date(2026, 3, 1))


def test_the_preview_is_whom_it_concerns_and_their_sums(service: Subscription) -> None:
    made = change(date(2026, 3, 10))
    (found,) = price_changes.concerned(made, world.brand(), on=ON)
    assert (found.subscription, str(found.starts_on)) == (service, "2026-05-02")
    assert (found.before.minor, found.after.minor) == (79_00, 89_00)
