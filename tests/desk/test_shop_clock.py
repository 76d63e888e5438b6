"""The demo's date: a day that passes is billed and worked off, and the page says what happened."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from billing.models import Invoice, Mail, Notice, Subscription
from packages import clock as shop_clock
from provisioning.models import Account
from tests.billing import renewing
from tests.clock import Clock

PAGE = "admin:packages_shopclock_changelist"


@pytest.fixture
def demo(settings: Settings) -> None:
    settings.DEMO = True


def test_outside_of_a_demo_there_is_no_such_page(staff: Client) -> None:
    assert staff.get(reverse(PAGE)).status_code == 403
    assert reverse(PAGE) not in staff.get(reverse("admin:index")).content.decode()


def test_days_pass_and_the_page_tells_what_happened(
    staff: Client, demo: None, account: Account, clock: Clock
) -> None:
    clock.work()
    assert "Monday, 2 March 2026" in staff.get(reverse(PAGE)).content.decode()
    page = staff.post(reverse(PAGE), {"days": 24}, follow=True).content.decode()
    assert "24 days ahead" in page
    assert "Thursday, 26 March 2026" in page
    (invoice,) = renewing.renewals()
    assert str(invoice.number) in page
    staff.post(reverse(PAGE), {"days": 17})
    assert Subscription.objects.get().state == Subscription.State.SUSPENDED
    assert Account.objects.get().state == Account.State.SUSPENDED
    assert Notice.objects.count() == 4
    assert not Mail.objects.exclude(state=Mail.State.SENT).exists()


def test_the_shop_shows_and_keeps_its_own_date(
    staff: Client, demo: None, account: Account, clock: Clock
) -> None:
    before = shop_clock.now()
    staff.post(reverse(PAGE), {"days": 3})
    staff.post(reverse(PAGE), {"days": 2})
    assert (shop_clock.now() - before).days == 5
    assert not Invoice.objects.filter(issued_at__gt=shop_clock.now()).exists()


@pytest.mark.parametrize("days", ["0", "-1", "32", "x", ""])
def test_no_other_number_of_days_passes(staff: Client, demo: None, days: str) -> None:
    page = staff.post(reverse(PAGE), {"days": days})
    assert b"errorlist" in page.content
    assert shop_clock.days_ahead() == 0


def test_who_may_not_see_everything_does_not_move_the_date(
    staff: Client, demo: None, account: Account
) -> None:
    user = staff.get(reverse(PAGE)).wsgi_request.user
    user.is_superuser = False
    user.save()
    assert staff.post(reverse(PAGE), {"days": 1}).status_code == 403
    assert shop_clock.days_ahead() == 0
