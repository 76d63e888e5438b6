"""Money is read-only at the desk; a bank transfer is confirmed once, for its exact amount."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.test import Client
from django.urls import reverse

from billing.models import LedgerTransaction, Mail, Payment
from provisioning.models import Account, Job
from provisioning.simulator.simulator import Simulator
from tests.clock import Clock
from tests.desk import pages
from tests.desk.events import parked_event

READ_ONLY = [
    *("billing.Order", "billing.Invoice", "billing.Payment", "billing.GatewayEvent"),
    *("billing.Subscription", "billing.LedgerAccount", "billing.LedgerTransaction"),
    *("billing.Posting", "billing.Mail", "provisioning.Account", "provisioning.Job"),
]
FORBIDDEN = 403
WRONG = {
    "127.99": "€127.99 is not the amount of this payment, which is €128.00.",
    "128.001": "more digits",
    "": "Please complete the fields below.",
    "-128": "is not the amount",
    "lots": "Please complete the fields below.",
}


def snapshot(label: str) -> list[Any]:
    return list(apps.get_model(label)._default_manager.order_by("pk").values())


def refused(staff: Client, label: str) -> None:
    """Try to change, delete and add rows of a model through every address Django has for it."""
    meta = apps.get_model(label)._meta
    name = f"admin:{meta.app_label}_{meta.model_name}"
    rows = snapshot(label)
    assert rows, label
    fields = {"state": "paid", "amount_minor": "1", "cause": "x", "post": "yes"}
    for page in ("change", "delete"):
        address = reverse(f"{name}_{page}", args=[rows[0]["id"]])
        assert staff.post(address, fields).status_code == FORBIDDEN, address
    assert staff.post(reverse(f"{name}_add"), fields).status_code == FORBIDDEN, label
    every = [row["id"] for row in rows]
    bulk = {"action": "delete_selected", "_selected_action": every, "post": "yes"}
    staff.post(reverse(f"{name}_changelist"), bulk)
    assert snapshot(label) == rows


def test_nobody_edits_adds_or_deletes_money(staff: Client, account: Account, clock: Clock) -> None:
    clock.work()
    parked_event("", at=clock.now())
    for label in READ_ONLY:
        refused(staff, label)


def test_the_page_says_amount_and_invoice_before_anything_happens(
    staff: Client, transfer: Payment
) -> None:
    html = pages.opened(staff, transfer, "arrived")
    assert "€128.00" in html
    assert str(transfer.invoice.number) in html
    transfer.refresh_from_db()
    assert transfer.state == Payment.State.CREATED


def test_a_confirmed_transfer_pays_the_invoice_and_asks_for_the_account(
    staff: Client, transfer: Payment, shop: Simulator, clock: Clock
) -> None:
    response = pages.press(staff, transfer, "arrived", amount="128.00")
    assert "€128.00 are booked." in pages.text(response)
    transfer.refresh_from_db()
    assert transfer.state == Payment.State.SUCCEEDED
    assert transfer.invoice.state == "paid"
    assert pages.last_change(transfer).actor.startswith("staff:")
    assert Mail.objects.filter(template="receipt").count() == 1
    clock.work()
    assert len(shop.accounts()) == 1


def test_another_amount_changes_nothing(staff: Client, transfer: Payment) -> None:
    for amount, told in WRONG.items():
        response = pages.press(staff, transfer, "arrived", amount=amount)
        assert told in pages.text(response)
        assert "Nothing was changed." in pages.text(response)
        transfer.refresh_from_db()
        assert transfer.state == Payment.State.CREATED
        assert not LedgerTransaction.objects.filter(payment=transfer).exists()
    assert not Job.objects.exists()


def test_a_double_click_books_once(staff: Client, transfer: Payment) -> None:
    pages.press(staff, transfer, "arrived", amount="128.00")
    second = pages.submit(staff, transfer, "arrived", {"amount": "128.00"})
    assert "This is not possible now; nothing was changed." in pages.text(second)
    assert LedgerTransaction.objects.filter(payment=transfer).count() == 1
    assert Job.objects.count() == 3


def test_a_transfer_that_arrives_after_all_is_booked_too(
    staff: Client, transfer: Payment, clock: Clock
) -> None:
    transfer.move(Payment.State.CANCELLED, at=clock.now(), actor="test", reason="begun anew")
    pages.press(staff, transfer, "arrived", amount="128.00")
    transfer.refresh_from_db()
    assert transfer.state == Payment.State.SUCCEEDED
    assert transfer.invoice.state == "paid"


def test_a_card_payment_has_no_such_button(staff: Client, transfer: Payment) -> None:
    Payment.objects.filter(pk=transfer.pk).update(gateway="simulated")
    assert pages.offered(staff, transfer) == ["fetch"]
    response = pages.submit(staff, transfer, "arrived", {"amount": "128.00"})
    assert "nothing was changed" in pages.text(response)
    transfer.refresh_from_db()
    assert transfer.state == Payment.State.CREATED


def test_an_invoice_is_printed(staff: Client, transfer: Payment) -> None:
    assert "/pdf/" in staff.get(pages.address(transfer.invoice)).content.decode()
    response = staff.get(reverse("admin:billing_invoice_pdf", args=[transfer.invoice_id]))
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.content.startswith(b"%PDF")
