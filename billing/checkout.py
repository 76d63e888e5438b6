"""From the basket to a binding order with its invoice."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from billing import carts, coupons, emails, invoices, locks, subscriptions, top_up_limits
from billing.models import (
    Brand,
    Cart,
    CartLine,
    Customer,
    InvoiceLine,
    Order,
    OrderLine,
    Redemption,
    User,
)
from packages.models import Package, Price
from packages.money import Money
from packages.periods import RECURRING, period
from packages.states import record_change
from provisioning import pools


class EmptyCart(Exception):
    """There is nothing to order."""


class Changed(Exception):
    """The basket or a price is not what the customer saw; show the summary again."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What an order of this basket costs this customer today. Nothing of it is stored."""

    lines: tuple[CartLine, ...]
    priced: invoices.Priced
    coupon: coupons.Offer | None = None

    @property
    def total(self) -> Money:
        return self.priced.sums.total

    @property
    def fingerprint(self) -> str:
        """Name what the customer sees; the form sends it back, so that nothing else is ordered."""
        parts = [
            f"{line.price_id}:{line.subscription_id or 0}:{line.quantity}" for line in self.lines
        ]
        coupon = self.coupon.coupon.pk if self.coupon and not self.coupon.refusal else 0
        return f"{self.total.minor}{self.total.currency}|{','.join(parts)}|{coupon}"


def quote(cart: Cart, customer: Customer, brand: Brand, *, language: str, on: date) -> Quote:
    """Price the basket for a customer, stored or not. Raises EmptyCart, tax.NoRate."""
    lines = tuple(carts.lines_of(cart))
    if not lines:
        raise EmptyCart
    offered = coupons.offer(cart, lines, customer, on=on)
    charges = tuple(charge for line in lines for charge in _charges(line, offered, on))
    draft = invoices.Draft(customer, cart.currency, language, charges)
    return Quote(lines, invoices.price(draft, brand, on=on), offered)


def place(
    cart: Cart,
    customer: Customer,
    brand: Brand,
    *,
    placed_by: User,
    language: str,
    consents: dict[str, Any],
    seen: str,
    on: date,
    at: datetime,
) -> Order:
    """Turn the basket into an order with its issued invoice, all or nothing, and empty the basket.

    Its coupon is used with it, counted under the coupon's lock: never more often than allowed.

    `seen` is the fingerprint of the quote that the customer agreed to; Changed if it is another
    now. Placed twice (two tabs, a double click), the second call returns the first one's order.
    Raises EmptyCart, tax.NoRate, carts.NotForSale, and pools.NoServer when no dialler could take
    what is ordered.
    """
    placed = Order.objects.filter(checkout_key=cart.token).first()
    if placed is not None:
        return placed
    try:
        with transaction.atomic(), translation.override(language):
            return _place(
                cart,
                customer,
                brand,
                placed_by=placed_by,
                language=language,
                consents=consents,
                seen=seen,
                on=on,
                at=at,
            )
    except IntegrityError:
        # Another tab was faster; any other broken rule is not this one's business.
        placed = Order.objects.filter(checkout_key=cart.token).first()
        if placed is None:
            raise
        return placed


def _place(
    cart: Cart,
    customer: Customer,
    brand: Brand,
    *,
    placed_by: User,
    language: str,
    consents: dict[str, Any],
    seen: str,
    on: date,
    at: datetime,
) -> Order:
    actor = f"user:{placed_by.pk}"
    # The unique key is taken first: a second tab waits here, then finds the first one's order.
    order = Order.objects.create(
        checkout_key=cart.token,
        customer=customer,
        placed_by=placed_by,
        currency=cart.currency,
        language=language,
        consents=consents,
        placed_at=at,
    )
    record_change(order, before="", at=at, actor=actor, reason="placed")
    if cart.coupon_id is not None:
        locks.take_coupon(cart.coupon_id)
    quoted = quote(cart, customer, brand, language=language, on=on)
    if quoted.fingerprint != seen or carts.foreign_lines(list(quoted.lines), customer):
        raise Changed
    # A balance may pay at once; what then happens to a service needs its lock before the number.
    if any(line.subscription_id for line in quoted.lines):
        locks.take_of_customer(customer)
    charges = []
    for line in quoted.lines:
        carts.check(line.price, line.subscription, line.quantity)
        if line.subscription is not None:
            top_up_limits.admit(line.subscription, line.credit, at=at)
        order_line = _order_line(order, line, brand, at=at, actor=actor)
        redemption = coupons.redeem(quoted.coupon, line, order_line, at=at)
        charges += _charges(line, quoted.coupon, on, order_line, redemption)
    draft = invoices.Draft(customer, order.currency, language, tuple(charges), order)
    (invoice,) = invoices.issue([draft], brand, at=at, actor=actor)
    Cart.objects.filter(pk=cart.pk).delete()
    emails.order_placed(order, invoice, at=at)
    return order


def _order_line(
    order: Order, line: CartLine, brand: Brand, *, at: datetime, actor: str
) -> OrderLine:
    price, package = line.price, line.price.package
    kind = OrderLine.Kind.NEW
    subscription = line.subscription
    if subscription is not None:
        kind = OrderLine.Kind.TOP_UP
    else:
        pools.demand_seller(package, order.currency)
        subscription = subscriptions.plan(
            order.customer, price, quantity=line.quantity, zone=brand.zone, at=at, actor=actor
        )
    return OrderLine.objects.create(
        order=order,
        kind=kind,
        package=package,
        subscription=subscription,
        name=package.text("name"),
        cycle=price.cycle,
        quantity=line.quantity,
        amount_minor=line.amount.minor,
        setup_minor=price.setup_minor,
        credit_minor=line.credit.minor,
    )


def _charges(
    line: CartLine,
    offered: coupons.Offer | None,
    on: date,
    order_line: OrderLine | None = None,
    redemption: Redemption | None = None,
) -> list[invoices.Line]:
    """Return what a line costs now: its price (nothing during a trial), its set-up fee (once for
    any quantity), and below zero what a coupon takes off.
    """
    price, package = line.price, line.price.package
    name = package.text("name")
    subscription = order_line.subscription if order_line else None
    amount = Money.zero(price.currency) if package.trial_days else price.amount
    charges = [
        invoices.Line(
            _kind(package),
            _describe(line, name),
            amount,
            subscription,
            order_line,
            quantity=line.quantity,
        )
    ]
    if price.setup_minor:
        setup = _("%(package)s: set-up fee") % {"package": name}
        charges.append(
            invoices.Line(InvoiceLine.Kind.SETUP, setup, price.setup, subscription, order_line)
        )
    if offered is not None and offered.off.get(line.pk):
        charges.append(
            invoices.Line(
                InvoiceLine.Kind.DISCOUNT,
                coupons.describe(offered.coupon, name),
                -offered.off[line.pk],
                subscription,
                order_line,
                redemption=redemption,
            )
        )
    # Set-up fee and discount are taxed as what they belong to.
    return [replace(charge, supplied_on=_supplied_on(price, on)) for charge in charges]


def _supplied_on(price: Price, on: date) -> date | None:
    """Return the last day of the period that begins on that day; None where none is paid for."""
    if price.package.kind != Package.Kind.SUBSCRIPTION or price.package.trial_days:
        return None
    return period(on, price.cycle, 0).last_on if price.cycle in RECURRING else None


def _kind(package: Package) -> InvoiceLine.Kind:
    return {
        Package.Kind.SUBSCRIPTION: InvoiceLine.Kind.RECURRING,
        Package.Kind.PAY_AS_YOU_GO: InvoiceLine.Kind.PACKAGE,
        Package.Kind.TOP_UP: InvoiceLine.Kind.CREDIT,
    }[Package.Kind(package.kind)]


def _describe(line: CartLine, name: str) -> str:
    price, package = line.price, line.price.package
    if package.trial_days:
        words = {"package": name, "days": package.trial_days}
        return _("%(package)s: trial of %(days)s days from activation") % words
    if package.kind == Package.Kind.SUBSCRIPTION:
        words = {"package": name, "cycle": price.get_cycle_display()}
        return _("%(package)s, %(cycle)s: first period from activation") % words
    if line.subscription is not None and line.subscription.account is not None:
        words = {"package": name, "account": line.subscription.account.username}
        return _("%(package)s for account %(account)s") % words
    return name
