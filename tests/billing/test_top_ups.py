"""Credit of any amount: priced and ordered as a package is, once, and within the limits."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest

from billing import carts, checkout, top_up_limits, top_ups
from billing.models import Brand, Customer, Order, OrderLine, Subscription, TopUpTerms
from billing.top_up_limits import Limits, Refused
from packages.money import Money
from packages.periods import business_day
from provisioning.models import Account, Job
from tests import payments, world
from tests.billing import orders, renewing
from tests.billing.orders import euros
from tests.clock import Clock
from tests.guards.connections import together


@pytest.fixture
def service(db: None, clock: Clock) -> Subscription:
    orders.seeded(at=clock.now())
    return renewing.bought(at=clock.now(), slug="business")


def buy(
    service: Subscription, minor: int, *, at: datetime, key: uuid.UUID | None = None, seen: str = ""
) -> Order:
    brand, wish = world.brand(), top_ups.Wish(service, euros(minor))
    on = business_day(at, brand.zone)
    quoted = top_ups.quote(wish, brand, language="en", on=on)
    return top_ups.order(
        wish,
        brand,
        key=key or uuid.uuid4(),
        placed_by=None,
        language="en",
        consents={},
        seen=seen or quoted.fingerprint,
        on=on,
        at=at,
        actor="test",
    )


def strict(**more: int) -> None:
    """Let new customers buy 100.00 a day, 150.00 a month, and hold 120.00 on an account."""
    values = {"new_day_minor": 100_00, "new_month_minor": 150_00, "new_balance_minor": 500_00}
    TopUpTerms.objects.filter(currency="EUR").update(**{**values, **more})


def test_the_customer_pays_the_amount_and_gets_it(service: Subscription, clock: Clock) -> None:
    order = buy(service, 37_50, at=clock.now())
    assert order.invoice.total_minor == 37_50
    payments.pay(order.invoice, at=clock.now())
    line = order.lines.get()
    job = Job.objects.get(cause=f"order-line-{line.pk}:credit")
    assert (job.amount_minor, job.currency, line.package) == (37_50, "EUR", None)
    assert order.invoice.lines.get().description.startswith("Credit for account ")


@pytest.mark.parametrize(
    ("gross", "country", "vat_id", "total"),
    [
        (True, "DE", "", 50_00),
        (False, "DE", "", 59_50),
        (True, "AT", "ATU12345675", 42_02),
        (False, "AT", "ATU12345675", 50_00),
    ],
)
def test_tax_follows_the_price_mode_and_the_credit_does_not(
    service: Subscription, clock: Clock, gross: bool, country: str, vat_id: str, total: int
) -> None:
    Brand.objects.update(prices_include_tax=gross)
    Customer.objects.update(country=country, vat_id=vat_id, is_business=bool(vat_id))
    service.customer.refresh_from_db()
    order = buy(service, 50_00, at=clock.now())
    assert (order.invoice.total_minor, order.lines.get().credit_minor) == (total, 50_00)


@pytest.mark.parametrize("minor", [9_99, 1_000_01, 0, -50_00])
def test_an_amount_out_of_range_is_not_sold(
    service: Subscription, clock: Clock, minor: int
) -> None:
    with pytest.raises(top_ups.OutOfRange):
        buy(service, minor, at=clock.now())


def test_a_service_that_does_not_run_is_not_topped_up(service: Subscription, clock: Clock) -> None:
    Subscription.objects.update(state="suspended", next_invoice_on=None)
    with pytest.raises(top_ups.NotForSale):
        buy(Subscription.objects.get(), 50_00, at=clock.now())
    Subscription.objects.update(state="active", currency="USD")
    TopUpTerms.objects.filter(currency="USD").delete()
    with pytest.raises(top_ups.NotForSale):
        buy(Subscription.objects.get(), 50_00, at=clock.now())


def test_a_double_click_orders_once(service: Subscription, clock: Clock) -> None:
    key = uuid.uuid4()
    first, second = (buy(service, 50_00, at=clock.now(), key=key) for _ in range(2))
    assert first == second
    assert OrderLine.objects.filter(kind="top_up").count() == 1


def test_another_sum_than_shown_is_not_ordered(service: Subscription, clock: Clock) -> None:
    with pytest.raises(top_ups.Changed):
        buy(service, 50_00, at=clock.now(), seen="5000:4000EUR")
    assert not OrderLine.objects.filter(kind="top_up").exists()


def test_a_new_customer_buys_only_so_much_a_day(service: Subscription, clock: Clock) -> None:
    strict()
    buy(service, 80_00, at=clock.now())
    with pytest.raises(Refused) as refused:
        buy(service, 30_00, at=clock.now())
    assert (refused.value.code, refused.value.left) == ("day", euros(20_00))
    buy(service, 20_00, at=clock.now())
    with pytest.raises(Refused) as refused:
        buy(service, 60_00, at=clock.now() + timedelta(hours=25))
    assert (refused.value.code, refused.value.left) == ("month", euros(50_00))


def test_a_cancelled_order_does_not_count(service: Subscription, clock: Clock) -> None:
    strict()
    order = buy(service, 100_00, at=clock.now())
    Order.objects.filter(pk=order.pk).update(state=Order.State.CANCELLED)
    buy(service, 100_00, at=clock.now())


def test_whoever_paid_long_enough_ago_is_not_new(service: Subscription, clock: Clock) -> None:
    strict()
    with pytest.raises(Refused):
        buy(service, 101_00, at=clock.now() + timedelta(days=29, hours=23))
    buy(service, 1_000_00, at=clock.now() + timedelta(days=30, minutes=1))


def test_staff_may_say_otherwise(service: Subscription, clock: Clock) -> None:
    strict()
    limits = Limits(euros(900_00), euros(900_00), euros(900_00))
    top_up_limits.allow(
        service.customer, limits, reason="known in person", at=clock.now(), actor="staff:1"
    )
    buy(service, 600_00, at=clock.now())
    with pytest.raises(Refused):
        buy(service, 301_00, at=clock.now() + timedelta(days=29))


def test_an_account_holds_only_so_much(service: Subscription, clock: Clock) -> None:
    later = clock.now() + timedelta(days=60)
    Job.objects.update(state=Job.State.DONE)
    Account.objects.update(balance_minor=4_200_00)
    payments.pay(buy(service, 500_00, at=later).invoice, at=later)
    buy(service, 200_00, at=later)
    with pytest.raises(Refused) as refused:
        buy(service, 100_01, at=later)
    assert (refused.value.code, refused.value.left) == ("balance", euros(100_00))
    buy(service, 100_00, at=later)


def test_packages_are_under_the_same_limits(service: Subscription, clock: Clock) -> None:
    strict()
    brand, at = world.brand(), clock.now()
    on = business_day(at, brand.zone)
    cart = carts.add(None, world.price("credit-100"), subscription=service, at=at)
    seen = checkout.quote(cart, service.customer, brand, language="en", on=on).fingerprint
    user = service.customer.users.get()
    # 105.00 of credit for 100.00: what counts is what could be called away.
    with pytest.raises(Refused):
        checkout.place(
            cart, service.customer, brand, placed_by=user, language="en", consents={},
            seen=seen, on=on, at=at,
        )  # fmt: skip
    assert Order.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_orders_at_once_do_not_pass_a_limit_together(
    transactional_db: None, clock: Clock
) -> None:
    orders.seeded(at=clock.now())
    service, at = renewing.bought(at=clock.now()), clock.now()
    strict()
    answers = together(lambda _: buy(service, 40_00, at=at), 5)
    assert sorted(type(each).__name__ for each in answers) == ["Order"] * 2 + ["Refused"] * 3
    assert top_up_limits.ordered(service.customer, "EUR") == Money(80_00, "EUR")
