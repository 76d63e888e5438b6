"""Credit that is bought by itself when it runs low."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from billing.models.order import Order
from billing.models.subscription import Subscription
from packages.money import Money
from packages.states import Stateful


class AutoTopUp(Stateful):
    """A customer's standing order: below so much credit, buy so much, at most so much a month."""

    class State(models.TextChoices):
        ON = "on", _("on")
        OFF = "off", _("off")

    # From on to on: other sums were agreed to.
    MOVES = {
        State.ON: frozenset({State.ON, State.OFF}),
        State.OFF: frozenset({State.ON}),
    }

    subscription = models.OneToOneField(
        Subscription, models.PROTECT, related_name="auto_top_up", verbose_name=_("subscription")
    )
    state = models.CharField(_("state"), max_length=4, choices=State.choices, default=State.ON)
    below_minor = models.BigIntegerField(_("below"))
    amount_minor = models.BigIntegerField(_("buys"))
    month_minor = models.BigIntegerField(_("at most in a calendar month"))
    consent: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(_("consent"))
    agreed_at = models.DateTimeField(_("agreed"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("automatic top-up")
        verbose_name_plural = _("automatic top-ups")
        constraints = [
            models.CheckConstraint(
                name="auto_top_up_within_month",
                condition=Q(below_minor__gt=0, amount_minor__gt=0)
                & Q(month_minor__gte=F("amount_minor")),
            )
        ]

    def __str__(self) -> str:
        return str(self.subscription)

    @property
    def below(self) -> Money:
        return Money(self.below_minor, self.subscription.currency)

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.subscription.currency)

    @property
    def month(self) -> Money:
        return Money(self.month_minor, self.subscription.currency)


class AutoPurchase(models.Model):
    """One automatic order, and the reading of the balance that was its cause."""

    auto = models.ForeignKey(AutoTopUp, models.PROTECT, related_name="purchases")
    order = models.OneToOneField(Order, models.PROTECT, related_name="auto_purchase")
    read_at = models.DateTimeField(_("balance read"))
    on = models.DateField(_("day"))
    amount_minor = models.BigIntegerField(_("amount"))
    month_minor = models.BigIntegerField(_("ceiling of the month then"))
    charge_again_at = models.DateTimeField(_("charge again at"), null=True)
    closed_at = models.DateTimeField(_("credited or taken back"), null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("automatic purchase")
        verbose_name_plural = _("automatic purchases")
        constraints = [
            models.UniqueConstraint(fields=["auto", "read_at"], name="auto_purchase_once"),
            models.UniqueConstraint(
                fields=["auto"],
                condition=Q(closed_at__isnull=True),
                name="auto_purchase_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.auto}: {date_format(self.on)}"
