"""Coupons: type a code into the basket, use it up with the order, take it off later invoices."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from billing.models import (
    Cart,
    CartLine,
    Coupon,
    CouponAmount,
    Customer,
    Order,
    OrderLine,
    Redemption,
    Subscription,
)
from billing.models.coupon import CODE
from packages.models import Package
from packages.money import Money, total


class Refused(Exception):
    """The coupon cannot be used here; the message tells the customer why."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a coupon takes off each line of a basket; `refusal` says why it takes off nothing."""

    coupon: Coupon
    off: Mapping[int, Money] = field(default_factory=dict)
    refusal: str = ""

    def covers(self, line: CartLine) -> bool:
        return line.pk in self.off


def enter(cart: Cart, code: str, customer: Customer, *, on: date, at: datetime) -> None:
    """Put a coupon into the basket in place of any other; raise Refused if it is of no use there.

    The customer may be one that is not stored yet; at the order everything is checked again.
    """
    code = code.strip()
    coupon = None
    if re.fullmatch(CODE, code):
        coupon = Coupon.objects.filter(code__iexact=code).first()
    if coupon is None:
        raise Refused(_("We do not know this code."))
    _check(coupon, _lines(cart), customer, currency=cart.currency, on=on)
    Cart.objects.filter(pk=cart.pk).update(coupon=coupon, updated_at=at)
    cart.coupon = coupon


def remove(cart: Cart, *, at: datetime) -> None:
    """Take the coupon out of the basket; nothing happens if there is none."""
    Cart.objects.filter(pk=cart.pk).update(coupon=None, updated_at=at)
    cart.coupon = None


def offer(cart: Cart, lines: Sequence[CartLine], customer: Customer, *, on: date) -> Offer | None:
    """Return what the basket's coupon takes off for this customer now, None without a coupon.

    Reads only. Under `locks.take_coupon` the answer is final.
    """
    coupon = Coupon.objects.filter(pk=cart.coupon_id).first() if cart.coupon_id else None
    if coupon is None:
        return None
    try:
        terms, covered = _check(coupon, lines, customer, currency=cart.currency, on=on)
    except Refused as refused:
        return Offer(coupon, refusal=str(refused))
    return Offer(coupon, {line.pk: terms.of(_charged(coupon, line)) for line in covered})


def redeem(
    offered: Offer | None, line: CartLine, order_line: OrderLine, *, at: datetime
) -> Redemption | None:
    """Write down that the order's line uses the coupon; None where it is not for this line.

    Needs the coupon's lock, and an offer that was made under it.
    """
    if offered is None or not offered.covers(line):
        return None
    order = order_line.order
    redemption = _terms(offered.coupon, order.currency)
    redemption.customer, redemption.order_line = order.customer, order_line
    redemption.subscription = order_line.subscription
    redemption.created_at = at
    redemption.save(force_insert=True)
    return redemption


def release(order: Order, *, at: datetime) -> None:
    """Give the coupon of an order back of which nothing was delivered; needs the order's lock."""
    unused = Redemption.objects.filter(order_line__order=order, released_at__isnull=True)
    unused.update(released_at=at)


def running(charged: Iterable[Subscription]) -> dict[int, Redemption]:
    """Return the redemption that lowers each subscription's next renewal; one query for them all.

    The subscriptions are as the renewal charges them. Each invoice with a discount is one of its
    cycles, whatever became of the invoice. What was exchanged for something that the coupon is not
    for is not lowered.
    """
    by_id = {each.pk: each for each in charged}
    used = Count("discounts", filter=Q(discounts__corrects__isnull=True))
    packages = Coupon.packages.through.objects.filter(coupon=OuterRef("coupon"))
    rows = Redemption.objects.filter(
        subscription__in=list(by_id),
        order_line__kind=OrderLine.Kind.NEW,
        released_at__isnull=True,
    ).select_related("coupon")
    rows = rows.annotate(
        used=used,
        packages=ArraySubquery(packages.values("package")),
        ordered_package=F("order_line__package"),
        ordered_cycle=F("order_line__cycle"),
    )
    return {
        row.subscription_id: row
        for row in rows.order_by("id")
        if (row.cycles is None or row.used < row.cycles)
        and _still_fits(row, by_id[row.subscription_id])
    }


def uses(coupon: Coupon) -> int:
    """Return how many orders use the coupon; what was given back does not count."""
    return _orders(coupon).count()


def uses_of_one(coupon: Coupon) -> int:
    """Return how many orders of one customer use the coupon, of whoever has most."""
    rows = Redemption.objects.filter(coupon=coupon, released_at__isnull=True).order_by()
    counts = rows.values("customer").annotate(n=Count("order_line__order", distinct=True))
    return max(counts.values_list("n", flat=True), default=0)


def describe(coupon: Coupon, package: str) -> str:
    """Return the text of a discount's invoice line, in the active language."""
    return _("Discount %(code)s: %(package)s") % {"code": coupon.code, "package": package}


def _lines(cart: Cart) -> list[CartLine]:
    return list(cart.lines.select_related("price__package"))


def _check(
    coupon: Coupon, lines: Sequence[CartLine], customer: Customer, *, currency: str, on: date
) -> tuple[Redemption, list[CartLine]]:
    """Return the coupon's terms and the lines they are for; raise Refused."""
    if not coupon.active or (coupon.valid_until is not None and on > coupon.valid_until):
        raise Refused(_("This code has expired."))
    if coupon.valid_from is not None and on < coupon.valid_from:
        raise Refused(_("This code is not valid yet."))
    covered = _covered(coupon, lines)
    if not covered:
        raise Refused(_("This code is not for what is in your cart."))
    terms = _terms(coupon, currency)
    if terms.percent_bp is None and not terms.amount_minor:
        raise Refused(_("This code is not for this currency."))
    _check_minimum(coupon, covered, currency)
    _check_limits(coupon, customer)
    return terms, covered


def _check_minimum(coupon: Coupon, covered: Sequence[CartLine], currency: str) -> None:
    least = _amount(coupon, currency)
    if least is None:
        return
    ordered = total((line.amount for line in covered), currency)
    if ordered < Money(least.minimum_minor, currency):
        raise Refused(_("Your cart is below the smallest order for this code."))


def _check_limits(coupon: Coupon, customer: Customer) -> None:
    orders = _orders(coupon)
    if coupon.max_orders is not None and orders.count() >= coupon.max_orders:
        raise Refused(_("This code has been used up."))
    if customer._state.adding:
        return
    mine = orders.filter(customer=customer).count()
    if coupon.max_orders_each is not None and mine >= coupon.max_orders_each:
        raise Refused(_("You have used this code already."))
    earlier = Order.objects.filter(customer=customer).exclude(state=Order.State.CANCELLED)
    if coupon.new_customers and earlier.filter(invoice__isnull=False).exists():
        raise Refused(_("This code is for first orders only."))


def _orders(coupon: Coupon) -> QuerySet[Order]:
    rows = Redemption.objects.filter(coupon=coupon, released_at__isnull=True)
    return Order.objects.filter(lines__redemption__in=rows).distinct()


def _still_fits(row: Any, charged: Subscription) -> bool:
    """Say whether a coupon is for the service as it is charged; what was ordered is on its day's
    terms.
    """
    cycles = row.coupon.billing_cycles
    if (charged.package_id, charged.cycle) == (row.ordered_package, row.ordered_cycle):
        return True
    covers = not row.packages or charged.package_id in row.packages
    return covers and (not cycles or charged.cycle in cycles)


def _covered(coupon: Coupon, lines: Sequence[CartLine]) -> list[CartLine]:
    packages = set(coupon.packages.values_list("pk", flat=True))
    return [line for line in lines if _fits(coupon, line, packages)]


def _fits(coupon: Coupon, line: CartLine, packages: set[int]) -> bool:
    price = line.price
    if packages and price.package_id not in packages:
        return False
    if coupon.billing_cycles and price.cycle not in coupon.billing_cycles:
        return False
    return coupon.covers_top_ups or price.package.kind != Package.Kind.TOP_UP


def _charged(coupon: Coupon, line: CartLine) -> Money:
    """Return what the order charges for the line of what the coupon is for."""
    price = line.price
    charged = Money.zero(price.currency) if price.package.trial_days else line.amount
    return charged + price.setup if coupon.covers_setup else charged


def _terms(coupon: Coupon, currency: str) -> Redemption:
    """Return what the coupon takes off, as a redemption that is not stored yet."""
    amount = _amount(coupon, currency)
    return Redemption(
        coupon=coupon,
        currency=currency,
        percent_bp=coupon.percent_bp,
        amount_minor=amount.amount_minor if amount else 0,
        cycles=coupon.cycles,
    )


def _amount(coupon: Coupon, currency: str) -> CouponAmount | None:
    return coupon.amounts.filter(currency=currency).first()
