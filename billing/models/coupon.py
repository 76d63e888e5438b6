"""Codes that make things cheaper (Coupon), and who has used them for what (Redemption)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from billing.models.customer import Customer
from billing.models.order import OrderLine
from billing.models.subscription import Subscription
from packages.models import Cycle, Package
from packages.money import BASIS, Money

CODE = r"[A-Za-z0-9_-]{1,40}"


class Coupon(models.Model):
    """A code, what it takes off, and its limits. Who used it keeps the terms of that day."""

    code = models.CharField(
        _("code"),
        max_length=40,
        validators=[RegexValidator(rf"^{CODE}\Z", _("Use letters, digits, - and _ only."))],
        help_text=_("Customers may type it in capitals or not."),
    )
    percent_bp = models.PositiveIntegerField(
        _("discount in hundredths of a percent"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(BASIS)],
        help_text=_("1000 is 10 %. Empty for a fixed amount, which is entered per currency below."),
    )
    cycles = models.PositiveSmallIntegerField(
        _("number of invoices"),
        null=True,
        blank=True,
        default=1,
        validators=[MinValueValidator(1)],
        help_text=_("1 is once, with the order; empty is for as long as the service renews."),
    )
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_until = models.DateField(_("valid until (last day)"), null=True, blank=True)
    packages = models.ManyToManyField(
        Package, blank=True, verbose_name=_("packages"), help_text=_("None means all.")
    )
    billing_cycles = ArrayField(
        models.CharField(max_length=12, choices=Cycle.choices),
        default=list,
        blank=True,
        verbose_name=_("billing cycles"),
    )
    new_customers = models.BooleanField(
        _("first orders only"), default=False, help_text=_("Only who has never ordered before.")
    )
    max_orders = models.PositiveIntegerField(
        _("orders in all"), null=True, blank=True, help_text=_("Empty means as many as come.")
    )
    max_orders_each = models.PositiveIntegerField(
        _("orders per customer"), null=True, blank=True, default=1
    )
    covers_setup = models.BooleanField(_("also for set-up fees"), default=False)
    covers_top_ups = models.BooleanField(_("also for top-ups"), default=False)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("coupon")
        verbose_name_plural = _("coupons")
        constraints = [models.UniqueConstraint(Upper("code"), name="coupon_code_once")]

    def __str__(self) -> str:
        return self.code


class CouponAmount(models.Model):
    """What a coupon takes off in a currency, and from which sum of an order on."""

    coupon = models.ForeignKey(Coupon, models.CASCADE, related_name="amounts")
    currency = models.CharField(_("currency"), max_length=3)
    amount_minor = models.BigIntegerField(
        _("discount in minor units"),
        default=0,
        validators=[MinValueValidator(0)],
        help_text=_("For each service and invoice; 0 where a percentage is given."),
    )
    minimum_minor = models.BigIntegerField(
        _("smallest order in minor units"), default=0, validators=[MinValueValidator(0)]
    )

    class Meta:
        verbose_name = _("amount")
        verbose_name_plural = _("amounts by currency")
        constraints = [
            models.UniqueConstraint(fields=["coupon", "currency"], name="coupon_amount_once")
        ]

    def __str__(self) -> str:
        return f"{self.coupon} {self.currency}"


class Redemption(models.Model):
    """A coupon used for a line of an order, on the terms of that day.

    Each discount is an invoice line that names it. It is given back (`released_at`) when the order
    is cancelled before anything was delivered.
    """

    coupon = models.ForeignKey(
        Coupon, models.PROTECT, related_name="redemptions", verbose_name=_("coupon")
    )
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="redemptions")
    order_line = models.OneToOneField(OrderLine, models.PROTECT, related_name="redemption")
    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="redemptions")
    currency = models.CharField(max_length=3)
    percent_bp = models.PositiveIntegerField(null=True)
    amount_minor = models.BigIntegerField(default=0)
    cycles = models.PositiveSmallIntegerField(null=True)
    created_at = models.DateTimeField(_("redeemed"))
    released_at = models.DateTimeField(_("given back"), null=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("redemption")
        verbose_name_plural = _("redemptions")
        constraints = [
            models.CheckConstraint(
                name="redemption_takes_off",
                condition=Q(percent_bp__gt=0, percent_bp__lte=BASIS, percent_bp__isnull=False)
                | Q(percent_bp__isnull=True, amount_minor__gt=0),
            )
        ]

    def __str__(self) -> str:
        return f"{self.coupon} · {self.order_line}"

    def of(self, price: Money) -> Money:
        """Return what is taken off a price: never more than the price itself."""
        if self.percent_bp is not None:
            return price.percent(self.percent_bp)
        return min(Money(self.amount_minor, self.currency), price)
