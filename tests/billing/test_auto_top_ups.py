"""Credit that buys itself: once per reading, within the month, and only while all is well."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from billing import auto_top_ups, charges, credit_notes, invariants, methods
from billing.models import (
    AutoPurchase,
    AutoTopUp,
    Customer,
    Invoice,
    Mail,
    Order,
    Payment,
    Subscription,
    TopUpTerms,
)
from packages.states import history_of
from provisioning.models import Account, Job
from tests.billing import orders, saved
from tests.billing.orders import euros
from tests.guards.connections import together
from tests.story import Gateway

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
CONSENTS = {"standing": saved.CONSENT}


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with saved.open_gateway() as gateway:
        yield gateway


@pytest.fixture
def auto(db: None, gateway: Gateway) -> AutoTopUp:
    return standing(gateway)


def standing(gateway: Gateway) -> AutoTopUp:
    """Someone who paid by a card that was kept: below 10.00 buy 50.00, at most 120.00 a month."""
    orders.seeded(at=AT)
    user, customer = orders.buyer(at=AT)
    order = orders.place(user, customer, "business", at=AT)
    saved.pay_and_keep(order.invoice, gateway, at=AT)
    service = Subscription.objects.get()
    credited(at=AT)
    Account.objects.update(state=Account.State.LIVE, remote_id="7", password_sealed=None)
    return switch_on(service)


def switch_on(service: Subscription, **sums: int) -> AutoTopUp:
    values = {"below": 10_00, "amount": 50_00, "month": 120_00, **sums}
    return auto_top_ups.switch_on(
        service,
        **{name: euros(minor) for name, minor in values.items()},
        consent=CONSENTS,
        at=AT,
        actor="user:1",
    )


def read(minor: int, *, at: datetime) -> None:
    """Let the dialler show this balance."""
    Account.objects.update(balance_minor=minor, balance_at=at)


def credited(*, at: datetime) -> None:
    """Let all jobs of the account be done, as a worker leaves them."""
    Job.objects.filter(state__in=Job.UNFINISHED).update(state=Job.State.DONE, finished_at=at)


def go(*, at: datetime) -> None:
    """Sweep, and send the charges that wait."""
    auto_top_ups.run(at=at)
    for payment in Payment.objects.filter(sent_at=None, method__isnull=False):
        charges.send(payment.pk, at=at)


def bought() -> list[tuple[str, int]]:
    rows = AutoPurchase.objects.order_by("pk").select_related("order")
    return [(row.order.state, row.amount_minor) for row in rows]


def test_a_low_balance_buys_once_and_the_receipt_is_mailed(auto: AutoTopUp) -> None:
    read(9_99, at=AT + HOUR)
    for _ in range(3):
        go(at=AT + HOUR)
    assert bought() == [("fulfilled", 50_00)]
    purchase = AutoPurchase.objects.get()
    job = Job.objects.get(cause=f"order-line-{purchase.order.lines.get().pk}:credit")
    assert job.amount_minor == 50_00
    assert purchase.order.consents == CONSENTS
    mails = Mail.objects.filter(cause=f"invoice-{purchase.order.invoice.pk}")
    assert [mail.template for mail in mails] == ["receipt"]
    assert not Mail.objects.filter(cause=f"order-{purchase.order_id}").exists()


def test_nothing_is_bought_above_the_sum(auto: AutoTopUp) -> None:
    read(10_00, at=AT + HOUR)
    go(at=AT + HOUR)
    assert bought() == []


def test_the_next_one_waits_for_the_credit_and_a_reading_after_it(auto: AutoTopUp) -> None:
    read(5_00, at=AT + HOUR)
    go(at=AT + HOUR)
    read(4_00, at=AT + 2 * HOUR)
    go(at=AT + 2 * HOUR)
    assert len(bought()) == 1
    credited(at=AT + 3 * HOUR)
    go(at=AT + 3 * HOUR)
    assert len(bought()) == 1
    read(6_00, at=AT + 4 * HOUR)
    go(at=AT + 4 * HOUR)
    assert len(bought()) == 2


def test_a_month_never_costs_more_than_its_ceiling(auto: AutoTopUp) -> None:
    for day in range(1, 40):
        at = AT + timedelta(days=day)
        read(1_00, at=at)
        go(at=at)
        credited(at=at + HOUR)
        go(at=at + HOUR)
    found = {each.invariant.code for each in invariants.violations()}
    assert found & {"TOP-1", "TOP-2", "REM-10", "LED-6"} == set()
    months = [purchase.on.month for purchase in AutoPurchase.objects.order_by("pk")]
    assert months == [3, 3, 4, 4]
    assert auto_top_ups.pause_of(AutoTopUp.objects.get(), at=AT + timedelta(days=39)) == "month"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda: Subscription.objects.update(state="suspended", next_invoice_on=None),
        lambda: Subscription.objects.update(ends_on=AT.date() + timedelta(days=20)),
        lambda: Account.objects.update(state="suspended"),
        lambda: Customer.objects.update(pays_automatically=False),
        lambda: TopUpTerms.objects.update(max_minor=49_00),
        lambda: TopUpTerms.objects.update(new_day_minor=49_00),
        lambda: Account.objects.update(balance_at=AT - timedelta(days=1)),
        lambda: AutoTopUp.objects.update(state="off"),
    ],
)  # fmt: skip
def test_it_is_paused_while_something_speaks_against_it(auto: AutoTopUp, spoil: object) -> None:
    read(1_00, at=AT + HOUR)
    spoil()  # type: ignore[operator]
    go(at=AT + HOUR)
    assert bought() == []


def test_it_is_paused_while_an_invoice_is_overdue(auto: AutoTopUp) -> None:
    user, customer = auto.subscription.customer.users.get(), auto.subscription.customer
    invoice = orders.place(user, customer, "starter", at=AT).invoice
    assert invoice.due_on is not None
    late = AT + timedelta(days=20)
    read(1_00, at=late)
    go(at=late)
    assert bought() == []
    assert auto_top_ups.pause_of(auto, at=late) == "overdue"


def test_a_hard_decline_takes_it_back_and_switches_it_off(
    auto: AutoTopUp, gateway: Gateway
) -> None:
    method = methods.default_of(auto.subscription.customer)
    assert method is not None
    saved.later(gateway, method, "card_declined")
    read(1_00, at=AT + HOUR)
    go(at=AT + HOUR)
    go(at=AT + HOUR)
    assert bought() == [("cancelled", 50_00)]
    auto.refresh_from_db()
    assert auto.state == AutoTopUp.State.OFF
    change = history_of(auto).latest("id")
    assert (change.actor, change.reason) == ("system:auto-top-up", "declined: card_declined")
    mail = Mail.objects.get(template="auto_top_up_stopped")
    assert "The card was declined" in mail.text
    read(1_00, at=AT + 2 * HOUR)
    go(at=AT + 2 * HOUR)
    assert len(bought()) == 1


def test_a_soft_decline_is_tried_once_more_a_day_later(auto: AutoTopUp, gateway: Gateway) -> None:
    method = methods.default_of(auto.subscription.customer)
    assert method is not None
    saved.later(gateway, method, "insufficient_funds")
    read(1_00, at=AT + HOUR)
    for hours in (1, 2, 20):
        go(at=AT + hours * HOUR)
    assert (bought(), Payment.objects.filter(state="failed").count()) == ([("placed", 50_00)], 1)
    saved.later(gateway, method, None)
    go(at=AT + 27 * HOUR)
    assert bought() == [("fulfilled", 50_00)]


def test_declined_twice_it_is_over(auto: AutoTopUp, gateway: Gateway) -> None:
    method = methods.default_of(auto.subscription.customer)
    assert method is not None
    saved.later(gateway, method, "insufficient_funds")
    read(1_00, at=AT + HOUR)
    for hours in (1, 2, 27, 28):
        go(at=AT + hours * HOUR)
    assert bought() == [("cancelled", 50_00)]
    assert Payment.objects.filter(state="failed").count() == 2
    assert AutoTopUp.objects.get().state == AutoTopUp.State.OFF


def test_every_change_leaves_its_row(auto: AutoTopUp) -> None:
    switch_on(auto.subscription, amount=60_00)
    auto_top_ups.switch_off(auto.subscription, reason="no more", at=AT, actor="user:1")
    auto_top_ups.switch_off(auto.subscription, reason="again", at=AT, actor="user:1")
    changes = [(each.before, each.after, each.reason) for each in history_of(auto)]
    assert changes == [
        ("", "on", "below 10.00 EUR buy 50.00 EUR, 120.00 EUR a month"),
        ("on", "on", "below 10.00 EUR buy 60.00 EUR, 120.00 EUR a month"),
        ("on", "off", "no more"),
    ]


def test_the_customers_balance_pays_first(auto: AutoTopUp, gateway: Gateway) -> None:
    credit_notes.issue(Invoice.objects.get(), reason="goodwill", at=AT, actor="staff:1")
    read(1_00, at=AT + HOUR)
    go(at=AT + HOUR)
    assert bought() == [("fulfilled", 50_00)]
    assert saved.charged(gateway) == 1


@pytest.mark.django_db(transaction=True)
def test_many_workers_buy_once_for_a_reading(transactional_db: None, gateway: Gateway) -> None:
    auto = standing(gateway)
    read(1_00, at=AT + HOUR)
    answers = together(lambda _: auto_top_ups.buy(auto.pk, at=AT + HOUR), 5)
    assert sorted(type(each).__name__ for each in answers) == ["AutoPurchase"] + ["NoneType"] * 4
    assert Order.objects.filter(placed_by=None).count() == 1
    assert Payment.objects.filter(state=Payment.State.PROCESSING).count() == 1
