"""Credit notes: to the cent, never more than there was, booked, and final like their invoice."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import Phase, settings
from pypdf import PdfReader

from billing import credit_notes, days, demo, documents, invariants, invoices, ledger, rests
from billing.ledger import Kind
from billing.models import (
    Brand,
    Customer,
    Invoice,
    InvoiceLine,
    LedgerTransaction,
    Mail,
    NumberSeries,
    Order,
    Posting,
)
from packages.money import Money
from packages.states import history_of
from provisioning.models import Job
from tests import payments, world
from tests.billing import orders, renewing
from tests.properties import given, st

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = datetime(2026, 3, 5, 9, tzinfo=UTC)
RATES = [None, 0, 700, 1600]
LINES = st.lists(
    st.tuples(st.integers(-50_00, 90_00), st.sampled_from(RATES)), min_size=1, max_size=6
)
Lines = list[tuple[int, int | None]]
pytestmark = pytest.mark.django_db


@pytest.fixture
def brand() -> Brand:
    demo.seed_operator(at=AT)
    return world.brand()


@pytest.fixture
def buyer(brand: Brand) -> Customer:
    return world.customer("ada@example.com", at=AT)[1]


def test_a_full_credit_note_is_the_invoice_the_other_way(brand: Brand, buyer: Customer) -> None:
    invoice = issued(brand, buyer, (49_00, None), (9_99, 700), (-9_00, None))
    note = credit(invoice)
    assert (note.kind, note.state, note.number) == ("credit_note", "issued", "G-2026-0001")
    assert (note.corrects_id, note.correction, note.reason) == (invoice.pk, 1, "Wrong")
    assert (note.issued_on, note.due) == (date(2026, 3, 5), euros(0))
    assert facts(note) == facts(invoice)
    assert (note.buyer, note.seller) == (invoice.buyer, invoice.seller)
    assert note.effect == -invoice.total
    assert sums_of_books() == {}
    assert holds()


def test_an_unpaid_invoice_that_is_credited_in_full_is_cancelled(
    brand: Brand, buyer: Customer
) -> None:
    invoice = issued(brand, buyer, (49_00, None))
    credit(invoice)
    invoice.refresh_from_db()
    assert (invoice.state, invoice.due, invoice.credited_minor) == ("cancelled", euros(0), 49_00)
    assert history_of(invoice).filter(reason="credited in full").exists()
    assert owed_and_credit(buyer) == (0, 0)


def test_a_partial_credit_note_lowers_what_is_due(brand: Brand, buyer: Customer) -> None:
    invoice = issued(brand, buyer, (49_00, None), (10_00, None))
    note = credit(invoice, (2, 4_00))
    invoice.refresh_from_db()
    assert (note.net_minor, note.tax_minor, note.total_minor) == (3_36, 64, 4_00)
    assert (invoice.state, invoice.due, invoice.total) == ("open", euros(55_00), euros(59_00))
    assert owed_and_credit(buyer) == (55_00, 0)
    payments.pay(invoice, at=LATER)
    invoice.refresh_from_db()
    assert (invoice.state, invoice.paid) == ("paid", euros(55_00))
    assert "55,00" in Mail.objects.get(template="receipt").text
    assert holds()


def test_what_was_paid_becomes_the_customers_credit(brand: Brand, buyer: Customer) -> None:
    invoice = issued(brand, buyer, (49_00, None))
    payments.pay(invoice, at=AT)
    credit(invoice, (1, 9_00))
    assert owed_and_credit(buyer) == (0, 9_00)
    credit(invoice)
    invoice.refresh_from_db()
    assert (invoice.state, invoice.credited_minor) == ("paid", 0)
    assert owed_and_credit(buyer) == (0, 49_00)
    assert holds()


def test_a_credit_of_the_rest_settles_a_partly_paid_order(brand: Brand) -> None:
    orders.seeded(at=AT)
    user, buyer = orders.buyer(at=AT, name="Eve")
    order = orders.place(user, buyer, "business", at=AT)
    Invoice.objects.filter(pk=order.invoice.pk).update(paid_minor=100_00)
    credit(order.invoice, (1, 28_00))
    order.refresh_from_db()
    order.invoice.refresh_from_db()
    assert (order.state, order.invoice.state) == (Order.State.FULFILLED, "paid")


def test_a_line_that_was_credited_in_full_is_not_delivered_when_the_rest_is_paid(
    brand: Brand,
) -> None:
    orders.seeded(at=AT)
    user, buyer = orders.buyer(at=AT, name="Eve")
    order = orders.place(user, buyer, "business", "flex", at=AT)
    flex = order.invoice.lines.get(kind=InvoiceLine.Kind.PACKAGE)
    credit(order.invoice, (flex.position, 20_00))
    payments.pay(order.invoice, at=LATER)
    order.refresh_from_db()
    assert order.state == Order.State.FULFILLED
    services = [line.subscription for line in order.lines.order_by("pk")]
    assert [(each.package.slug, each.state) for each in services] == [
        ("business", "active"),
        ("flex", "ended"),
    ]
    assert Job.objects.filter(kind=Job.Kind.CREDIT).count() == 1
    assert owed_and_credit(buyer) == (0, 0)
    assert holds()


def test_what_has_no_periods_may_be_credited_while_it_runs(brand: Brand) -> None:
    orders.seeded(at=AT)
    user, buyer = orders.buyer(at=AT, name="Eve")
    order = orders.place(user, buyer, "flex", at=AT)
    payments.pay(order.invoice, at=AT)
    credit(order.invoice, (1, 5_00))
    assert owed_and_credit(buyer) == (0, 5_00)
    assert holds()


def test_an_order_whose_invoice_is_credited_in_full_is_given_up(brand: Brand) -> None:
    orders.seeded(at=AT)
    user, buyer = orders.buyer(at=AT, name="Eve")
    order = orders.place(user, buyer, "business", at=AT)
    begun = payments.begin(order.invoice, at=AT)
    credit(order.invoice)
    order.refresh_from_db()
    assert order.state == Order.State.CANCELLED
    payments.arrive(begun, at=LATER)
    order.refresh_from_db()
    assert order.state == Order.State.CANCELLED
    assert owed_and_credit(buyer) == (0, 128_00)
    assert holds()


@pytest.mark.parametrize(
    "amounts", [{1: 49_01}, {1: -1}, {2: 1}, {2: -9_01}, {2: -9_00}, {}, {3: 1}]
)
def test_more_than_there_is_is_never_credited(
    brand: Brand, buyer: Customer, amounts: dict[int, int]
) -> None:
    invoice = issued(brand, buyer, (49_00, None), (-9_00, None))
    ids = dict(invoice.lines.values_list("position", "pk"))
    asked = {ids.get(at, 0): euros(minor) for at, minor in amounts.items()}
    with pytest.raises(credit_notes.NotCreditable):
        credit_notes.issue(invoice, asked, reason="x", at=LATER, actor="test")
    assert Invoice.objects.get() == invoice
    assert not NumberSeries.objects.filter(code="G").exists()


def test_a_line_without_its_discount_is_more_than_was_asked(brand: Brand, buyer: Customer) -> None:
    invoice = issued(brand, buyer, (49_00, None), (-9_00, None))
    with pytest.raises(credit_notes.NotCreditable):
        credit(invoice, (1, 49_00))
    assert credit(invoice, (1, 40_00)).total_minor == 40_00
    with pytest.raises(credit_notes.NotCreditable):
        credit(invoice, (1, 9_00))


def test_an_invoice_is_not_credited_twice(brand: Brand, buyer: Customer) -> None:
    invoice = issued(brand, buyer, (49_00, None))
    note = credit(invoice)
    for again in (invoice, note):
        with pytest.raises(credit_notes.NotCreditable):
            credit(again)
    assert Invoice.objects.count() == 2


def test_a_page_that_is_stale_credits_nothing(brand: Brand, buyer: Customer) -> None:
    invoice = issued(brand, buyer, (49_00, None))
    ask = {invoice.lines.get().pk: euros(5_00)}
    credit_notes.issue(invoice, ask, reason="x", at=LATER, actor="test", seen=1)
    with pytest.raises(credit_notes.Changed):
        credit_notes.issue(invoice, ask, reason="x", at=LATER, actor="test", seen=1)
    assert invoice.credit_notes.count() == 1


def test_a_charged_period_may_be_credited(db: None) -> None:
    orders.seeded(at=AT)
    renewing.bought(at=AT)
    april = date(2026, 4, 2)
    days.run(april - timedelta(days=7), at=AT + timedelta(days=24), most=None)
    (invoice,) = renewing.renewals()
    assert credit(invoice, (1, 40_00)).lines.get().period_start_on == april
    assert credit(invoice).total_minor == 39_00
    assert holds()


def test_a_credit_note_never_changes(brand: Brand, buyer: Customer) -> None:
    note = credit(issued(brand, buyer, (49_00, None)))
    for column in ("net_minor = 1, total_minor = 1 + tax_minor", "reason = 'x'", "correction = 9"):
        with (
            pytest.raises(IntegrityError, match="never changes"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"UPDATE billing_invoice SET {column} WHERE id = %s", [note.pk])


def test_a_rolled_back_credit_note_gives_its_number_back(brand: Brand, buyer: Customer) -> None:
    invoice = issued(brand, buyer, (49_00, None))
    with transaction.atomic():
        credit(invoice, (1, 1_00))
        transaction.set_rollback(True)
    assert credit(invoice, (1, 1_00)).number == "G-2026-0001"
    assert credit(invoice, (1, 1_00)).number == "G-2026-0002"


def test_the_customer_gets_one_mail_about_it(brand: Brand, buyer: Customer) -> None:
    note = credit(issued(brand, buyer, (49_00, None)))
    mail = Mail.objects.get(template="credit_note")
    assert mail.recipient == buyer.email
    for words in ("G-2026-0001", "R-2026-0001", "49,00", "Wrong", str(note.public_id)):
        assert words in mail.text


def test_the_paper_says_what_it_corrects(brand: Brand, buyer: Customer) -> None:
    note = credit(issued(brand, buyer, (49_00, None)), (1, 9_00))
    pages = PdfReader(io.BytesIO(documents.invoice_pdf(note))).pages
    text = " ".join(" ".join(page.extract_text() for page in pages).split()).replace("\xa0", " ")
    for words in (
        *("Rechnungskorrektur G-2026-0001", "R-2026-0001", "Wrong", "5. März 2026"),
        *("2. März 2026", "9,00 €", "7,56 €", "1,44 €", "Wir schreiben Ihnen 9,00 € gut"),
    ):
        assert words in text, words
    assert "Bitte zahlen" not in text


@pytest.mark.parametrize("gross", [True, False])
def test_random_credit_notes_together_are_the_invoice(brand: Brand, *, gross: bool) -> None:
    buyer = world.customer("eve@example.com", at=AT)[1]
    brand.prices_include_tax = gross

    @settings(max_examples=12, phases=[Phase.generate])
    @given(LINES, st.lists(st.lists(st.integers(0, 100), min_size=6, max_size=6), max_size=4))
    def check(lines: Lines, shares: list[list[int]]) -> None:
        if worth(brand, buyer, lines) <= 0:
            return
        with transaction.atomic():
            invoice = issued(brand, buyer, *lines)
            for percents in shares:
                take_some(invoice, percents)
            if invoice.credit_notes.exists() or any(rests.left_of(invoice).values()):
                finish(invoice)
            assert holds()
            transaction.set_rollback(True)

    def take_some(invoice: Invoice, percents: list[int]) -> None:
        left = rests.left_of(invoice)
        asked = {
            line.pk: rest.fraction(percent, 100)
            for (line, rest), percent in zip(left.items(), percents, strict=False)
        }
        try:
            credit_notes.issue(invoice, asked, reason="part", at=LATER, actor="test")
        except credit_notes.NotCreditable:
            return

    def finish(invoice: Invoice) -> None:
        try:
            credit(invoice)
        except credit_notes.NotCreditable:
            # What is left is charges and discounts that are worth nothing together.
            return
        notes = list(invoice.credit_notes.all())
        assert sum(note.net_minor for note in notes) == invoice.net_minor
        assert sum(note.tax_minor for note in notes) == invoice.tax_minor
        assert sums_of_books() == {}

    check()


@pytest.mark.parametrize("gross", [True, False])
def test_any_invoice_credited_at_once_is_its_exact_negative(brand: Brand, *, gross: bool) -> None:
    buyer = world.customer("eve@example.com", at=AT)[1]
    brand.prices_include_tax = gross

    @settings(max_examples=12, phases=[Phase.generate])
    @given(LINES)
    def check(lines: Lines) -> None:
        if worth(brand, buyer, lines) <= 0:
            return
        with transaction.atomic():
            invoice = issued(brand, buyer, *lines)
            kept = facts(invoice)
            assert without_nothing(facts(credit(invoice))) == without_nothing(kept)
            transaction.set_rollback(True)

    check()


def issue(brand: Brand, draft: invoices.Draft) -> list[Invoice]:
    return invoices.issue([draft], brand, at=AT, actor="test")


def issued(brand: Brand, buyer: Customer, *lines: tuple[int, int | None]) -> Invoice:
    (invoice,) = issue(brand, drafted(buyer, lines))
    return invoice


def worth(brand: Brand, buyer: Customer, lines: Lines) -> int:
    return invoices.price(drafted(buyer, lines), brand, on=AT.date()).sums.total.minor


def drafted(buyer: Customer, lines: Sequence[tuple[int, int | None]]) -> invoices.Draft:
    """Draft an invoice of these amounts; a rate of None is the usual one, zero is exempt."""
    charges = tuple(
        invoices.Line(
            InvoiceLine.Kind.SETUP,
            "Line",
            euros(minor),
            rate_bp=rate_bp or None,
            exempt="Exempt." if rate_bp == 0 else "",
        )
        for minor, rate_bp in lines
    )
    return invoices.Draft(buyer, "EUR", "de", charges)


def credit(invoice: Invoice, *parts: tuple[int, int]) -> Invoice:
    """Credit everything that is left, or these amounts by position."""
    ids = dict(invoice.lines.values_list("position", "pk"))
    amounts = {ids[position]: euros(minor) for position, minor in parts} if parts else None
    return credit_notes.issue(invoice, amounts, reason="Wrong", at=LATER, actor="test")


def facts(invoice: Invoice) -> dict[str, list[tuple[int, ...]]]:
    return {
        "sums": [(invoice.net_minor, invoice.tax_minor, invoice.total_minor)],
        "lines": list(invoice.lines.values_list("unit_minor", "net_minor", "tax_bp")),
        "taxes": list(invoice.taxes.values_list("tax_bp", "net_minor", "tax_minor")),
    }


def without_nothing(said: dict[str, list[tuple[int, ...]]]) -> dict[str, list[tuple[int, ...]]]:
    """A line over nothing, and a rate of only such lines, is not credited."""
    lines = [line for line in said["lines"] if line[0]]
    rates = {line[2] for line in lines}
    taxes = [group for group in said["taxes"] if group[0] in rates]
    return {**said, "lines": lines, "taxes": taxes}


def sums_of_books() -> dict[str, int]:
    """Return the books that are not even, by kind."""
    sums: dict[str, int] = {}
    for kind, minor in Posting.objects.values_list("account__kind", "amount_minor"):
        sums[kind] = sums.get(kind, 0) + minor
    return {kind: minor for kind, minor in sums.items() if minor}


def owed_and_credit(customer: Customer) -> tuple[int, int]:
    owed = ledger.balance(Kind.RECEIVABLE, customer=customer, currency="EUR")
    kept = ledger.balance(Kind.CUSTOMER_CREDIT, customer=customer, currency="EUR")
    return owed.minor, -kept.minor


def holds() -> bool:
    """Say that no invariant is violated, with what violates it."""
    found = {finding.invariant.code: finding.rows for finding in invariants.violations()}
    assert found == {}
    assert LedgerTransaction.objects.exists()
    return True


def euros(minor: int) -> Money:
    return Money(minor, "EUR")
