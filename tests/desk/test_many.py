"""Lists of the desk: a deed done to several rows at once, and the list as a file."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from billing import invariants
from billing.models import Invoice, Pause
from packages.desk.proposals import Proposal, SecondPerson
from packages.states import StateChange
from tests import payments
from tests.billing import orders
from tests.desk import pages
from tests.second_factor import person

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LIST = "admin:billing_invoice_changelist"
LISTS = ("invoice", "payment", "customer", "subscription")
pytestmark = pytest.mark.django_db


@pytest.fixture
def invoices() -> list[Invoice]:
    """Two open ones and a paid one of a customer with a hostile name."""
    orders.seeded(at=AT)
    user, buyer = orders.buyer(at=AT, name="=HYPERLINK(1)", company="")
    found = [orders.place(user, buyer, "business", at=AT).invoice for _each in range(3)]
    payments.pay(found[2], at=AT)
    return found


def _staff(role: str) -> Client:
    client = Client()
    client.force_login(person(role))
    return client


def _chosen(client: Client, rows: list[Invoice], action: str, **fields: Any) -> Any:
    sent = {"action": action, "_selected_action": [row.pk for row in rows], **fields}
    return client.post(reverse(LIST) + "?kind__exact=invoice", sent, follow=True)


def _states(rows: list[Invoice]) -> list[str]:
    return [Invoice.objects.get(pk=row.pk).state for row in rows]


def test_several_invoices_are_written_off_behind_a_page_that_lists_them(
    invoices: list[Invoice],
) -> None:
    owner = _staff("owner")
    before = _states(invoices)
    page = _chosen(owner, invoices, "write-off", index="0")
    told = pages.text(page)
    due = invoices[0].due
    assert f"2 rows ; together €{(due + due).decimal()}" in told.replace("rows;", "rows ;")
    assert f"possible for them now: {invoices[2].number}" in told
    assert pages.blocked(page.content.decode()) == []
    assert "Please fill this in." in pages.text(
        _chosen(owner, invoices[:2], "write-off", confirmed="yes")
    )
    assert _states(invoices) == before
    sent = {"confirmed": "yes", "reason": "insolvent"}
    told = pages.text(_chosen(owner, invoices, "write-off", **sent))
    assert f"2 rows: €{due.decimal()} are written off." in told
    assert f"{invoices[2].number} is not as it was when you looked: it was left alone." in told
    assert _states(invoices) == ["written_off", "written_off", "paid"]
    assert LogEntry.objects.filter(change_message__contains="written off").count() == 2
    assert list(invariants.violations()) == []


def test_what_is_too_much_together_waits_for_a_second_person(invoices: list[Invoice]) -> None:
    above = invoices[0].due.minor
    SecondPerson.objects.create(currency="EUR", above_minor=above)
    sent = {"confirmed": "yes", "reason": "insolvent"}
    told = pages.text(_chosen(_staff("billing"), invoices[:2], "write-off", **sent))
    assert "Nothing is done yet: a second person has to approve" in told
    assert Proposal.objects.count() == 2
    assert _states(invoices[:2]) == ["open", "open"]


def test_who_may_not_act_is_offered_no_deed_for_many(invoices: list[Invoice]) -> None:
    support = _staff("support")
    assert b'value="write-off"' not in support.get(reverse(LIST)).content
    _chosen(support, invoices, "write-off", confirmed="yes", reason="insolvent")
    assert _states(invoices) == ["open", "open", "paid"]
    assert not Pause.objects.exists()


def test_a_list_is_given_as_a_file_with_its_filters_and_harms_no_spreadsheet(
    invoices: list[Invoice],
) -> None:
    asked = {"state__exact": "open", "file": "csv"}
    response = _staff("reader").get(reverse(LIST), asked)
    assert response.headers["Content-Disposition"] == 'attachment; filename="invoices.csv"'
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert [row["number"] for row in rows] == [invoices[1].number, invoices[0].number]
    assert {row["customer"] for row in rows} == {"'=HYPERLINK(1)"}
    assert {row["total"] for row in rows} == {str(invoices[0].total.decimal())}
    assert {row["state"] for row in rows} == {"open"}
    (taken,) = StateChange.objects.filter(after="downloaded")
    assert (taken.subject, taken.reason) == ("user", "invoices.csv: 2 rows (state__exact=open)")
    assert taken.actor == f"staff:{taken.subject_id}"


def test_each_of_the_four_lists_has_its_file_and_its_link(invoices: list[Invoice]) -> None:
    reader = _staff("reader")
    for name in LISTS:
        address = reverse(f"admin:billing_{name}_changelist")
        assert "?file=csv" in reader.get(address).content.decode()
        rows = reader.get(address, {"file": "csv"}).content.decode("utf-8-sig").splitlines()
        assert len(rows) > 1, name
        assert reader.get(address, {"file": "csv", "no_such__exact": "1"}).status_code == 302
