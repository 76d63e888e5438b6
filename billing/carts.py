"""The basket: lines by price, one currency, known by a token in the visitor's session."""

import uuid
from datetime import datetime

from django.db import transaction

from billing.models import Cart, CartLine, Customer, Subscription
from packages.models import Package, Price


class NotForSale(Exception):
    """The price is not on sale, or a top-up lacks a service of the customer's to credit."""


def find(token: str | None) -> Cart | None:
    """Return the basket with this token, None for an unknown or malformed one."""
    try:
        return Cart.objects.filter(token=uuid.UUID(token or "")).first()
    except ValueError:
        return None


def lines_of(cart: Cart) -> list[CartLine]:
    """Return the lines with everything a summary shows, in the order they were added."""
    return list(
        cart.lines.select_related("price__package__tariff", "subscription__account").order_by("id")
    )


def add(
    cart: Cart | None,
    price: Price,
    *,
    subscription: Subscription | None,
    at: datetime,
    quantity: int = 1,
) -> Cart:
    """Put a price into the basket (once) and return the basket; a new one where there was none.

    A line that is there already gets the new quantity, which is kept to what the package allows.
    Another currency empties the basket first, since an order has one. Raises NotForSale.
    """
    check(price, subscription)
    with transaction.atomic():
        if cart is None:
            cart = Cart.objects.create(currency=price.currency, updated_at=at)
        cart = Cart.objects.select_for_update().get(pk=cart.pk)
        if cart.currency != price.currency:
            cart.lines.all().delete()
        cart.currency, cart.updated_at = price.currency, at
        cart.save(update_fields=["currency", "updated_at"])
        CartLine.objects.update_or_create(
            cart=cart,
            price=price,
            subscription=subscription,
            defaults={"quantity": _allowed(price, quantity)},
        )
    return cart


def change(cart: Cart, line_id: int, quantity: int, *, at: datetime) -> None:
    """Set a line's quantity, kept to what its package allows; nothing if it is not there."""
    line = cart.lines.select_related("price__package").filter(pk=line_id).first()
    if line is not None:
        cart.lines.filter(pk=line_id).update(quantity=_allowed(line.price, quantity))
        Cart.objects.filter(pk=cart.pk).update(updated_at=at)


def remove(cart: Cart, line_id: int, *, at: datetime) -> None:
    """Take a line out of the basket; nothing happens if it is not there."""
    cart.lines.filter(pk=line_id).delete()
    Cart.objects.filter(pk=cart.pk).update(updated_at=at)


def foreign_lines(lines: list[CartLine], customer: Customer) -> list[CartLine]:
    """Return the top-ups that would credit somebody else's service; they must not be ordered."""
    return [
        line
        for line in lines
        if line.subscription is not None and line.subscription.customer_id != customer.pk
    ]


def check(price: Price, subscription: Subscription | None, quantity: int = 1) -> None:
    """Raise NotForSale unless so many can be ordered now, a top-up for a running service."""
    package = price.package
    if quantity != _allowed(price, quantity):
        raise NotForSale("quantity")
    if price.archived or package.archived:
        raise NotForSale("archived")
    if package.draft:
        raise NotForSale("draft")
    tops_up = package.kind == Package.Kind.TOP_UP
    if tops_up != (subscription is not None):
        raise NotForSale("needs a service" if tops_up else "is a service itself")
    if subscription is None:
        return
    if subscription.state != Subscription.State.ACTIVE or subscription.currency != price.currency:
        raise NotForSale("service cannot be topped up")


def _allowed(price: Price, quantity: int) -> int:
    return max(1, min(quantity, price.package.max_quantity))
