"""Credit notes at the desk: the sums are seen before anything is issued, and asked for once."""

from __future__ import annotations

from datetime import UTC, datetime

from django.test import Client

from billing.models import Invoice
from tests.billing import orders
from tests.desk import pages

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def invoice_of_an_order() -> Invoice:
    orders.seeded(at=AT)
    return orders.place(*orders.buyer(at=AT), "business", at=AT).invoice


def lines_of(invoice: Invoice, *amounts: str) -> dict[str, str]:
    ids = invoice.lines.order_by("position").values_list("pk", flat=True)
    return {f"line_{pk}": amount for pk, amount in zip(ids, amounts, strict=True)}


def test_staff_credit_everything_that_is_left(staff: Client) -> None:
    invoice = invoice_of_an_order()
    assert "credit" in pages.offered(staff, invoice)
    fields = {**lines_of(invoice, "79.00", "49.00"), "reason": "Wrong package"}
    page = pages.press(staff, invoice, "credit", **fields)
    assert "Credit note G-2026-0001 of €128.00 is issued." in page.content.decode() or (
        "of €128.00 is issued" in page.content.decode()
    )
    invoice.refresh_from_db()
    assert invoice.state == Invoice.State.CANCELLED
    assert "credit" not in pages.offered(staff, invoice)


def test_other_sums_are_shown_before_they_are_issued(staff: Client) -> None:
    invoice = invoice_of_an_order()
    fields = {**lines_of(invoice, "9.00", ""), "reason": "Outage"}
    page = pages.press(staff, invoice, "credit", **fields).content.decode()
    assert "These are €7.56 net and €1.44 VAT, €9.00 in all." in page
    assert not invoice.credit_notes.exists()
    pages.submit(staff, invoice, "credit", {**pages.hidden(page), **fields})
    assert invoice.credit_notes.get().total_minor == 9_00


def test_more_than_is_left_is_refused(staff: Client) -> None:
    invoice = invoice_of_an_order()
    fields = {**lines_of(invoice, "79.01", ""), "reason": "x"}
    page = pages.press(staff, invoice, "credit", **fields).content.decode()
    assert "No more than what is left can be credited." in page
    assert not invoice.credit_notes.exists()


def test_staff_read_the_xml(staff: Client) -> None:
    invoice = invoice_of_an_order()
    response = staff.get(pages.address(invoice).replace("change", "xml"))
    assert response["Content-Type"] == "application/xml"
    assert b"R-2026-0001" in response.content
