"""An exchange at the period's end, and one that is paid late, never, or when all has changed."""

from __future__ import annotations

from datetime import date

import pytest

from billing import cancellations, carts, coupons, exchanges, invariants, quotes
from billing.gateways.base import PaymentSnapshot
from billing.models import (
    Coupon,
    Exchange,
    Invoice,
    Order,
    Subscription,
    SubscriptionPeriod,
)
from billing.payments import record
from packages.models import Package
from provisioning.models import Job
from tests import payments, world
from tests.billing import orders, renewing
from tests.billing.exchanging import (
    AT,
    AT_END,
    DUE,
    agreed,
    balance,
    changed,
    credited,
    day,
    invoice_of,
    live,
    quoted,
)
from tests.billing.orders import euros


@pytest.fixture
def subscription(running_service: Subscription) -> Subscription:
    return running_service


def bought(*, quantity: int = 1, code: str = "") -> Subscription:
    """Let a customer buy so many of Business, perhaps with a coupon."""
    user, customer = orders.buyer(at=AT)
    cart = carts.add(None, world.price("business"), subscription=None, at=AT)
    carts.change(cart, cart.lines.get().pk, quantity, at=AT)
    if code:
        coupons.enter(cart, code, customer, on=AT.date(), at=AT)
    payments.pay(orders.order(cart, user, customer, at=AT).invoice, at=AT)
    return Subscription.objects.get()


def test_at_the_end_of_the_period_the_renewal_is_the_new_package(
    subscription: Subscription,
) -> None:
    exchange = agreed(subscription, "starter", 10, mode=AT_END)
    assert (exchange.on, exchange.total) == (DUE, euros(0))
    live(11, 24)
    (invoice,) = renewing.renewals()
    assert (invoice.total, str(invoice.lines.get())) == (euros(29_00), "Starter, monthly")
    payments.pay(invoice, at=day(25))
    live(25, 30)
    subscription.refresh_from_db()
    assert subscription.package.slug == "business"
    assert credited() == 20_00
    live(31, 31)
    assert credited() == 20_00 + 5_00
    subscription.refresh_from_db()
    assert (subscription.package.slug, subscription.amount_minor) == ("starter", 29_00)
    assert str(subscription.paid_until) == "2026-05-02"
    limits = Job.objects.filter(kind=Job.Kind.SET_LIMITS).order_by("-pk")[0].details["limits"]
    assert limits["channels"] == 5
    assert invariants.violations() == []


def test_paid_late_the_scheduled_exchange_is_done_by_the_payment(
    subscription: Subscription,
) -> None:
    agreed(subscription, "starter", 10, mode=AT_END)
    live(11, 33)
    subscription.refresh_from_db()
    assert subscription.package.slug == "business"
    payments.pay(renewing.renewals()[0], at=day(33))
    subscription.refresh_from_db()
    assert subscription.package.slug == "starter"
    assert invariants.violations() == []


def test_another_cycle_begins_with_the_next_period(subscription: Subscription) -> None:
    with pytest.raises(quotes.NotExchangeable, match="end of the period only"):
        quoted(subscription, "business", 10, cycle="yearly")
    agreed(subscription, "business", 10, mode=AT_END, cycle="yearly")
    live(11, 24)
    (invoice,) = renewing.renewals()
    assert invoice.total == euros(790_00)
    payments.pay(invoice, at=day(25))
    live(25, 32)
    subscription.refresh_from_db()
    assert (subscription.cycle, subscription.anchor_on) == ("yearly", DUE)
    assert str(subscription.paid_until) == "2027-04-02"
    assert str(subscription.next_invoice_on) == "2027-03-19"
    assert [each.index for each in SubscriptionPeriod.objects.order_by("index")] == [0, 1]
    assert invariants.violations() == []


def test_a_scheduled_exchange_is_taken_back_until_it_is_invoiced(
    subscription: Subscription,
) -> None:
    exchange = agreed(subscription, "starter", 10, mode=AT_END)
    exchanges.withdraw(exchange, at=day(11), actor="user:7")
    exchange = agreed(subscription, "scale", 12, mode=AT_END)
    live(13, 24)
    with pytest.raises(quotes.NotExchangeable, match="invoiced"):
        exchanges.withdraw(exchange, at=day(24), actor="user:7")
    assert [each.state for each in Exchange.objects.order_by("pk")] == ["cancelled", "pending"]
    assert renewing.renewals()[0].total == euros(249_00)


def test_an_unpaid_exchange_lapses_before_the_renewal_is_invoiced(
    subscription: Subscription,
) -> None:
    exchange = agreed(subscription, "scale", 20)
    invoice = invoice_of(exchange)
    assert invoice.due_on is not None
    assert invoice.due_on < date(2026, 3, 26)
    live(21, 24)
    exchange.refresh_from_db()
    invoice.refresh_from_db()
    assert (exchange.state, invoice.state) == ("cancelled", "cancelled")
    assert Order.objects.get(invoice=invoice).state == Order.State.CANCELLED
    assert renewing.renewals()[-1].total == euros(79_00)
    assert invariants.violations() == []


def test_paid_after_it_lapsed_the_money_is_the_customer_s(subscription: Subscription) -> None:
    exchange = agreed(subscription, "scale", 20)
    payment = payments.begin(invoice_of(exchange), at=day(20))
    live(21, 24)
    payments.arrive(payment, at=day(25))
    subscription.refresh_from_db()
    assert subscription.package.slug == "business"
    assert balance(subscription) == exchange.total_minor
    assert invariants.violations() == []


def test_paid_when_its_period_is_over_the_money_is_the_customer_s(
    subscription: Subscription,
) -> None:
    """No run of the calendar came in between: the payment itself finds that it is too late."""
    exchange = agreed(subscription, "scale", 20)
    payments.pay(invoice_of(exchange), at=day(31))
    live(32, 32)
    exchange.refresh_from_db()
    subscription.refresh_from_db()
    assert (exchange.state, subscription.package.slug) == ("cancelled", "business")
    # It pays a part of the renewal that was issued on that day.
    assert renewing.renewals()[-1].paid_minor == exchange.total_minor
    assert invariants.violations() == []


def test_confirmed_when_the_renewal_was_invoiced_the_money_is_the_customer_s(
    subscription: Subscription,
) -> None:
    """Else the old package's price would pay for the new one's period."""
    exchange = agreed(subscription, "scale", 20)
    payment = payments.begin(invoice_of(exchange), at=day(20))
    sent = PaymentSnapshot(payment.key.hex, payment.key.hex, "processing", payment.amount)
    record(sent, "bank_transfer", at=day(21), actor="test")
    live(21, 26)
    renewal = Invoice.objects.get(order=None)
    payments.arrive(payment, at=day(27))
    live(27, 28)
    exchange.refresh_from_db()
    assert exchange.state == Exchange.State.CANCELLED
    assert Order.objects.get(invoice=invoice_of(exchange)).state == Order.State.CANCELLED
    payments.pay(renewal, at=day(29))
    live(29, 31)
    subscription.refresh_from_db()
    assert subscription.package.slug == "business"
    assert credited() == 20_00 + 20_00
    assert balance(subscription) == payment.amount.minor
    assert invariants.violations() == []


def test_paid_some_days_later_it_is_done_as_agreed(subscription: Subscription) -> None:
    exchange = agreed(subscription, "scale", 10)
    payments.pay(invoice_of(exchange), at=day(13))
    subscription.refresh_from_db()
    assert subscription.package.slug == "scale"
    assert invariants.violations() == []


def test_a_cancellation_takes_a_scheduled_exchange_back(subscription: Subscription) -> None:
    exchange = agreed(subscription, "starter", 10, mode=AT_END)
    cancellations.cancel(subscription, at=day(12), actor="user:7")
    exchange.refresh_from_db()
    assert exchange.state == Exchange.State.CANCELLED
    live(13, 31)
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.ENDED
    assert invariants.violations() == []


def test_a_trial_is_exchanged_at_its_end(db: None) -> None:
    orders.seeded(at=AT)
    subscription = renewing.bought(at=AT, slug="message-reach")
    with pytest.raises(quotes.NotExchangeable, match="end of the period only"):
        quoted(subscription, "starter", 3)
    agreed(subscription, "starter", 3, mode=AT_END)
    live(4, 14)
    assert renewing.renewals()[0].total == euros(29_00)


def test_a_quantity_is_exchanged_as_a_whole(db: None) -> None:
    """Two of each: twice the sums, twice the channels."""
    orders.seeded(at=AT)
    Package.objects.filter(slug__in=("business", "scale")).update(max_quantity=3)
    subscription = bought(quantity=2)
    quote = quoted(subscription, "scale", 10)
    assert (quote.rest, quote.unused) == (euros(337_35), euros(107_03))
    changed(subscription, "scale", 10)
    assert (subscription.quantity, subscription.amount_minor) == (2, 498_00)
    limits = Job.objects.filter(kind=Job.Kind.SET_LIMITS).order_by("-pk")[0].details["limits"]
    assert limits["channels"] == 200
    # One that may not be had twice is no target.
    with pytest.raises(quotes.NotExchangeable, match="cannot be exchanged"):
        quoted(subscription, "starter", 12)
    live(11, 24)
    assert renewing.renewals()[-1].total == euros(498_00)
    assert invariants.violations() == []


@pytest.mark.parametrize(("only", "renewal"), [([], 224_10), (["business"], 249_00)])
def test_a_running_coupon_goes_on_if_it_is_for_the_new_package(
    db: None, only: list[str], renewal: int
) -> None:
    """Ten per cent off: the unused days are worth what was paid for them, 48.17 of 71.10."""
    orders.seeded(at=AT)
    coupon = Coupon.objects.create(code="TEN", percent_bp=1000, cycles=None)
    coupon.packages.set(Package.objects.filter(slug__in=only))
    subscription = bought(code="TEN")
    assert quoted(subscription, "scale", 10).unused == euros(48_16)
    changed(subscription, "scale", 10)
    live(11, 24)
    assert renewing.renewals()[-1].total == euros(renewal)
    assert invariants.violations() == []


def test_credit_that_resets_stays_through_an_exchange_and_lapses_then(
    subscription: Subscription,
) -> None:
    """Business resets, Scale persists: what was included by the one lapses no more by the other."""
    changed(subscription, "scale", 10)
    live(11, 24)
    payments.pay(renewing.renewals()[-1], at=day(25))
    live(25, 31)
    assert credited() == 20_00 + 54_19 + 100_00
    assert not Job.objects.filter(kind=Job.Kind.TAKE_BACK).exists()
    assert invariants.violations() == []
