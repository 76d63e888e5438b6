"""The desk's first page: its figures are those of the books, lead to their rows, and stay cheap."""

from __future__ import annotations

import re
from datetime import date
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing import ageing, board, collections, endings, recurring
from billing.models import Customer, Invoice, Posting, Subscription
from packages.money import Money
from provisioning.models import Account
from tests.billing import renewing, saved
from tests.clock import Clock
from tests.desk import pages
from tests.desk.orders import ordered, placed

ZONE = "Europe/Berlin"
# Business costs 79.00 with VAT of 19 %.
MONTHLY = Money(66_39, "EUR")


def moves(clock: Clock, first_on: date, on: date) -> dict[str, tuple[int, int]]:
    (euros,) = recurring.moved(first_on, on, at=clock.now(), zone=ZONE)
    assert sum(each.amount.minor for each in euros.moves) == (euros.now - euros.before).minor
    return {each.kind: (each.count, each.amount.minor) for each in euros.moves if each.count}


def shown(staff: Client) -> str:
    response = staff.get(reverse("admin:index"))
    assert response.status_code == 200
    html: str = response.content.decode()
    assert pages.blocked(html) == []
    return html


def test_every_figure_leads_to_the_rows_it_is_the_sum_of(
    staff: Client, account: Account, clock: Clock
) -> None:
    placed("starter", at=clock.now(), email="bob@example.com")
    html = shown(staff)
    (earned,) = re.findall(r"Earned today.*?href=\"([^\"]+)\">([^<]+)<", html, re.S)
    listed = pages.text(staff.get(unescape(earned[0])))
    revenue = Posting.objects.filter(account__kind="revenue")
    assert f"{revenue.count()} postings" in listed
    assert Money(-sum(each.amount_minor for each in revenue), "EUR") == _money(earned[1])
    (received,) = re.findall(r"Received today.*?href=\"([^\"]+)\">([^<]+)<", html, re.S)
    assert received[1] == "€128.00"
    assert "1 posting" in pages.text(staff.get(unescape(received[0])))
    (debt,) = re.findall(r'href="([^"]+)">not due yet<', html)
    assert "1 invoice" in pages.text(staff.get(unescape(debt)))
    (new,) = re.findall(r'href="([^"]+)">new<', html)
    assert "1 subscription" in pages.text(staff.get(unescape(new)))


def _money(text: str) -> Money:
    return Money(int(re.sub(r"\D", "", text)), "EUR")


def test_recurring_revenue_moves_by_what_happened(shop: Any, clock: Clock) -> None:
    ordered("business", at=clock.now())
    march, april = date(2026, 3, 1), date(2026, 4, 1)
    assert moves(clock, march, date(2026, 3, 2)) == {"new": (1, MONTHLY.minor)}
    clock.shift(days=30)
    assert moves(clock, april, date(2026, 4, 1)) == {}
    quoted = endings.quote(Subscription.objects.get(), on=date(2026, 4, 1), gives_back=False)
    seen, at = quoted.fingerprint, clock.now()
    endings.end(quoted, seen=seen, reason="over", returnable=True, at=at, actor="test")
    assert moves(clock, april, date(2026, 4, 1)) == {"churn": (1, -MONTHLY.minor)}
    at_end = recurring.history([april], zone=ZONE)
    assert at_end == [(april, MONTHLY)]


def test_debts_are_told_by_age(shop: Any, clock: Clock) -> None:
    order = placed("starter", at=clock.now())
    due_on = order.invoice.due_on
    assert due_on is not None
    for days, nth in ((0, 0), (1, 1), (30, 1), (31, 2), (90, 3), (91, 4)):
        (buckets,) = ageing.of(date.fromordinal(due_on.toordinal() + days)).values()
        assert [each.count for each in buckets].index(1) == nth
        assert buckets[nth].due == order.invoice.due


def test_more_rows_cost_no_more_queries(staff: Client, account: Account, clock: Clock) -> None:
    clock.work()
    shown(staff)
    with CaptureQueriesContext(
        connection,
    ) as few:
        shown(staff)
    renewing.many(40, paid_until=date(2026, 3, 9), at=clock.now())
    for nth in range(3):
        placed("starter", at=clock.now(), email=f"more-{nth}@example.com")
    with CaptureQueriesContext(connection) as many:
        shown(staff)
    assert len(many) == len(few) <= 50


def test_who_may_see_nothing_is_shown_no_figures(shop: Any, clock: Clock) -> None:
    assert board.of(lambda right: False, at=clock.now()) == {}


@pytest.mark.parametrize("days", ["", "?days=2", "?days=0"])
def test_what_is_coming_is_worked_out_and_nothing_kept(
    staff: Client, account: Account, clock: Clock, days: str
) -> None:
    renewing.many(1, paid_until=date(2026, 3, 9), at=clock.now())
    html = staff.get(reverse("admin:sheet_preview") + days).content.decode()
    assert ("Customer 2" in html) == (days == "?days=2")


def test_what_is_coming_says_when_a_run_would_stop_for_its_charges(
    staff: Client, account: Account, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collections, "ALWAYS_FINE", 0)
    renewing.many(1, paid_until=date(2026, 3, 9), at=clock.now())
    saved.kept(Customer.objects.get(name="Customer 2"), at=clock.now())
    text = pages.text(staff.get(reverse("admin:sheet_preview") + "?days=8"))
    assert "The run would stop and ask you: charges: 1, charges: 0 at most are usual." in text
    assert Invoice.objects.count() == 1
