"""Prices that change from a day on (PriceChange), and who was told so (PriceNotice)."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from billing.models.mail import Mail
from billing.models.price_campaign import Noticed, PriceCampaign
from billing.models.subscription import Subscription
from packages.models import Price
from packages.money import Money


class PriceChange(Noticed):
    """What a price will be from a day on, for new orders and, where staff say so, for all.

    Existing subscriptions follow from their first period on or after the day of which they were
    told in time; whom no notice has reached keeps the old price.
    """

    price = models.ForeignKey(
        Price, models.PROTECT, related_name="changes", verbose_name=_("price")
    )
    amount_minor = models.BigIntegerField(
        _("new price in minor units"), validators=[MinValueValidator(0)]
    )
    credit_minor = models.BigIntegerField(
        _("new included credit in minor units"), default=0, validators=[MinValueValidator(0)]
    )
    existing = models.BooleanField(
        _("also for existing subscriptions"),
        default=False,
        help_text=_("Off: who has bought keeps the price of that day."),
    )
    campaign = models.ForeignKey(
        PriceCampaign,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="changes",
        verbose_name=_("price campaign"),
    )
    applied_at = models.DateTimeField(_("in the catalogue since"), null=True, editable=False)

    class Meta:
        ordering = ["-effective_on", "-id"]
        verbose_name = _("price change")
        verbose_name_plural = _("price changes")
        constraints = [
            models.CheckConstraint(
                name="price_change_not_negative",
                condition=Q(amount_minor__gte=0, credit_minor__gte=0),
            ),
            models.UniqueConstraint(
                fields=["campaign", "price"], name="price_change_once_in_a_campaign"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.price} ({date_format(self.effective_on)})"

    def amount_of(self, subscription: Subscription) -> Money:
        return Money(self.amount_minor, subscription.currency).times(subscription.quantity)

    def credit_of(self, subscription: Subscription) -> Money:
        return Money(self.credit_minor, subscription.currency).times(subscription.quantity)


class PriceNotice(models.Model):
    """The mail that told a subscriber; the new price applies once it was sent early enough."""

    change = models.ForeignKey(PriceChange, models.PROTECT, related_name="notices")
    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="price_notices")
    mail = models.OneToOneField(Mail, models.PROTECT, related_name="price_notice")
    starts_on = models.DateField(_("new price from"))
    days = models.PositiveSmallIntegerField(_("days of notice"))
    applies_from = models.DateField(
        _("applied from"), null=True, help_text="The first period that was charged at it."
    )
    credit_before_minor = models.BigIntegerField(
        null=True, help_text="What the periods before it include, however late they are paid."
    )

    class Meta:
        ordering = ["id"]
        verbose_name = _("price notice")
        verbose_name_plural = _("price notices")
        constraints = [
            models.UniqueConstraint(fields=["change", "subscription"], name="price_notice_once")
        ]

    def __str__(self) -> str:
        return f"{self.change} · {self.subscription}"
