"""The operator says how many days before its period a renewal is invoiced, cycle by cycle."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.test import Client
from django.urls import reverse

from billing import renewals
from billing.models import Brand, Invoice, Subscription, current_brand
from provisioning.models import Account
from tests.clock import Clock
from tests.desk import pages
from tests.desk.orders import ordered


def save(staff: Client, **fields: object) -> Any:
    """Save the brand's page with some fields changed."""
    form = staff.get(address()).context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    kept = {name: value for name, value in values.items() if value not in (None, False)}
    return staff.post(address(), kept | fields, follow=True)


def address() -> str:
    return reverse("admin:billing_brand_change", args=[1])


def test_a_change_moves_the_invoices_that_are_to_come(
    staff: Client, account: Account, clock: Clock
) -> None:
    yearly = ordered("starter", at=clock.now(), email="bob@example.com", cycle="yearly")
    monthly = Subscription.objects.get(account=account)
    assert monthly.paid_until is not None
    assert monthly.next_invoice_on is not None
    assert monthly.next_invoice_on == monthly.paid_until - timedelta(days=7)
    page = save(staff, lead_monthly=5)
    assert "1 coming invoice has another day now." in pages.text(page)
    assert current_brand().lead_monthly == 5
    monthly.refresh_from_db()
    assert monthly.next_invoice_on == monthly.paid_until - timedelta(days=5)
    other = Subscription.objects.get(account=yearly)
    assert other.paid_until is not None
    assert other.next_invoice_on == other.paid_until - timedelta(days=14)

    eve = monthly.next_invoice_on - timedelta(days=1)
    assert renewals.bill(eve, at=clock.now()) == []
    (issued,) = renewals.bill(monthly.next_invoice_on, at=clock.now())
    assert issued.due_on == monthly.paid_until
    first = monthly.next_invoice_on
    monthly.refresh_from_db()
    assert monthly.next_invoice_on > first


def test_a_day_that_comes_to_lie_in_the_past_is_caught_up_with(
    staff: Client, account: Account, clock: Clock
) -> None:
    monthly = Subscription.objects.get(account=account)
    assert monthly.paid_until is not None
    clock.shift(days=(monthly.paid_until - clock.now().date()).days - 20)
    had = Invoice.objects.count()
    save(staff, lead_monthly=27)
    (issued,) = renewals.bill(clock.now().date(), at=clock.now())
    assert issued.due_on == monthly.paid_until
    assert Invoice.objects.count() == had + 1


def test_what_cannot_be_is_said_at_its_field(staff: Client, account: Account) -> None:
    before = Brand.objects.values().get()
    html = pages.text(save(staff, lead_monthly=28))
    assert "less than or equal to 27" in html
    html = pages.text(save(staff, lead_yearly=42, price_notice_days=42))
    assert "This must be less than the days of notice for new prices." in html
    assert Brand.objects.values().get() == before
