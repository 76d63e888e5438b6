"""Saved methods at the desk: looked at and removed, never opened; a stopped day of charges."""

from __future__ import annotations

from datetime import UTC, date, datetime

from django.test import Client

from billing.models import PaymentMethod, Run
from packages.states import record_change
from tests.billing import orders, saved
from tests.desk import pages

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_staff_remove_a_method_with_a_reason(staff: Client) -> None:
    orders.seeded(at=AT)
    method = saved.kept(orders.buyer(at=AT)[1], at=AT)
    page = pages.press(staff, method, "remove", reason="The customer phoned.")
    assert "is removed" in pages.text(page)
    assert "pm_1" not in page.content.decode()
    method.refresh_from_db()
    assert (method.state, method.is_default) == (PaymentMethod.State.REMOVED, False)
    assert pages.last_change(method).reason == "The customer phoned."
    assert "remove" not in pages.offered(staff, method)


def test_the_consent_is_read_as_people_write(staff: Client) -> None:
    orders.seeded(at=AT)
    method = saved.kept(orders.buyer(at=AT)[1], at=AT)
    said = {"text": "Charge it.", "version": 3, "at": "2026-03-02T09:00:00+00:00", "by": 1}
    PaymentMethod.objects.filter(pk=method.pk).update(consent=said)
    page = pages.text(staff.get(pages.address(method), headers={"accept-language": "de"}))
    assert "Charge it. · Fassung 3 · 2. März 2026 10:00" in page


def test_a_stopped_run_shows_its_charges_with_their_sum(staff: Client) -> None:
    run = Run.objects.create(
        on=date(2026, 4, 2),
        state=Run.State.STOPPED,
        started_at=AT,
        planned={"charges": 21, "charged EUR": 1659_00},
    )
    record_change(run, before="", at=AT, actor="test", reason="stopped")
    page = pages.text(staff.get(pages.address(run)))
    assert "automatic charges: 21" in page
    assert "charged: €1,659.00" in page
    assert "release" in pages.offered(staff, run)
