"""Price changes at the desk: drafted, previewed with sums, confirmed, withdrawn."""

from __future__ import annotations

from django.test import Client

from billing.models import PriceChange
from provisioning.models import Account
from tests import world
from tests.desk import pages

ADD = "/admin/billing/pricechange/add/"
INLINE = {"notices-TOTAL_FORMS": "0", "notices-INITIAL_FORMS": "0"}


def test_a_change_is_drafted_shown_with_its_sums_and_confirmed(
    staff: Client, account: Account
) -> None:
    typed = {"amount_minor": "89", "credit_minor": "25.00", "existing": "on", **INLINE}
    price = {"price": world.price("business").pk}
    assert "Enter a valid date." in pages.text(
        staff.post(ADD, {**typed, **price, "effective_on": "soon"})
    )
    assert staff.post(ADD, {**typed, **price, "effective_on": "2026-03-10"}).status_code == 302
    change = PriceChange.objects.get()
    assert pages.last_change(change).after == "draft"
    assert pages.offered(staff, change) == ["confirm", "withdraw"]
    told = pages.opened(staff, change, "confirm")
    assert "€79.00 → €89.00 from 2 May 2026" in told
    assert not pages.blocked(told)
    assert "is confirmed" in pages.text(pages.press(staff, change, "confirm"))
    # What was confirmed is looked at, not edited.
    staff.post(pages.address(change), {**typed, **price, "amount_minor": "1", **INLINE})
    change.refresh_from_db()
    assert (change.state, change.amount_minor) == ("confirmed", 89_00)
    assert "is withdrawn" in pages.text(pages.press(staff, change, "withdraw"))
    assert pages.offered(staff, change) == []
    assert staff.get("/admin/billing/pricechange/").status_code == 200
