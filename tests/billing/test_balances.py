"""The balance: it pays what is issued or due, never more than there is, each cent documented."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import (
    balances,
    credit_notes,
    days,
    declines,
    deliveries,
    einvoice,
    invariants,
    invoices,
    payments,
    renewals,
    settlements,
)
from billing.gateways import bank_transfer
from billing.models import (
    Allocation,
    Customer,
    Invoice,
    InvoiceLine,
    LedgerTransaction,
    Mail,
    Order,
    Subscription,
)
from tests import payments as pay
from tests import world
from tests.billing import orders, renewing
from tests.billing.orders import euros

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = AT + timedelta(days=1)
pytestmark = pytest.mark.django_db


def test_what_is_paid_too_much_pays_the_next_invoice(customer: Customer) -> None:
    twice(invoiced(customer, 49_00))
    assert balances.of(customer, "EUR") == euros(49_00)
    second = invoiced(customer, 60_00, at=LATER)
    assert (second.state, second.paid, second.prepaid) == ("open", euros(49_00), euros(49_00))
    assert second.due == euros(11_00)
    assert balances.of(customer, "EUR") == euros(0)
    pay.pay(second, at=LATER)
    second.refresh_from_db()
    assert (second.state, second.prepaid_minor) == ("paid", 49_00)
    assert "€49.00 of it came from your balance" in receipt_of(second)
    assert holds()


def test_a_balance_that_covers_everything_closes_the_invoice_at_once(customer: Customer) -> None:
    twice(invoiced(customer, 49_00))
    second = invoiced(customer, 30_00, at=LATER)
    assert (second.state, second.paid_at, second.due) == ("paid", LATER, euros(0))
    assert balances.of(customer, "EUR") == euros(19_00)
    assert "R-2026-0002 is paid: €30.00 came from your balance" in receipt_of(second)
    assert holds()


def test_invoices_issued_together_share_one_balance(customer: Customer) -> None:
    twice(invoiced(customer, 49_00))
    drafts = [draft(customer, minor) for minor in (30_00, 30_00, 30_00)]
    issued = invoices.issue(drafts, world.brand(), at=LATER, actor="test")
    assert [each.prepaid_minor for each in issued] == [30_00, 19_00, 0]
    assert holds()


def test_a_balance_is_used_for_its_own_currency_only(customer: Customer) -> None:
    twice(invoiced(customer, 49_00))
    (dollars,) = invoices.issue(
        [draft(customer, 30_00, currency="USD")], world.brand(), at=LATER, actor="test"
    )
    assert (dollars.prepaid_minor, balances.of(customer, "EUR")) == (0, euros(49_00))


def test_who_never_had_a_balance_is_not_looked_at(customer: Customer) -> None:
    waiting, on = invoiced(customer, 30_00), date(2026, 3, 16)
    assert list(settlements.due(on)) == []
    twice(invoiced(customer, 49_00))
    assert list(settlements.due(on)) == [waiting]


def test_money_that_came_later_pays_on_the_due_day(customer: Customer) -> None:
    waiting = invoiced(customer, 30_00)
    twice(invoiced(customer, 49_00))
    assert settlements.use_balances(date(2026, 3, 15), at=LATER) == []
    assert settlements.use_balances(date(2026, 3, 16), at=LATER) == [waiting.number]
    assert settlements.use_balances(date(2026, 3, 16), at=LATER) == []
    waiting.refresh_from_db()
    assert (waiting.state, waiting.paid_minor, waiting.prepaid_minor) == ("paid", 30_00, 0)
    assert holds()


def test_a_balance_may_be_used_for_one_invoice_several_times(customer: Customer) -> None:
    waiting = invoiced(customer, 100_00)
    for _ in range(2):
        twice(invoiced(customer, 20_00))
        days.run(date(2026, 3, 16), at=LATER, most=days.usual)
    assert list(waiting.allocations.values_list("use", "amount_minor")) == [(1, 20_00), (2, 20_00)]
    waiting.refresh_from_db()
    assert waiting.due == euros(60_00)
    assert holds()


def test_a_renewal_paid_from_the_balance_renews_and_asks_for_nothing() -> None:
    subscription = running()
    twice_of = Invoice.objects.get()
    again(twice_of)
    (issued,) = renewals.bill(date(2026, 3, 26), at=AT + timedelta(days=24))
    renewal = Invoice.objects.get(number=issued.number)
    subscription.refresh_from_db()
    assert renewal.state == "paid"
    assert str(subscription.paid_until) == "2026-05-02"
    assert str(subscription.next_invoice_on) == "2026-04-25"
    assert not Mail.objects.filter(template="invoice_issued").exists()
    assert holds()


def test_an_order_that_the_balance_covers_is_fulfilled_at_once() -> None:
    subscription = running()
    again(Invoice.objects.get())
    order = orders.place(
        subscription.customer.users.get(), subscription.customer, "starter", at=LATER
    )
    order.refresh_from_db()
    assert (order.state, order.invoice.state) == (Order.State.FULFILLED, "paid")
    mail = Mail.objects.get(template="order_placed", cause=f"order-{order.pk}")
    assert "Paid from your balance" in mail.text
    assert "Please pay" not in mail.text
    assert holds()


def test_who_has_no_balance_costs_one_query(customer: Customer) -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert balances.hold(range(500)) == {}
    assert len(asked) == 1


def test_every_change_of_the_balance_names_its_document(customer: Customer) -> None:
    first = invoiced(customer, 49_00)
    twice(first)
    second = invoiced(customer, 30_00, at=LATER)
    note = credit_notes.issue(first, reason="Outage", at=LATER, actor="staff:1")
    lines = balances.history(customer, "EUR")
    assert [(each.amount.minor, each.after.minor) for each in lines] == [
        (49_00, 68_00),
        (-30_00, 19_00),
        (49_00, 49_00),
    ]
    assert [each.invoice for each in lines] == [note, second, first]
    assert balances.all_of(customer) == [euros(68_00)]


def test_an_order_that_was_partly_paid_and_is_credited_ends(customer: Customer) -> None:
    twice(invoiced(customer, 9_00))
    user = customer.users.get()
    order = orders.place(user, customer, "business", at=AT)
    assert order.invoice.prepaid_minor == 9_00
    credit_notes.issue(order.invoice, reason="Given up", at=LATER, actor="staff:1")
    order.refresh_from_db()
    assert (order.state, order.invoice.state) == (Order.State.CANCELLED, "paid")
    assert Subscription.objects.get().state == Subscription.State.ENDED
    assert balances.of(customer, "EUR") == euros(9_00)
    assert holds()


def test_the_data_asks_for_what_the_balance_left(customer: Customer) -> None:
    twice(invoiced(customer, 9_00))
    text = einvoice.xml(invoiced(customer, 49_00)).decode()
    assert "<ram:GrandTotalAmount>49.00</ram:GrandTotalAmount>" in text
    assert "<ram:TotalPrepaidAmount>9.00</ram:TotalPrepaidAmount>" in text
    assert "<ram:DuePayableAmount>40.00</ram:DuePayableAmount>" in text


@pytest.fixture
def customer() -> Customer:
    orders.seeded(at=AT)
    return orders.buyer(at=AT)[1]


def running() -> Subscription:
    orders.seeded(at=AT)
    return renewing.bought(at=AT)


def draft(customer: Customer, minor: int, *, currency: str = "EUR") -> invoices.Draft:
    charge = invoices.Line(InvoiceLine.Kind.SETUP, "Line", euros(minor))
    if currency != "EUR":
        charge = invoices.Line(
            charge.kind, charge.description, world.price("business", currency=currency).amount
        )
    return invoices.Draft(customer, currency, "en", (charge,))


def invoiced(customer: Customer, minor: int, *, at: datetime = AT) -> Invoice:
    (invoice,) = invoices.issue([draft(customer, minor)], world.brand(), at=at, actor="test")
    return invoice


def twice(invoice: Invoice) -> None:
    """Pay an invoice by two transfers, so that the second one is the customer's."""
    first = pay.begin(invoice, at=AT)
    declines.give_up(first, ValueError(), at=AT)
    pay.pay(invoice, at=AT)
    pay.arrive(first, at=AT)


def again(invoice: Invoice) -> None:
    """Let a transfer for a paid invoice arrive: it is a second payment of it."""
    paid = invoice.payments.get()
    copy = type(paid).objects.create(
        customer=paid.customer,
        invoice=invoice,
        gateway="bank_transfer",
        amount_minor=paid.amount_minor,
        currency=paid.currency,
        created_at=AT,
    )
    snapshot = bank_transfer.confirmed(copy.key.hex, copy.amount, AT)
    payments.record(snapshot, "bank_transfer", at=AT, actor="staff:test")


def receipt_of(invoice: Invoice) -> str:
    mail = Mail.objects.get(template="receipt", cause=f"invoice-{invoice.pk}")
    return deliveries.opened(mail)[0]


def holds() -> bool:
    found = {finding.invariant.code: finding.rows for finding in invariants.violations()}
    assert found == {}
    assert LedgerTransaction.objects.filter(allocation__isnull=False).exists() or (
        not Allocation.objects.filter(payment__isnull=True).exists()
    )
    return True
