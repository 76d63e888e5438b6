"""One invoice for what a customer renews on a day, and what becomes of each service on it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from billing import cancellations, credit_notes, days, invariants, renewals
from billing.models import Brand, Invoice, Mail, Subscription
from packages.sweeping import Quarantine
from provisioning.models import Account, Job
from tests import payments
from tests.billing import orders, renewing
from tests.guards.connections import together

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUE = date(2026, 4, 2)
pytestmark = pytest.mark.django_db


def noon(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 12, tzinfo=UTC)


@pytest.fixture
def services(db: None) -> list[Subscription]:
    """Two services of one customer, bought and paid together on 2 March."""
    orders.seeded(at=AT)
    order = orders.place(*orders.buyer(at=AT), "business", "starter", at=AT)
    payments.pay(order.invoice, at=AT)
    return list(Subscription.objects.order_by("pk"))


def renewed(on: date = DUE - timedelta(days=7)) -> Invoice:
    renewals.bill(on, at=noon(on))
    (invoice,) = renewing.renewals()
    return invoice


def state() -> list[str]:
    return list(Subscription.objects.order_by("pk").values_list("state", flat=True))


def test_both_are_on_one_invoice_and_one_payment_renews_both(
    services: list[Subscription],
) -> None:
    invoice = renewed()
    assert [line.subscription for line in invoice.lines.all()] == services
    assert {str(line.period_start_on) for line in invoice.lines.all()} == {"2026-04-02"}
    assert (invoice.due_on, invoice.total_minor) == (DUE, 79_00 + 29_00)
    payments.pay(invoice, at=noon(DUE))
    paid = Subscription.objects.values_list("paid_until", flat=True)
    assert list(paid) == [date(2026, 5, 2)] * 2
    assert invariants.violations() == []


def test_a_switch_gives_each_its_own_invoice(services: list[Subscription]) -> None:
    Brand.objects.update(one_invoice=False)
    renewals.bill(DUE - timedelta(days=7), at=noon(DUE - timedelta(days=7)))
    assert [invoice.lines.count() for invoice in renewing.renewals()] == [1, 1]


def test_the_edge_of_a_chunk_splits_no_customer(
    services: list[Subscription], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the others has two services as well, with all the first ones' ids before them."""
    renewing.many(2, paid_until=DUE, at=AT)
    others = list(Subscription.objects.exclude(customer=services[0].customer).order_by("pk"))
    renewing.many(2, paid_until=DUE, at=AT)
    for each, later in zip(others, Subscription.objects.order_by("pk")[4:], strict=True):
        later.customer = each.customer
        later.save()
    monkeypatch.setattr(renewals, "CHUNK", 3)
    on = DUE - timedelta(days=7)
    assert len(renewals.bill(on, at=noon(on))) == 3
    assert {invoice.lines.count() for invoice in renewing.renewals()} == {2}


def test_a_customer_beside_a_bad_one_has_one_invoice(services: list[Subscription]) -> None:
    renewing.many(1, paid_until=DUE, at=AT)
    Subscription.objects.exclude(customer=services[0].customer).update(cycle="nonsense")
    quarantine, on = Quarantine(), DUE - timedelta(days=7)
    (issued,) = renewals.bill(on, at=noon(on), quarantine=quarantine)
    assert issued.total.minor == 79_00 + 29_00
    assert len(quarantine.faults) == 1


def test_another_day_is_another_invoice(services: list[Subscription]) -> None:
    user, customer = services[0].customer.users.get(), services[0].customer
    later = AT + timedelta(days=1)
    payments.pay(orders.place(user, customer, "starter", at=later).invoice, at=later)
    renewals.bill(DUE, at=noon(DUE))
    assert [invoice.lines.count() for invoice in renewing.renewals()] == [2, 1]
    assert invariants.violations() == []


def test_part_of_the_money_renews_nothing(services: list[Subscription]) -> None:
    invoice = renewed()
    payment = payments.begin(invoice, at=noon(DUE))
    assert payment.amount == invoice.total
    line = invoice.lines.get(position=1)
    part = {line.pk: line.amount.fraction(1, 2)}
    credit_notes.issue(invoice, part, reason="goodwill", at=noon(DUE), actor="staff:1")
    invoice.refresh_from_db()
    assert (invoice.state, invoice.due.minor) == (Invoice.State.OPEN, 39_50 + 29_00)
    paid = Subscription.objects.values_list("paid_until", flat=True)
    assert set(paid) == {DUE}


def test_a_cancelled_service_takes_only_its_line_off(services: list[Subscription]) -> None:
    invoice = renewed()
    cancellations.cancel(services[1], at=noon(DUE - timedelta(days=5)), actor="test")
    cancellations.end(cancellations.due(DUE), on=DUE, at=noon(DUE))
    invoice.refresh_from_db()
    assert (invoice.state, invoice.due.minor) == (Invoice.State.OPEN, 79_00)
    assert state() == ["active", "ended"]
    payments.pay(invoice, at=noon(DUE))
    first, second = Subscription.objects.order_by("pk")
    assert (first.paid_until, second.paid_until) == (date(2026, 5, 2), DUE)
    assert invariants.violations() == []


def test_a_line_credited_in_full_is_free_without_its_credit(services: list[Subscription]) -> None:
    invoice = renewed()
    line = invoice.lines.get(subscription=services[1])
    credit_notes.issue(
        invoice, {line.pk: line.amount}, reason="wrong", at=noon(DUE), actor="staff:1"
    )
    first, second = Subscription.objects.order_by("pk")
    assert (first.paid_until, second.paid_until) == (DUE, date(2026, 5, 2))
    payments.pay(Invoice.objects.get(pk=invoice.pk), at=noon(DUE))
    first, second = Subscription.objects.order_by("pk")
    assert first.paid_until == second.paid_until == date(2026, 5, 2)
    causes = Job.objects.filter(cause__startswith="invoice-line-").values_list("account", flat=True)
    assert set(causes) == {first.account_id}
    assert invariants.violations() == []


def test_dunning_concerns_each_and_a_payment_brings_each_back(
    services: list[Subscription],
) -> None:
    Account.objects.update(state=Account.State.LIVE)
    invoice = renewed()
    for count in range(40):
        on = DUE - timedelta(days=6) + timedelta(days=count)
        if state() == ["suspended", "suspended"]:
            break
        Mail.objects.filter(sent_at=None).update(state=Mail.State.SENT, sent_at=noon(on))
        days.run(on, at=noon(on), most=None)
    assert state() == ["suspended", "suspended"]
    payments.pay(invoice, at=noon(on))
    assert state() == ["active", "active"]
    assert Job.objects.filter(kind=Job.Kind.UNSUSPEND).count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_runners_invoice_each_period_once(services: list[Subscription]) -> None:
    on = DUE - timedelta(days=7)
    results = together(lambda _: renewals.bill(on, at=noon(on)), 4)
    assert [each for each in results if isinstance(each, Exception)] == []
    assert sorted(renewing.starts()) == ["2026-04-02"] * 2
    assert invariants.violations() == []
