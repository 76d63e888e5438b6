"""Each period is invoiced once, in time, at the agreed price; by however many runners."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import days, invariants, renewals
from billing.models import Invoice, InvoiceLine, Mail, Subscription, SubscriptionPeriod, TaxRate
from packages.models import Price
from packages.periods import MONTHS, period
from provisioning.models import Job
from tests import payments
from tests.billing import orders, renewing
from tests.guards.connections import together
from tests.properties import given, st

AT = datetime(2026, 1, 31, 9, tzinfo=UTC)
MOST_STATEMENTS = 20


@pytest.fixture
def shop(db: None) -> None:
    orders.seeded(at=AT)


@pytest.fixture
def open_shop(transactional_db: None) -> None:
    orders.seeded(at=AT)


def noon(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 12, tzinfo=UTC)


def live(first: date, last: date, *, paying: bool = True) -> None:
    """Run every day from first to last; pay what was invoiced on the day it is due."""
    on = first
    while on <= last:
        days.run(on, at=noon(on), most=None)
        for invoice in Invoice.objects.filter(state=Invoice.State.OPEN, due_on__lte=on):
            if paying:
                payments.pay(invoice, at=noon(on))
        on += timedelta(days=1)


def test_a_renewal_is_invoiced_a_week_before_and_due_on_its_first_day(shop: None) -> None:
    subscription = renewing.bought(at=AT)
    assert str(subscription.next_invoice_on) == "2026-02-21"
    assert renewals.bill(date(2026, 2, 20), at=noon(date(2026, 2, 20))) == []
    on = date(2026, 2, 21)
    (issued,) = renewals.bill(on, at=noon(on))
    (invoice,) = renewing.renewals()
    assert (issued.number, issued.due_on) == ("R-2026-0002", date(2026, 2, 28))
    assert (invoice.issued_on, invoice.due_on) == (on, date(2026, 2, 28))
    assert invoice.total_minor == subscription.amount_minor
    line = invoice.lines.get()
    assert (line.period_start_on, line.period_end_on) == (date(2026, 2, 28), date(2026, 3, 31))
    assert Mail.objects.get(template="invoice_issued").cause == f"invoice-{invoice.pk}"
    subscription.refresh_from_db()
    assert str(subscription.next_invoice_on) == "2026-03-24"


@pytest.mark.parametrize(
    ("since", "rates"),
    [("2026-02-27", (2000, 2000)), ("2026-02-28", (1900, 2000)), ("2026-03-31", (1900, 1900))],
)
def test_a_period_has_the_tax_rate_of_its_last_day(
    shop: None, since: str, rates: tuple[int, int]
) -> None:
    TaxRate.objects.create(country="DE", rate_bp=2000, valid_from=since)
    subscription = renewing.bought(at=AT)
    on = date(2026, 2, 21)
    renewals.bill(on, at=noon(on))
    invoices = Invoice.objects.order_by("pk")
    assert tuple(tax.tax_bp for each in invoices for tax in each.taxes.all()) == rates
    assert invoices[1].total_minor == subscription.amount_minor
    assert invariants.violations() == []


def test_the_price_is_the_one_of_the_purchase(shop: None) -> None:
    subscription = renewing.bought(at=AT)
    Price.objects.update(amount_minor=999_00, credit_minor=1)
    live(date(2026, 2, 21), date(2026, 2, 28))
    (invoice,) = renewing.renewals()
    assert invoice.total_minor == subscription.amount_minor == 79_00
    assert list(Job.objects.filter(kind="credit").values_list("amount_minor", flat=True)) == [
        20_00,
        20_00,
    ]


def test_the_end_of_january_comes_back_after_february(shop: None) -> None:
    renewing.bought(at=AT)
    live(date(2026, 2, 1), date(2026, 5, 1))
    assert renewing.starts() == ["2026-02-28", "2026-03-31", "2026-04-30"]
    periods = SubscriptionPeriod.objects.values_list("index", "start_on", "end_on")
    assert [(index, str(start), str(end)) for index, start, end in periods] == [
        (0, "2026-01-31", "2026-02-28"),
        (1, "2026-02-28", "2026-03-31"),
        (2, "2026-03-31", "2026-04-30"),
        (3, "2026-04-30", "2026-05-31"),
    ]
    assert invariants.violations() == []


def test_after_an_outage_each_missed_period_is_invoiced_once(shop: None) -> None:
    subscription = renewing.bought(at=AT)
    on = date(2026, 4, 1)
    issued = renewals.bill(on, at=noon(on))
    assert renewing.starts() == ["2026-02-28", "2026-03-31"]
    assert [each.due_on for each in issued] == [on, on]
    assert renewals.bill(on, at=noon(on)) == []
    subscription.refresh_from_db()
    assert str(subscription.next_invoice_on) == "2026-04-23"
    assert [each.code for each in (f.invariant for f in invariants.violations())] == []


def test_the_trials_end_is_the_first_paid_period(shop: None) -> None:
    subscription = renewing.bought(at=AT, slug="message-reach")
    assert (str(subscription.paid_until), str(subscription.next_invoice_on)) == (
        "2026-02-14",
        "2026-02-07",
    )
    live(date(2026, 2, 1), date(2026, 2, 20))
    assert renewing.starts() == ["2026-02-14"]
    subscription.refresh_from_db()
    assert str(subscription.paid_until) == "2026-03-14"


def test_a_later_period_that_is_paid_first_waits_for_the_earlier(shop: None) -> None:
    subscription = renewing.bought(at=AT)
    on = date(2026, 4, 1)
    renewals.bill(on, at=noon(on))
    first, second = renewing.renewals()
    payments.pay(second, at=noon(on))
    subscription.refresh_from_db()
    assert str(subscription.paid_until) == "2026-02-28"
    payments.pay(first, at=noon(on))
    subscription.refresh_from_db()
    assert str(subscription.paid_until) == "2026-04-30"
    assert Job.objects.filter(kind="credit", cause__startswith="invoice-line-").count() == 2
    assert invariants.violations() == []


def test_pay_as_you_go_never_renews(shop: None) -> None:
    subscription = renewing.bought(at=AT, slug="flex")
    assert subscription.next_invoice_on is None
    assert renewals.bill(date(2030, 1, 1), at=noon(date(2030, 1, 1))) == []


@pytest.mark.parametrize("paid", [False, True])
def test_five_hundred_invoices_need_few_statements(shop: None, paid: bool) -> None:
    """With what a payment brings as well: the period, the credit's job, the receipt."""
    on = date(2026, 2, 28)
    renewing.many(1000, paid_until=on, at=AT)
    if paid:
        renewing.prepay(list(Subscription.objects.all()), at=AT)
    look_at_tables()
    with connection.cursor() as cursor:
        # Rows that the planner has not seen yet must not make a statement one of minutes.
        cursor.execute("SET LOCAL statement_timeout = '20s'")
    with CaptureQueriesContext(connection) as asked:
        issued = renewals.bill(on, at=noon(on))
    assert len(issued) == 1000
    assert SubscriptionPeriod.objects.filter(start_on=on).count() == 1000 * paid
    assert Job.objects.filter(kind="credit").count() == 1000 * paid
    said = [query["sql"] for query in asked if "SAVEPOINT" not in query["sql"]]
    # The first asks whether anything is due, once for however many.
    assert len(said[1:]) <= 2 * MOST_STATEMENTS
    look_at_tables()
    # What was put onto the balances has no document.
    assert [found.invariant.code for found in invariants.violations()] == ["LED-9"] * paid


def look_at_tables() -> None:
    """Let the planner see rows that are not committed: autovacuum, looking at such tables now,
    finds them empty, and then each check joins a thousand rows by looking at all of them each time.
    Tables of the whole server are left alone: another process may do the same in its own database.
    """
    with connection.cursor() as cursor:
        ours = ", ".join(connection.introspection.django_table_names(only_existing=True))
        cursor.execute(f"ANALYZE (SKIP_LOCKED) {ours}")


def test_what_is_due_is_found_by_its_index(shop: None) -> None:
    renewing.many(300, paid_until=date(2026, 6, 1), at=AT)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE billing_subscription")
        cursor.execute("SET LOCAL enable_seqscan = off")
        due = Subscription.objects.filter(next_invoice_on__lte=date(2026, 3, 1))
        plan = due.order_by("next_invoice_on", "customer_id", "id")[:500].explain()
    assert "subscription_due" in plan
    assert "Sort" not in plan


def test_one_look_finds_all_that_is_due_unless_there_is_more(
    shop: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewals, "CHUNK", 2)
    on = date(2026, 2, 28)
    renewing.many(2, paid_until=on, at=AT)
    with CaptureQueriesContext(connection) as asked:
        assert len(renewals.bill(on, at=noon(on))) == 2
    assert sum("SKIP LOCKED" in each["sql"] for each in asked) == 1
    renewing.many(5, paid_until=on, at=AT)
    with CaptureQueriesContext(connection) as asked:
        assert len(renewals.bill(on, at=noon(on))) == 5
    assert sum("SKIP LOCKED" in each["sql"] for each in asked) == 3


def test_two_runners_issue_each_invoice_once_and_without_a_gap(
    open_shop: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # They take turns at the numbers, and none waits longer for one than `lock_timeout`.
    monkeypatch.setattr(renewals, "CHUNK", 100)
    on = date(2026, 2, 28)
    renewing.many(600, paid_until=on, at=AT)
    done = together(lambda _: renewals.bill(on, at=noon(on)), 2)
    assert [each for each in done if isinstance(each, Exception)] == []
    assert Invoice.objects.count() == InvoiceLine.objects.count() == 600
    sequences = Invoice.objects.order_by("sequence").values_list("sequence", flat=True)
    assert list(sequences) == list(range(1, 601))
    assert Mail.objects.filter(template="invoice_issued", text="").count() == 600
    assert invariants.violations() == []


@given(
    st.dates(date(2024, 1, 1), date(2032, 12, 31)),
    st.sampled_from([cycle.value for cycle in MONTHS]),
    st.integers(1, 40),
)
def test_renewals_tile_the_calendar(anchor_on: date, cycle: str, count: int) -> None:
    """What the runner takes for the next period begins where the last one ended, always."""
    subscription = Subscription(anchor_on=anchor_on, cycle=cycle)
    subscription.paid_until = period(anchor_on, cycle, 0).end_on
    for index in range(1, count):
        stretch = renewals._period_after(subscription, None)
        assert stretch.start_on == subscription.paid_until
        assert stretch == period(anchor_on, cycle, index)
        subscription.paid_until = stretch.end_on
