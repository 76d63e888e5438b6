"""Coupons: what they take off, for how long, and what they refuse."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from billing import checkout, coupons, credit_notes, invariants, renewals, settlements
from billing.models import Cart, CartLine, Coupon, Customer, Invoice, Order, Redemption, User
from packages.models import Package
from tests import payments, world
from tests.billing import orders, renewing

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
ON = date(2026, 3, 2)
pytestmark = pytest.mark.django_db


@pytest.fixture
def buyer(db: None) -> tuple[User, Customer]:
    orders.seeded(at=AT)
    return orders.buyer(at=AT)


def coupon(code: str = "SPRING", *, amount: int = 0, least: int = 0, **terms: Any) -> Coupon:
    percent = None if amount else terms.pop("percent_bp", 1000)
    made = Coupon.objects.create(code=code, percent_bp=percent, **terms)
    if amount or least:
        made.amounts.create(currency="EUR", amount_minor=amount, minimum_minor=least)
    return made


def basket(*slugs: str) -> Cart:
    cart = Cart.objects.create(currency="EUR", updated_at=AT)
    for slug in slugs or ("business",):
        CartLine.objects.create(cart=cart, price=world.price(slug))
    return cart


def buys(buyer: tuple[User, Customer], *slugs: str, code: str = "spring") -> Order:
    cart = basket(*slugs)
    coupons.enter(cart, code, buyer[1], on=ON, at=AT)
    return orders.order(cart, *buyer, at=AT)


def refusal(cart: Cart, customer: Customer, code: str = "SPRING", on: date = ON) -> str:
    with pytest.raises(coupons.Refused) as refused:
        coupons.enter(cart, code, customer, on=on, at=AT)
    cart.refresh_from_db()
    assert cart.coupon is None
    return str(refused.value)


def amounts(invoice: Invoice) -> list[int]:
    return [line.unit_minor * line.quantity for line in invoice.lines.all()]


def test_a_percentage_is_a_line_below_zero_at_the_same_rate(buyer: tuple[User, Customer]) -> None:
    coupon()
    invoice = buys(buyer).invoice
    assert amounts(invoice) == [79_00, 49_00, -7_90]
    assert invoice.total_minor == 120_10
    (group,) = invoice.taxes.all()
    assert group.tax_bp == 1900
    assert invariants.violations() == []


def test_a_set_up_fee_is_lowered_only_where_the_coupon_says_so(
    buyer: tuple[User, Customer],
) -> None:
    coupon(covers_setup=True)
    assert amounts(buys(buyer).invoice) == [79_00, 49_00, -12_80]


def test_a_fixed_amount_never_goes_below_zero(buyer: tuple[User, Customer]) -> None:
    coupon(amount=999_00)
    invoice = buys(buyer).invoice
    assert amounts(invoice) == [79_00, 49_00, -79_00]
    assert invoice.total_minor == 49_00


def test_a_free_order_is_delivered_at_once(buyer: tuple[User, Customer]) -> None:
    coupon(percent_bp=10_000, covers_setup=True)
    order = buys(buyer)
    assert order.invoice.state == Invoice.State.PAID
    order.refresh_from_db()
    assert order.state == Order.State.FULFILLED
    assert invariants.violations() == []


@pytest.mark.parametrize(
    ("cycles", "lowered"), [(1, [True, False]), (2, [True, True, False]), (None, [True] * 4)]
)
def test_it_lowers_exactly_its_number_of_invoices(
    buyer: tuple[User, Customer], cycles: int | None, lowered: list[bool]
) -> None:
    coupon(cycles=cycles)
    payments.pay(buys(buyer).invoice, at=AT)
    for months in range(1, len(lowered)):
        on = ON + timedelta(days=31 * months)
        at = AT + timedelta(days=31 * months)
        renewals.bill(on, at=at)
        for invoice in Invoice.objects.filter(state=Invoice.State.OPEN):
            payments.pay(invoice, at=at)
    first, *later = Invoice.objects.order_by("pk")
    assert [first.total_minor] + [each.total_minor for each in later[: len(lowered) - 1]] == [
        120_10,
        *(71_10 if low else 79_00 for low in lowered[1:]),
    ]
    assert invariants.violations() == []


def test_a_trials_free_days_use_up_no_cycle(buyer: tuple[User, Customer]) -> None:
    Package.objects.filter(slug="business").update(trial_days=14)
    coupon(cycles=1)
    order = buys(buyer)
    assert amounts(order.invoice) == [0, 49_00]
    payments.pay(order.invoice, at=AT)
    renewals.bill(ON + timedelta(days=14), at=AT + timedelta(days=14))
    assert amounts(renewing.renewals()[0]) == [79_00, -7_90]


def test_later_changes_of_the_coupon_do_not_reach_what_was_ordered(
    buyer: tuple[User, Customer],
) -> None:
    made = coupon(cycles=2)
    payments.pay(buys(buyer).invoice, at=AT)
    Coupon.objects.filter(pk=made.pk).update(percent_bp=5000, active=False, cycles=1)
    renewals.bill(ON + timedelta(days=31), at=AT + timedelta(days=31))
    assert amounts(renewing.renewals()[0]) == [79_00, -7_90]


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"active": False}, "This code has expired."),
        ({"valid_until": date(2026, 3, 1)}, "This code has expired."),
        ({"valid_from": date(2026, 3, 3)}, "This code is not valid yet."),
        ({"max_orders": 0}, "This code has been used up."),
        ({"billing_cycles": ["yearly"]}, "This code is not for what is in your cart."),
        ({"least": 79_01}, "Your cart is below the smallest order for this code."),
    ],
)
def test_it_says_why_it_is_of_no_use(
    buyer: tuple[User, Customer], terms: dict[str, Any], said: str
) -> None:
    coupon(**terms)
    assert refusal(basket(), buyer[1]) == said


@pytest.mark.parametrize("code", ["", "OTHER", "SPRING\x00", "' OR 1=1", "x" * 500, "Ü"])
def test_an_unknown_code_is_not_known(buyer: tuple[User, Customer], code: str) -> None:
    coupon()
    assert refusal(basket(), buyer[1], code) == "We do not know this code."


def test_its_last_day_is_valid(buyer: tuple[User, Customer]) -> None:
    coupon(valid_from=ON, valid_until=ON)
    assert buys(buyer).invoice.total_minor == 120_10


def test_it_lowers_only_the_packages_it_is_for(buyer: tuple[User, Customer]) -> None:
    coupon().packages.add(Package.objects.get(slug="starter"))
    assert "not for what is in your cart" in refusal(basket(), buyer[1])
    invoice = buys(buyer, "business", "starter").invoice
    (off,) = invoice.lines.filter(kind="discount")
    assert off.subscription == Redemption.objects.get().subscription
    assert off.subscription is not None
    assert off.subscription.package.slug == "starter"


def test_a_fixed_amount_of_another_currency_is_refused(buyer: tuple[User, Customer]) -> None:
    coupon(amount=5_00).amounts.update(currency="USD")
    assert refusal(basket(), buyer[1]) == "This code is not for this currency."


def test_one_order_is_one_use_and_a_customer_has_one(buyer: tuple[User, Customer]) -> None:
    made = coupon()
    buys(buyer, "business", "starter")
    assert (coupons.uses(made), Redemption.objects.count()) == (1, 2)
    assert refusal(basket(), buyer[1]) == "You have used this code already."


def test_a_first_order_coupon_is_not_for_the_second(buyer: tuple[User, Customer]) -> None:
    coupon(new_customers=True, max_orders_each=None)
    buys(buyer)
    assert refusal(basket(), buyer[1]) == "This code is for first orders only."


def test_a_cancelled_order_gives_it_back_and_a_running_one_does_not(
    buyer: tuple[User, Customer],
) -> None:
    made = coupon()
    order = buys(buyer)
    credit_notes.issue(order.invoice, reason="not wanted", at=AT, actor="staff:1")
    assert coupons.uses(made) == 0
    settlements.write_off(buys(buyer).invoice, reason="not paid", at=AT, actor="staff:1")
    assert coupons.uses(made) == 0
    order = buys(buyer)
    payments.pay(order.invoice, at=AT)
    credit_notes.issue(order.invoice, reason="goodwill", at=AT, actor="staff:1")
    assert coupons.uses(made) == 1
    assert invariants.violations() == []


def test_what_was_quoted_with_a_coupon_is_not_ordered_without(
    buyer: tuple[User, Customer],
) -> None:
    made, cart = coupon(), basket()
    coupons.enter(cart, "spring", buyer[1], on=ON, at=AT)
    seen = checkout.quote(cart, buyer[1], world.brand(), language="en", on=ON).fingerprint
    Coupon.objects.filter(pk=made.pk).update(active=False)
    with pytest.raises(checkout.Changed):
        orders.order(cart, *buyer, at=AT, seen=seen)
    assert not Order.objects.exists()
    quote = checkout.quote(cart, buyer[1], world.brand(), language="en", on=ON)
    assert quote.coupon is not None
    assert quote.coupon.refusal == "This code has expired."
    assert quote.total.minor == 128_00


def test_several_on_one_account_cost_and_allow_so_many(buyer: tuple[User, Customer]) -> None:
    Package.objects.filter(slug="business").update(max_quantity=5)
    coupon(cycles=None)
    cart = basket()
    cart.lines.update(quantity=3)
    coupons.enter(cart, "SPRING", buyer[1], on=ON, at=AT)
    order = orders.order(cart, *buyer, at=AT)
    invoice = order.invoice
    assert [(each.quantity, each.unit_minor) for each in invoice.lines.all()] == [
        (3, 79_00),
        (1, 49_00),
        (1, -23_70),
    ]
    one = Package.objects.get(slug="business")
    subscription = order.lines.get().subscription
    assert subscription.terms.channels == 3 * one.channels
    assert dict(subscription.terms.units) == {k: 3 * v for k, v in one.units.items()}
    assert subscription.credit_minor == 3 * world.price("business").credit_minor
    payments.pay(invoice, at=AT)
    renewals.bill(ON + timedelta(days=31), at=AT + timedelta(days=31))
    assert amounts(renewing.renewals()[0]) == [237_00, -23_70]
    assert invariants.violations() == []
