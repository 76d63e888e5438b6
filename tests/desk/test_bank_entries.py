"""Bank statements over HTTP: handed in, read, booked once; the rest is decided by staff."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing import balances, credit_notes, invariants, matched_entries, statement_files
from billing.models import BankEntry, Invoice, Mail, Payment, StatementFile
from packages.money import Money
from packages.states import record_change
from provisioning.simulator.simulator import Simulator
from tests import payments as pay
from tests.billing import orders
from tests.billing.bank import statements
from tests.billing.bank.statements import Entry, Part, paid
from tests.clock import Clock
from tests.desk import pages
from tests.desk.orders import placed

TOTAL = "128.00"
LARGE, STATEMENTS_A_LINE = 1_000, 0.05
State, Clue = BankEntry.State, BankEntry.Clue


@pytest.fixture
def invoice(shop: Simulator, clock: Clock) -> Invoice:
    """An order that nobody has paid yet."""
    return placed("business", at=clock.now()).invoice


def hand_in(staff: Client, clock: Clock, content: bytes, name: str = "a.xml") -> StatementFile:
    """Hand in a file, let a worker read it, and return it."""
    upload = SimpleUploadedFile(name, content)
    address = reverse("admin:billing_statementfile_add")
    response = staff.post(address, {"statement": upload, "layout": ""}, follow=True)
    assert 'http-equiv="refresh"' in response.content.decode()
    clock.work()
    return StatementFile.objects.latest("pk")


def fresh(invoice: Invoice) -> Invoice:
    return Invoice.objects.get(pk=invoice.pk)


def entry() -> BankEntry:
    return BankEntry.objects.latest("pk")


def test_a_quoted_number_pays_the_invoice_and_sets_the_service_up(
    staff: Client, invoice: Invoice, shop: Simulator, clock: Clock
) -> None:
    text = f"Rechnung {invoice.number} vielen Dank"
    line = paid(TOTAL, text, reference="B1", on="2026-03-01")
    file = hand_in(staff, clock, statements.one(line))
    assert (file.state, file.lines_done, file.lines_new) == ("read", 1, 1)
    booked = entry()
    assert (booked.state, booked.assigned_minor) == (State.BOOKED, 128_00)
    payment = booked.payments.get()
    assert (payment.gateway, payment.amount, payment.invoice) == (
        "bank_transfer",
        Money(128_00, "EUR"),
        invoice,
    )
    # The money is as old as the bank says, and the booking as new as the import.
    assert payment.succeeded_at == datetime(2026, 3, 1, 11, tzinfo=UTC)
    assert fresh(invoice).state == Invoice.State.PAID
    assert Mail.objects.filter(template="receipt").count() == 1
    assert len(shop.accounts()) == 1
    page = staff.get(pages.address(file))
    assert "refresh" not in page.content.decode()
    assert "All of it is booked" in pages.text(page)


def test_a_large_file_is_read_by_few_statements_while_its_page_shows_how_far_it_is(
    staff: Client, invoice: Invoice, clock: Clock
) -> None:
    lines = [paid("1.00", f"{invoice.number}", reference=f"B{each}") for each in range(LARGE)]
    file = statement_files.keep(
        "a.xml", statements.one(*lines), layout=None, at=clock.now(), actor="staff:1"
    )
    shown = []

    def watch(_: StatementFile) -> None:
        page = staff.get(pages.address(file)).content.decode()
        bar = re.search(r'<progress max="(\d+)" value="(\d+)"></progress> ([^<]*)<', page)
        shown.append((*(bar.groups() if bar else ()), 'http-equiv="refresh"' in page))

    statement_files.read(file.pk, now=clock.now, told=watch)
    assert shown == [
        ("1000", "500", "500 of 1000 lines read", True),
        ("1000", "1000", "1000 of 1000 lines read", True),
        ("1000", "0", "0 of 1000 entries booked", True),
    ]
    lines = [paid("2.00", f"{invoice.number}", reference=f"C{each}") for each in range(LARGE)]
    file = statement_files.keep(
        "b.xml", statements.one(*lines), layout=None, at=clock.now(), actor="staff:1"
    )
    with CaptureQueriesContext(connection) as asked:
        statement_files.read(file.pk, now=clock.now)
    assert len(asked) <= LARGE * STATEMENTS_A_LINE
    assert BankEntry.objects.filter(state=State.MATCHED).count() == 2 * LARGE


def test_the_page_shows_how_far_the_booking_is_without_a_script(
    staff: Client, invoice: Invoice, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matched_entries, "CHUNK", 1)
    other = placed("business", at=clock.now(), email="bo@example.com").invoice
    lines = [paid(TOTAL, f"{each.number}") for each in (invoice, other)]
    file = statement_files.keep(
        "a.xml", statements.one(*lines), layout=None, at=clock.now(), actor="staff:1"
    )
    statement_files.read(file.pk, now=clock.now)
    shown: list[str] = []
    matched_entries.book(
        at=clock.now(), told=lambda: shown.append(staff.get(pages.address(file)).content.decode())
    )
    half, done = shown
    assert '<progress max="2" value="1"></progress> 1 of 2 entries booked<' in half
    assert '<meta http-equiv="refresh" content="2">' in half
    assert "<script" not in half.split("<progress")[1].split("</div>")[0]
    assert "<progress" not in done
    assert "refresh" not in done
    assert "All of it is booked" in done


def test_a_file_of_which_something_waits_for_staff_does_not_say_it_is_booked(
    staff: Client, invoice: Invoice, clock: Clock
) -> None:
    lines = paid(TOTAL, f"{invoice.number}"), paid(TOTAL, "for the telephone")
    file = statement_files.keep(
        "a.xml", statements.one(*lines), layout=None, at=clock.now(), actor="staff:1"
    )
    statement_files.read(file.pk, now=clock.now)
    matched_entries.book(at=clock.now())
    html = staff.get(pages.address(file)).content.decode()
    assert "1 entry needs staff" in html
    assert "All of it is booked" not in html


def test_the_same_and_an_overlapping_statement_book_nothing_twice(
    staff: Client, invoice: Invoice, clock: Clock
) -> None:
    first = paid("28.00", f"{invoice.number}")
    hand_in(staff, clock, statements.one(first))
    again = hand_in(staff, clock, statements.one(first))
    assert (again.lines_done, again.lines_new) == (1, 0)
    other = hand_in(staff, clock, statements.one(first, first, paid("50.00", f"{invoice.number}")))
    # The second of two identical lines is another payment of the same sum.
    assert (other.lines_done, other.lines_new) == (3, 2)
    assert fresh(invoice).due == Money(22_00, "EUR")
    assert Payment.objects.filter(state="succeeded").count() == 3


def test_less_is_a_part_payment_and_more_goes_onto_the_balance(
    staff: Client, invoice: Invoice, clock: Clock
) -> None:
    hand_in(staff, clock, statements.one(paid("100.00", f"{invoice.number}")))
    assert (fresh(invoice).state, fresh(invoice).due) == ("open", Money(28_00, "EUR"))
    assert Mail.objects.filter(template="part_paid").count() == 1
    hand_in(staff, clock, statements.one(paid("30.00", f"{invoice.number}")))
    assert fresh(invoice).state == Invoice.State.PAID
    assert balances.of(invoice.customer, "EUR") == Money(2_00, "EUR")


def test_a_transfer_that_was_announced_or_confirmed_by_hand_is_not_booked_again(
    staff: Client, invoice: Invoice, clock: Clock
) -> None:
    announced = pay.begin(invoice, at=clock.now())
    pages.press(staff, announced, "arrived", amount=TOTAL)
    hand_in(staff, clock, statements.one(paid(TOTAL, f"{invoice.number}")))
    assert (entry().state, entry().payments.get()) == (State.BOOKED, announced)
    hand_in(staff, clock, statements.one(paid(TOTAL, f"{invoice.number}", on="2026-03-01")))
    assert (entry().state, entry().clue) == (State.OPEN, Clue.NOT_OPEN)
    assert Payment.objects.count() == 1


def test_several_invoices_are_paid_by_their_exact_sum_only(
    staff: Client, invoice: Invoice, clock: Clock
) -> None:
    second = placed("business", at=clock.now(), email="bo@example.com").invoice
    both = f"{invoice.number}, {second.number}"
    hand_in(staff, clock, statements.one(paid("255.00", both)))
    assert (entry().state, entry().clue) == (State.OPEN, Clue.SEVERAL)
    hand_in(staff, clock, statements.one(paid("256.00", both)))
    assert entry().state == State.BOOKED
    assert {fresh(each).state for each in (invoice, second)} == {"paid"}


def test_money_out_and_money_that_came_back_are_never_income(
    staff: Client, invoice: Invoice, clock: Clock
) -> None:
    part = (Part(text=str(invoice.number)),)
    back = (Part(text=str(invoice.number), extra="<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"),)
    file = hand_in(
        staff,
        clock,
        statements.one(
            Entry(TOTAL, part, direction="DBIT"),
            Entry(TOTAL, back),
            Entry(TOTAL, part, extra="<RvslInd>true</RvslInd>", direction="DBIT"),
            Entry("12.34", (Part(),) * 2, reference="B"),
        ),
    )
    found = {(each.state, each.clue, each.amount_minor) for each in file.entries.all()}
    assert found == {
        (State.OUTGOING, "", -128_00),
        (State.OPEN, Clue.RETURNED, 128_00),
        (State.OPEN, Clue.RETURNED, -128_00),
        (State.OPEN, Clue.COLLECTIVE, 12_34),
    }
    assert fresh(invoice).state == Invoice.State.OPEN
    for each in file.entries.filter(amount_minor__lt=0):
        assert "assign" not in pages.offered(staff, each)


def test_name_and_amount_are_proposed_and_booked_by_a_person(
    staff: Client, invoice: Invoice, clock: Clock
) -> None:
    other = placed("business", at=clock.now(), email="bo@example.com").invoice
    other.customer.name = "Bo Beispiel"
    other.customer.save()
    hand_in(staff, clock, statements.one(Entry(TOTAL, (Part(text="danke", name="MUSTER, ADA"),))))
    assert (entry().state, entry().clue) == (State.OPEN, Clue.NO_REFERENCE)
    html = pages.opened(staff, entry(), "book")
    assert str(invoice.number) in html
    assert str(other.number) not in html
    assert "name and amount agree" in html
    refused = pages.press(staff, entry(), "book", invoice=str(other.pk))
    assert "Nothing was changed." in pages.text(refused)
    said = pages.press(staff, entry(), "book", invoice=str(invoice.pk))
    assert "Booked: €128.00" in pages.text(said)
    assert entry().state == State.BOOKED
    # From now on the account is known.
    user = invoice.customer.memberships.get().user
    orders.place(user, invoice.customer, "business", at=clock.now())
    hand_in(staff, clock, statements.one(Entry("1.00", (Part(text="?", name="X"),))))
    assert "the account is known" in pages.opened(staff, entry(), "book")


def test_an_entry_is_split_by_hand(staff: Client, invoice: Invoice, clock: Clock) -> None:
    hand_in(staff, clock, statements.one(paid("200.00", "for everything")))
    too_much = pages.press(staff, entry(), "assign", to=str(invoice.number), amount="200.01")
    assert "Of this entry €200.00 are left." in pages.text(too_much)
    pages.press(staff, entry(), "assign", to=str(invoice.number), amount="128.00")
    assert (entry().state, entry().rest) == (State.OPEN, Money(72_00, "EUR"))
    assert "ignore" not in pages.offered(staff, entry())
    wrong = pages.press(staff, entry(), "assign", to="R-2026-9999")
    assert "There is no invoice with this number." in pages.text(wrong)
    pages.press(staff, entry(), "assign", to="ada@example.com")
    assert entry().state == State.BOOKED
    assert balances.of(invoice.customer, "EUR") == Money(72_00, "EUR")


def test_what_is_no_payment_is_put_aside_with_its_reason_and_taken_up_again(
    staff: Client, invoice: Invoice, clock: Clock
) -> None:
    hand_in(staff, clock, statements.one(paid("5.00", "interest")))
    pages.press(staff, entry(), "ignore", reason="Interest of the bank")
    assert (entry().state, pages.offered(staff, entry())) == (State.IGNORED, ["reopen"])
    assert pages.last_change(entry()).reason == "Interest of the bank"
    hand_in(staff, clock, statements.one(paid("5.00", "interest")))
    assert entry().state == State.IGNORED
    pages.press(staff, entry(), "reopen", reason="It was Ada's after all")
    assert entry().state == State.OPEN


def test_a_wrong_booking_goes_back_to_its_entry_while_the_money_is_on_the_balance(
    staff: Client, invoice: Invoice, clock: Clock
) -> None:
    other = placed("business", at=clock.now(), email="bo@example.com").invoice
    hand_in(staff, clock, statements.one(paid(TOTAL, "no number")))
    pages.press(staff, entry(), "assign", to=str(invoice.number))
    payment = Payment.objects.get(state="succeeded")
    # It has paid for something, so the invoice is credited first.
    assert "undo" not in pages.offered(staff, payment)
    credit_notes.issue(fresh(invoice), None, reason="booked wrongly", at=clock.now(), actor="test")
    pages.press(staff, payment, "undo", reason="It was Bo's")
    assert (entry().state, entry().clue, entry().rest) == (
        State.OPEN,
        Clue.UNDONE,
        Money(128_00, "EUR"),
    )
    assert balances.of(invoice.customer, "EUR") == Money(0, "EUR")
    assert not Mail.objects.filter(template="refunded").exists()
    assert pages.offered(staff, payment) == []
    pages.press(staff, entry(), "assign", to=str(other.number))
    assert fresh(other).state == Invoice.State.PAID


def test_the_same_money_from_another_kind_of_file_waits_for_staff(
    staff: Client, invoice: Invoice, clock: Clock
) -> None:
    hand_in(staff, clock, statements.one(paid("28.00", f"{invoice.number}", reference="B1")))
    csv = (
        "Bezeichnung Auftragskonto;IBAN Auftragskonto;Buchungstag;Name Zahlungsbeteiligter;"
        "Verwendungszweck;Betrag;Waehrung\n"
        f"Giro;{statements.IBAN};02.03.2026;Ada Muster;{invoice.number};28,00;EUR\n"
        f"Giro;{statements.IBAN};03.03.2026;Ada Muster;{invoice.number};28,00;EUR\n"
    ).encode()
    file = hand_in(staff, clock, csv, name="a.csv")
    found = file.entries.order_by("booked_on").values_list("state", "clue")
    assert list(found) == [(State.OPEN, Clue.TWIN), (State.BOOKED, "")]
    assert fresh(invoice).due == Money(72_00, "EUR")


def test_a_file_that_cannot_be_read_says_why_and_is_read_again(
    staff: Client, invoice: Invoice, clock: Clock
) -> None:
    file = hand_in(staff, clock, b"Tag;Geld\n1;2\n", name="b.csv")
    assert (file.state, file.lines_done) == ("failed", 0)
    page = pages.text(staff.get(pages.address(file)))
    assert "no line is a heading of these layouts" in page
    pages.press(staff, file, "again", layout="")
    clock.work()
    assert StatementFile.objects.get().attempts == 1
    assert not BankEntry.objects.exists()


def test_a_worker_that_died_while_reading_is_replaced(
    staff: Client, invoice: Invoice, clock: Clock
) -> None:
    file = hand_in(staff, clock, statements.one(paid("28.00", f"{invoice.number}")))
    file.state, file.again_at = StatementFile.State.READING, clock.now() + timedelta(minutes=1)
    file.save()
    record_change(file, before="read", at=clock.now(), actor="test", reason="a worker began")
    clock.work()
    assert StatementFile.objects.get().state == "reading"
    clock.advance(minutes=2)
    read = StatementFile.objects.get()
    assert (read.state, read.lines_done, read.lines_new) == ("read", 1, 1)
    assert file.entries.count() == 1


def test_nobody_without_the_right_hands_in_a_statement(staff: Client, clock: Clock) -> None:
    upload = io.BytesIO(statements.one(paid("1.00", "x")))
    response = Client().post(reverse("admin:billing_statementfile_add"), {"statement": upload})
    assert response.status_code == 302
    assert "login" in response.headers["Location"]
    assert not StatementFile.objects.exists()
    assert invariants.violations() == []
