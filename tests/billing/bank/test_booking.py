"""Entries that name their invoices are booked together, and it is as if each was booked alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.test.utils import CaptureQueriesContext

from billing import disputes, invariants, matched_entries, rendering, renewals, statement_files
from billing.models import (
    Allocation,
    BankEntry,
    Invoice,
    LedgerAccount,
    LedgerTransaction,
    Mail,
    Payment,
    PaymentPart,
    Posting,
    Subscription,
    SubscriptionPeriod,
)
from packages.states import StateChange
from provisioning.models import Job
from tests import payments as pay
from tests.billing import orders, renewing
from tests.billing.bank import statements
from tests.billing.bank.statements import Entry, paid
from tests.guards.connections import beside, impatient, together

AT = datetime(2026, 2, 28, 12, tzinfo=UTC)
ON = date(2026, 2, 28)
MANY, STATEMENTS_A_CHUNK = 500, 60
State, Clue = BankEntry.State, BankEntry.Clue
# What a booking writes.
WRITTEN: Sequence[type[models.Model]] = (
    *(Payment, PaymentPart, Allocation, LedgerTransaction, Posting, Invoice, Subscription),
    *(SubscriptionPeriod, Job, Mail, BankEntry, StateChange),
)
# Drawn anew each time.
BY_CHANCE = {"id", "public_id", "key", "external_id"}


@pytest.fixture
def shop(db: None) -> None:
    orders.seeded(at=AT)


@pytest.fixture
def open_shop(transactional_db: None) -> None:
    orders.seeded(at=AT)


def renewed(count: int) -> list[Invoice]:
    """Return so many open renewals, each of a customer of its own."""
    renewing.many(count, paid_until=ON, at=AT)
    renewals.bill(ON, at=AT)
    return list(Invoice.objects.filter(state=Invoice.State.OPEN).order_by("pk"))


def hand_in(*entries: Entry) -> None:
    content = statements.one(*entries)
    file = statement_files.keep("a.xml", content, layout=None, at=AT, actor="staff:1")
    statement_files.read(file.pk, now=lambda: AT)


def exact(invoice: Invoice, **more: str) -> Entry:
    return paid(f"{invoice.due.minor / 100:.2f}", f"Rechnung {invoice.number}", **more)


def in_state(state: BankEntry.State) -> int:
    return BankEntry.objects.filter(state=state).count()


def test_many_are_booked_as_each_alone_would_be_row_for_row(
    shop: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, part, more, twice, left, right, announced, by_hand, stopped, *plain = renewed(12)
    pay.begin(announced, at=AT)
    pay.pay(by_hand, at=AT)
    suspend(stopped)
    # The next period of a service whose first is paid by the same statement.
    renewals.bill(ON + timedelta(days=28), at=AT)
    [following] = one.customer.invoices.filter(state=Invoice.State.OPEN).exclude(pk=one.pk)
    hand_in(
        *(exact(each) for each in plain),
        exact(following),
        exact(one, on="2026-02-27"),
        paid("10.00", f"{part.number}"),
        paid("500.00", f"{more.number}"),
        exact(twice),
        paid("1.00", f"{twice.number} again"),
        paid(f"{(left.due + right.due).minor / 100:.2f}", f"{left.number}, {right.number}"),
        paid("1.00", f"{left.number} and {plain[0].number}"),
        paid("99.00", f"{announced.number}"),
        exact(by_hand),
        exact(stopped),
    )
    together_ = done(lambda: matched_entries.book(at=AT))
    monkeypatch.setattr(matched_entries, "CHUNK", 1)
    alone = done(lambda: matched_entries.book(at=AT))
    assert together_ == alone
    assert sum(row.startswith("payment ") for row in alone) == 13
    assert any("restored" in row for row in alone)


def suspend(invoice: Invoice) -> None:
    """Suspend the service that an invoice renews, as a dispute does."""
    service = Subscription.objects.get(invoiceline__invoice=invoice)
    service.next_invoice_on = None
    also, reason = ("next_invoice_on",), disputes.REASON
    service.move(Subscription.State.SUSPENDED, at=AT, actor="test", reason=reason, also=also)


def done(book: Any) -> list[str]:
    """Book, read all that was written, and take it back."""
    with transaction.atomic():
        book()
        for mail in Mail.objects.filter(text=""):
            if also := rendering.complete(mail):
                mail.save(update_fields=also)
        assert in_state(State.MATCHED) == 0
        found = sorted(read())
        transaction.set_rollback(True)
    return found


def read() -> Iterator[str]:
    """Yield every row as text, with the names of rows in place of what is drawn anew."""
    names = {
        each.pk: f"{each.bank_entry and each.bank_entry.text}->{each.invoice.number}"
        for each in Payment.objects.select_related("bank_entry", "invoice")
    }
    causes = dict(LedgerTransaction.objects.values_list("pk", "cause"))
    allocated = {
        each.pk: f"{names.get(each.payment_id or 0)}->{each.invoice_id}"
        for each in Allocation.objects.all()
    }
    known: dict[str, dict[int, str]] = {
        "payment": names,
        "allocation": allocated,
        "transaction": causes,
        "account": {each.pk: f"{each} {each.customer_id}" for each in LedgerAccount.objects.all()},
        "job": dict(Job.objects.values_list("pk", "cause")),
        "mail": {each.pk: f"{each.template} {each.cause}" for each in Mail.objects.all()},
    }

    def said(value: object) -> str:
        numbers = r"\b(payment|allocation)([-:])(\d+)"
        return re.sub(numbers, lambda m: f"{m[1]}{m[2]}{known[m[1]][int(m[3])]}", str(value))

    for model in WRITTEN:
        for row in model._default_manager.values():
            if model is StateChange:
                subject = known.get(row["subject"], {})
                row["subject_id"] = subject.get(row["subject_id"], row["subject_id"])
                if row["subject"] == "mail":
                    # One that was rendered at once names its cause.
                    del row["reason"]
            for name in ("payment", "transaction", "allocation", "account"):
                if row.get(f"{name}_id") in known[name]:
                    row[f"{name}_id"] = known[name][row[f"{name}_id"]]
            kept = {name: said(value) for name, value in row.items() if name not in BY_CHANCE}
            yield f"{model._meta.model_name} {kept}"


def test_five_hundred_need_few_statements_and_a_second_time_nothing(shop: None) -> None:
    invoices = renewed(MANY)
    hand_in(*(exact(each) for each in invoices))
    told: list[int] = []
    with CaptureQueriesContext(connection) as asked:
        matched_entries.book(at=AT, told=lambda: told.append(in_state(State.BOOKED)))
    assert len(asked) <= 2 * STATEMENTS_A_CHUNK
    assert told == [250, 500]
    assert Invoice.objects.filter(state=Invoice.State.PAID).count() == MANY
    assert Mail.objects.filter(template="receipt").count() == MANY
    assert Job.objects.filter(kind="credit").count() == MANY
    hand_in(*(exact(each) for each in invoices))
    matched_entries.book(at=AT)
    assert Payment.objects.count() == MANY
    assert invariants.violations() == []


def test_one_that_fails_goes_to_staff_and_holds_up_no_other(shop: None) -> None:
    bad, *good = renewed(4)
    hand_in(*(exact(each) for each in (good[0], bad, *good[1:])))
    refused = f"ADD CONSTRAINT refused CHECK (invoice_id <> {bad.pk})"
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE billing_allocation {refused}")
    with pytest.raises(IntegrityError, match="refused"):
        matched_entries.book(at=AT)
    assert (in_state(State.BOOKED), in_state(State.OPEN)) == (3, 1)
    assert BankEntry.objects.get(state=State.OPEN).clue == Clue.FAULT
    assert Payment.objects.count() == 3


def test_what_somebody_else_holds_is_booked_later(open_shop: None) -> None:
    held, *free = renewed(3)
    hand_in(*(exact(each) for each in (held, *free)))
    with beside() as other, impatient():
        other.execute(f"SELECT 1 FROM billing_invoice WHERE id = {held.pk} FOR KEY SHARE")
        matched_entries.book(at=AT)
    assert (in_state(State.BOOKED), in_state(State.MATCHED)) == (2, 1)
    matched_entries.book(at=AT)
    assert in_state(State.BOOKED) == 3


def test_two_workers_book_every_entry_once(open_shop: None) -> None:
    hand_in(*(exact(each) for each in renewed(60)))
    faults = together(lambda _: matched_entries.book(at=AT), 2)
    assert faults == [None, None]
    matched_entries.book(at=AT)
    assert in_state(State.BOOKED) == Payment.objects.count() == 60
    assert invariants.violations() == []
