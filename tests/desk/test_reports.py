"""Reports agree with the books, lead to their rows, and their files harm no spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing import credit_notes, datev
from billing.models import (
    Customer,
    DatevAccount,
    DatevSettings,
    Invoice,
    LedgerAccount,
    Posting,
    User,
)
from packages.desk.tables import Cell, Table, as_csv
from packages.states import StateChange
from provisioning.models import Account
from tests.clock import Clock
from tests.desk import pages
from tests.desk.orders import placed

REPORTS, DATEV = "admin:sheet_reports", "admin:sheet_datev"
MONTH = {"month": "2026-03", "currency": "EUR"}


def given(staff: Client, code: str) -> list[list[str]]:
    response = staff.get(reverse(REPORTS), {"first": "2026-03", "last": "2026-03", "file": code})
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))


def book(kind: str) -> Decimal:
    found = Posting.objects.filter(account__kind=kind, account__currency="EUR")
    return Decimal(sum(each.amount_minor for each in found)) / 100


@pytest.fixture
def books(account: Account, clock: Clock) -> Account:
    """A paid invoice, an open one of a customer with a dangerous name, and a credit note."""
    Customer.objects.update(name="=HYPERLINK(0)", company="")
    order = placed("starter", at=clock.now(), email="bob@example.com")
    Customer.objects.filter(pk=order.customer_id).update(company='Bob "Bö" ; Söhne €')
    credit_notes.issue(order.invoice, reason="test", at=clock.now(), actor="test")
    return account


def test_reports_are_the_sums_of_the_books(staff: Client, books: Account) -> None:
    (_head, income), (_taxes, tax) = given(staff, "income"), given(staff, "tax")
    assert income[:2] == ["March 2026", "EUR"]
    earned, owed, received = (Decimal(each) for each in income[2:])
    assert (-earned, -owed) == (book("revenue"), book("tax_payable"))
    assert received == book("clearing") == Decimal("128.00")
    assert tax[:3] == ["DE", "19", "EUR"]
    assert (-Decimal(tax[4]), -Decimal(tax[5])) == (book("revenue"), book("tax_payable"))
    html = staff.get(reverse(REPORTS)).content.decode()
    assert pages.blocked(html) == []
    links = set(re.findall(r'<td class="amount"[^>]*><a href="([^"]*)"', html))
    for address in links:
        assert staff.get(unescape(address)).status_code == 200, address
    assert any("taxed=1900" in address for address in links)


def test_no_cell_of_a_file_is_run_as_a_formula(staff: Client, books: Account) -> None:
    wicked = ("=1+1", "+49 40", "-5", "@SUM(A1)", "\tx", "harmless")
    table = Table("t", "t", ("=head",), [[Cell(each)] for each in wicked])
    lines = as_csv(table, name="t").content.decode("utf-8-sig")
    assert [row[0] for row in csv.reader(io.StringIO(lines))] == [
        *("'=head", "'=1+1", "'+49 40", "'-5", "'@SUM(A1)", "'\tx", "harmless")
    ]


def stack(staff: Client) -> tuple[list[str], list[dict[str, str]]]:
    DatevSettings.objects.create(pk=1, consultant=29098, client=55003)
    datev.fill_in("03")
    response = staff.get(reverse(DATEV), MONTH)
    assert "EXTF_Buchungsstapel_2026-03_EUR.csv" in response.headers["Content-Disposition"]
    assert response.content.endswith(b"\r\n")
    text = response.content.decode("cp1252")
    head, columns, *rest = csv.reader(io.StringIO(text), delimiter=";")
    assert len(head) == 31
    assert {len(row) for row in (columns, *rest)} == {125}
    said = f"EXTF_Buchungsstapel_2026-03_EUR.csv: {len(rest)} rows (month=2026-03&currency=EUR)"
    assert StateChange.objects.get(after="downloaded").reason == said
    return head, [dict(zip(columns, row, strict=True)) for row in rest]


def test_the_file_for_datev_has_every_booking(staff: Client, books: Account) -> None:
    head, rows = stack(staff)
    assert head[:5] == ["EXTF", "700", "21", "Buchungsstapel", "13"]
    assert head[10:16] == ["29098", "55003", "20260101", "4", "20260301", "20260331"]
    assert {row["Belegdatum"] for row in rows} == {"0203"}
    sums: dict[str, Decimal] = {}
    for row in rows:
        sign = 1 if row["Soll/Haben-Kennzeichen"] == "S" else -1
        worth = sign * Decimal(row["Umsatz (ohne Soll/Haben-Kz)"].replace(",", "."))
        for account, side in ((row["Konto"], 1), (row["Gegenkonto (ohne BU-Schlüssel)"], -1)):
            sums[account] = sums.get(account, Decimal()) + side * worth
    assert sums.pop("8400") == book("revenue") + book("tax_payable")
    assert sums.pop("1200") == book("clearing")
    customers = {str(10_000 + each.pk): each for each in Customer.objects.all()}
    kinds = (LedgerAccount.Kind.RECEIVABLE, LedgerAccount.Kind.CUSTOMER_CREDIT)
    for account, worth in sums.items():
        of_them = Posting.objects.filter(
            account__customer=customers[account], account__kind__in=kinds
        )
        assert worth == Decimal(sum(each.amount_minor for each in of_them)) / 100
    names = {row["Buchungstext"] for row in rows}
    assert 'Bob "Bö" ; Söhne €' in names
    assert {row["Belegfeld 1"] for row in rows} == set(
        Invoice.objects.values_list("number", flat=True)
    )


def test_without_its_account_nothing_is_given(staff: Client, books: Account) -> None:
    stack(staff)
    DatevAccount.objects.filter(book="revenue").delete()
    response = staff.get(reverse(DATEV), MONTH, follow=True)
    assert "No account in the chart for: revenue, home, 1900 bp" in pages.text(response)


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("billing", 200), ("support", 403), ("reader", 403)]
)
def test_reports_are_for_owner_and_billing(shop: Any, role: str, status: int) -> None:
    client = Client()
    fields = {"is_staff": True, "role": role}
    client.force_login(User.objects.create_user("s@example.com", "x" * 20, **fields))
    for sheet in (REPORTS, DATEV):
        assert client.get(reverse(sheet)).status_code == status
