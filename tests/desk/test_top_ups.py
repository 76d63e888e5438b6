"""Top-ups at the desk: a customer's own limit, and a standing order that staff switch off."""

from __future__ import annotations

import pytest
from django.test import Client

from billing import auto_top_ups, top_up_limits
from billing.models import AutoTopUp, Subscription, TopUpLimit
from packages.states import history_of
from tests.billing import orders, renewing
from tests.billing.orders import euros
from tests.clock import Clock


@pytest.fixture
def service(db: None, clock: Clock) -> Subscription:
    orders.seeded(at=clock.now())
    return renewing.bought(at=clock.now())


def test_staff_raise_the_limit_of_one_customer(
    service: Subscription, admin_client: Client, clock: Clock
) -> None:
    page = f"/admin/billing/customer/{service.customer_id}/do/top-up-limit/"
    assert "Set a top-up limit" in admin_client.get(page).content.decode()
    form = {"currency": "EUR", "day": "900", "month": "1800.50", "balance": "900"}
    assert admin_client.post(page, form).status_code == 200
    assert not TopUpLimit.objects.exists()
    assert admin_client.post(page, {**form, "reason": "known in person"}).status_code == 302
    limits = top_up_limits.limits_of(service.customer, "EUR", at=clock.now())
    assert (limits.day, limits.month) == (euros(900_00), euros(1800_50))
    row = TopUpLimit.objects.get()
    assert (row.reason, row.actor.startswith("staff:")) == ("known in person", True)
    shown = admin_client.get(f"/admin/billing/customer/{service.customer_id}/change/")
    assert "known in person" in shown.content.decode()


def test_staff_see_a_standing_order_and_switch_it_off(
    service: Subscription, admin_client: Client, clock: Clock
) -> None:
    auto = auto_top_ups.switch_on(
        service,
        below=euros(10_00),
        amount=euros(50_00),
        month=euros(100_00),
        consent={
            "standing": {"text": "Buy by itself.", "version": "3", "at": clock.now().isoformat()}
        },
        at=clock.now(),
        actor="user:1",
    )
    text = admin_client.get(f"/admin/billing/autotopup/{auto.pk}/change/").content.decode()
    assert "€50.00" in text
    assert "Buy by itself. · version 3 ·" in text
    page = f"/admin/billing/autotopup/{auto.pk}/do/off/"
    assert admin_client.post(page, {"reason": "asked by phone"}).status_code == 302
    auto.refresh_from_db()
    assert auto.state == AutoTopUp.State.OFF
    assert history_of(auto).latest("id").reason == "asked by phone"
