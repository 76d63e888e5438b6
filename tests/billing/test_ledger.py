"""The books: balanced by the code, balanced by the database, booked once, never changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from billing import ledger
from billing.ledger import Booking, Entry, Kind, Unbalanced
from billing.models import (
    Customer,
    Invoice,
    LedgerAccount,
    LedgerTransaction,
    Payment,
    Posting,
)
from packages.money import CurrencyMismatch, Money
from tests.guards import rows

AT = rows.AT


@pytest.fixture
def world(db: None) -> rows.Rows:
    return rows.make()


def test_an_invoice_is_owed_earned_and_taxed(world: rows.Rows) -> None:
    invoice = Invoice.objects.get(pk=world["invoice"].pk)
    ledger.book_invoices([invoice], at=AT)
    assert booked(f"invoice-{invoice.pk}:issued") == {
        "receivable": 49_00,
        "revenue": -41_18,
        "tax_payable": -7_82,
    }


def test_an_invoice_over_nothing_is_not_booked(world: rows.Rows) -> None:
    before = LedgerTransaction.objects.count()
    ledger.book_invoices([Invoice(pk=99, net_minor=0, tax_minor=0, total_minor=0)], at=AT)
    assert LedgerTransaction.objects.count() == before


def test_what_a_payment_does_not_settle_is_the_customers_credit(world: rows.Rows) -> None:
    payment = Payment.objects.get(pk=world["payment"].pk)
    ledger.book_payments([(payment, Money(40_00, "EUR"))], at=AT)
    assert booked(f"payment-{payment.pk}:succeeded") == {
        "clearing": 49_00,
        "receivable": -40_00,
        "customer_credit": -9_00,
    }


def test_the_same_cause_is_booked_once(world: rows.Rows) -> None:
    payment = Payment.objects.get(pk=world["payment"].pk)
    ledger.book_payments([(payment, payment.amount)], at=AT)
    before = Posting.objects.count()
    with pytest.raises(IntegrityError), transaction.atomic():
        ledger.book_payments([(payment, payment.amount)], at=AT)
    assert Posting.objects.count() == before


def test_entries_that_do_not_sum_to_zero_are_refused(world: rows.Rows) -> None:
    entries = (Entry(Kind.REVENUE, Money(-1, "EUR")), Entry(Kind.TAX_PAYABLE, Money(2, "EUR")))
    with pytest.raises(Unbalanced):
        ledger._book([Booking("crooked", entries)], at=AT)
    assert not LedgerTransaction.objects.filter(cause="crooked").exists()


def test_entries_of_two_currencies_are_refused(world: rows.Rows) -> None:
    entries = (Entry(Kind.REVENUE, Money(-1, "EUR")), Entry(Kind.TAX_PAYABLE, Money(1, "USD")))
    with pytest.raises(CurrencyMismatch):
        ledger._book([Booking("crooked", entries)], at=AT)


@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_at_commit_what_does_not_balance() -> None:
    book = LedgerAccount.objects.create(kind=Kind.REVENUE, currency="EUR")
    with pytest.raises(IntegrityError, match="does not sum to zero"), transaction.atomic():
        post("raw", book, 1)
    assert not LedgerTransaction.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_database_counts_each_currency_by_itself() -> None:
    euro = LedgerAccount.objects.create(kind=Kind.REVENUE, currency="EUR")
    dollar = LedgerAccount.objects.create(kind=Kind.REVENUE, currency="USD")
    with pytest.raises(IntegrityError, match="does not sum to zero"), transaction.atomic():
        post("raw", euro, 1, dollar, -1)
    assert not Posting.objects.exists()


def test_many_bookings_are_checked_without_reading_the_whole_table(db: None) -> None:
    book = LedgerAccount.objects.create(kind=Kind.REVENUE, currency="EUR")
    with connection.cursor() as cursor:
        for number in range(10):
            post(f"few-{number}", book, 1, book, -1)
        # From here on the session's plan is for a table of one page.
        cursor.execute("ANALYZE billing_posting, billing_ledgeraccount")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for number in range(100):
            post(f"many-{number}", book, 1, book, -1)
        before = whole_readings()
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert whole_readings() == before


def test_a_balance_is_the_sum_of_a_customers_book(world: rows.Rows) -> None:
    customer = Customer.objects.get(pk=world["customer"].pk)
    assert ledger.balance(Kind.RECEIVABLE, customer=customer, currency="EUR") == Money(49_00, "EUR")
    assert ledger.balance(Kind.RECEIVABLE, customer=customer, currency="USD") == Money(0, "USD")


def booked(cause: str) -> dict[str, int]:
    """Return the postings of a cause by kind of book, after the database agreed to them."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    postings = Posting.objects.filter(transaction__cause=cause)
    return dict(postings.values_list("account__kind", "amount_minor"))


def whole_readings() -> int:
    """Return how often this transaction has read all postings."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'billing_posting'"
        )
        return int(cursor.fetchone()[0])


def post(cause: str, *sides: Any) -> None:
    """Insert a transaction with the given books and amounts, past the code."""
    booking = LedgerTransaction.objects.create(cause=cause, at=AT)
    for account, amount_minor in zip(sides[::2], sides[1::2], strict=True):
        Posting.objects.create(transaction=booking, account=account, amount_minor=amount_minor)
