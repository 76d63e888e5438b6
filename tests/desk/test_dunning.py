"""Staff read why something is suspended or not yet, pause it, and set the timetable."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from billing import days, timetables
from billing.models import Invoice, Notice, Pause, Subscription, Timetable
from tests.billing import orders, renewing
from tests.clock import Clock
from tests.desk import pages

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUE = date(2026, 4, 2)
FIELDS = {"name": "Standard", "is_default": "on", "reminder": "3", "charge_retries": "3,5,7"} | {
    "overdue_first": "1",
    "overdue_second": "7",
    "suspended": "10",
    "revocation_warning": "24",
    "ended": "30",
    "notice_days": "3",
}
INLINE = {"packages-TOTAL_FORMS": "0", "packages-INITIAL_FORMS": "0"}


@pytest.fixture
def overdue(db: None, clock: Clock) -> Invoice:
    """An invoice whose second notice was given today, on 9 April."""
    orders.seeded(at=AT)
    renewing.bought(at=AT)
    for offset in range(-7, 8):
        on = DUE + timedelta(days=offset)
        at = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
        days.run(on, at=at, most=None)
        renewing.post(at=at)
    clock.shift(days=38)
    return renewing.renewals()[0]


def changed(client: Client, row: Invoice | Subscription | Notice) -> str:
    name = f"admin:billing_{row._meta.model_name}_change"
    return client.get(reverse(name, args=[row.pk])).content.decode()


def test_the_pages_say_what_was_done_and_what_comes_when(overdue: Invoice, staff: Client) -> None:
    for row in (overdue, Subscription.objects.get()):
        page = changed(staff, row)
        assert "3 april 2026: first notice" in page.lower()
        assert "suspended, on" in page
        assert "10 days after" in page
    evidence = changed(staff, Notice.objects.get(step="overdue_second"))
    assert "Standard · 7 days after the due date" in evidence
    assert "€79.00" in evidence
    assert "Overdue" in pages.text(staff.get(reverse("admin:billing_invoice_changelist")))
    more_time = pages.opened(staff, overdue, "pause")
    assert str(overdue.customer) in more_time
    assert "€79.00" in more_time


def test_staff_pause_dunning_with_a_reason(overdue: Invoice, staff: Client) -> None:
    address = pages.deed_address(overdue, "pause")
    staff.post(address, {"until_on": "2026-04-01", "reason": "in the past"})
    assert not Pause.objects.exists()
    staff.post(address, {"until_on": "2026-05-01", "reason": "they call back"})
    pause = Pause.objects.get()
    assert (pause.invoice, pause.reason) == (overdue, "they call back")
    assert "paused until" in changed(staff, overdue)
    staff.post(pages.deed_address(pause, "lift"), {})
    pause.refresh_from_db()
    assert pause.until_on == pause.from_on


def test_the_timetables_form_says_what_does_not_fit(overdue: Invoice, staff: Client) -> None:
    usual = timetables.default()
    address = reverse("admin:billing_timetable_change", args=[usual.pk])
    answer = staff.post(address, {**FIELDS, **INLINE, "overdue_second": ""})
    assert "must be told the day before" in answer.content.decode()
    overdue.refresh_from_db()
    assert str(overdue.next_step_on) == "2026-04-12"
    assert staff.post(address, {**FIELDS, **INLINE, "suspended": "12"}).status_code == 302
    assert Timetable.objects.get().suspended == 12
    overdue.refresh_from_db()
    assert str(overdue.next_step_on) == "2026-04-09"
