"""What a visitor has in mind (Cart) and what a customer has ordered (Order)."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.customer import Customer, User
from packages.models import Cycle, Package, Price
from packages.money import Money
from packages.states import Stateful


class Cart(models.Model):
    """A basket known by a token in the visitor's session; one currency."""

    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    currency = models.CharField(max_length=3)
    coupon = models.ForeignKey("Coupon", models.SET_NULL, null=True)
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.token)


class CartLine(models.Model):
    """A price in the basket. A top-up says which subscription's account it will credit."""

    cart = models.ForeignKey(Cart, models.CASCADE, related_name="lines")
    price = models.ForeignKey(Price, models.CASCADE)
    subscription = models.ForeignKey("Subscription", models.CASCADE, null=True, blank=True)
    quantity = models.PositiveSmallIntegerField(default=1)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["cart", "price", "subscription"],
                name="cart_line_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return str(self.price)

    @property
    def amount(self) -> Money:
        """Return the catalogue price of the whole line, without its set-up fee."""
        return self.price.amount.times(self.quantity)

    @property
    def credit(self) -> Money:
        return self.price.credit.times(self.quantity)


class Order(Stateful):
    """A binding order. It carries everything agreed at that moment; prices never change
    afterwards.
    """

    class State(models.TextChoices):
        PLACED = "placed", _("waiting for payment")
        FULFILLED = "fulfilled", _("paid and passed on")
        CANCELLED = "cancelled", _("cancelled")

    MOVES = {
        State.PLACED: frozenset({State.FULFILLED, State.CANCELLED}),
        # A payment may arrive after the order was given up; the customer then gets what was paid.
        State.CANCELLED: frozenset({State.FULFILLED}),
    }

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    checkout_key = models.UUIDField(_("checkout"), unique=True, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="orders")
    placed_by = models.ForeignKey(User, models.PROTECT, null=True)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.PLACED)
    currency = models.CharField(_("currency"), max_length=3)
    language = models.CharField(_("language"), max_length=5)
    consents = models.JSONField(_("consents"), default=dict)
    placed_at = models.DateTimeField(_("placed"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("order")
        verbose_name_plural = _("orders")

    def __str__(self) -> str:
        return f"#{self.pk}"


class OrderLine(models.Model):
    """One package of an order, with a snapshot of its name and price; a top-up of a free amount
    has no package.

    Amount and credit are those of the whole quantity; an account is set up once.
    """

    class Kind(models.TextChoices):
        NEW = "new", _("new service")
        TOP_UP = "top_up", _("top-up")
        EXCHANGE = "exchange", _("exchange")
        RETURN = "return", _("return")

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    package = models.ForeignKey(Package, models.PROTECT, null=True)
    subscription = models.ForeignKey("Subscription", models.PROTECT, related_name="order_lines")
    name = models.CharField(_("name"), max_length=80)
    cycle = models.CharField(_("billing cycle"), max_length=12, choices=Cycle.choices)
    quantity = models.PositiveSmallIntegerField(_("quantity"), default=1)
    amount_minor = models.BigIntegerField()
    setup_minor = models.BigIntegerField(default=0)
    credit_minor = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="order_line_not_negative",
                condition=models.Q(amount_minor__gte=0, setup_minor__gte=0, credit_minor__gte=0),
            ),
            models.CheckConstraint(
                name="order_line_has_package",
                condition=models.Q(kind="top_up") | models.Q(package__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def credit(self) -> Money:
        return Money(self.credit_minor, self.order.currency)
