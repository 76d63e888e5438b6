"""Coupons at the desk: whatever is typed is answered, and the usage is shown."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from billing import carts, coupons
from billing.models import Coupon
from provisioning.simulator.simulator import Simulator
from tests import world
from tests.billing import orders
from tests.clock import Clock
from tests.desk import pages
from tests.second_factor import person

ADD = "/admin/billing/coupon/add/"


def coupon(**changes: Any) -> dict[str, Any]:
    empty = ("valid_from", "valid_until", "max_orders", "percent_bp")
    return {
        **dict.fromkeys(empty, ""),
        **{"code": "SPRING", "active": "on", "cycles": "1", "max_orders_each": "1"},
        **{"amounts-TOTAL_FORMS": "1", "amounts-INITIAL_FORMS": "0"},
        **{"amounts-0-currency": "eur", "amounts-0-amount_minor": "5"},
        **{"amounts-0-minimum_minor": "0"},
        **changes,
    }


def test_a_coupon_is_saved_and_reads_in_words(staff: Client, shop: Simulator) -> None:
    assert staff.post(ADD, coupon()).status_code == 302
    saved = Coupon.objects.get(code="SPRING")
    assert "€5.00 off, from €0.00 on" in pages.text(staff.get(pages.address(saved)))
    assert "€5.00 1 – 0 WELCOME10" in pages.text(staff.get("/admin/billing/coupon/"))
    assert staff.get("/admin/billing/redemption/").status_code == 200


def test_the_billing_role_makes_a_coupon_with_its_amount(shop: Simulator) -> None:
    client = Client()
    client.force_login(person("billing", "billing@shop.test"))
    assert client.post(ADD, coupon()).status_code == 302
    assert Coupon.objects.get(code="SPRING").amounts.get().amount_minor == 5_00


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"percent_bp": "10"}, "A percentage is given above"),
        ({"amounts-0-amount_minor": "0"}, "Enter a percentage above, or an amount here."),
        ({"amounts-0-amount_minor": ""}, "Please fill this in."),
        ({"amounts-0-amount_minor": "x"}, "Enter a number."),
        ({"percent_bp": "100.01"}, "less than or equal to 100"),
        ({"amounts-0-currency": "1!"}, "Enter three letters"),
        ({"code": "welcome10"}, "There is a coupon with this code already."),
        ({"code": "no spaces"}, "Use letters, digits, - and _ only."),
        (
            {"valid_from": "2026-03-02", "valid_until": "2026-03-01"},
            "The last day is before the first one.",
        ),
    ],
)
def test_what_is_wrong_is_said(
    staff: Client, shop: Simulator, typed: dict[str, str], said: str
) -> None:
    assert said in pages.text(staff.post(ADD, coupon(**typed)))
    assert not Coupon.objects.filter(code="SPRING").exists()


def test_a_limit_is_not_set_below_what_was_used(
    staff: Client, shop: Simulator, clock: Clock
) -> None:
    staff.post(ADD, coupon(max_orders_each="2"))
    saved = Coupon.objects.get(code="SPRING")
    user, customer = world.customer("ada@example.com", at=clock.now())
    for _ in range(2):
        cart = carts.add(None, world.price("starter"), subscription=None, at=clock.now())
        coupons.enter(cart, "spring", customer, on=clock.now().date(), at=clock.now())
        orders.order(cart, user, customer, at=clock.now())
    (row,) = saved.amounts.all()
    stored = {"amounts-INITIAL_FORMS": "1", "amounts-0-id": row.pk, "amounts-0-coupon": saved.pk}
    for typed in ({"max_orders": "1"}, {"max_orders_each": "1"}):
        answer = staff.post(
            pages.address(saved), coupon(**{"max_orders_each": "2"} | typed, **stored)
        )
        assert "It was used 2 times already." in pages.text(answer)
    html = pages.text(staff.get(pages.address(saved)))
    assert "Orders: 2 Discounts given:" in html
    assert "€10.00" in html
