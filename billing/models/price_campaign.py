"""Several prices that change on one day (PriceCampaign), and by how much each (CampaignPrice)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from packages.models import Price
from packages.money import Money
from packages.states import Stateful


class Noticed(Stateful):
    """What changes prices from a day on, and how long before subscribers are told."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        CONFIRMED = "confirmed", _("confirmed")
        WITHDRAWN = "withdrawn", _("withdrawn")

    MOVES = {
        State.DRAFT: frozenset({State.CONFIRMED, State.WITHDRAWN}),
        State.CONFIRMED: frozenset({State.WITHDRAWN}),
    }

    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.DRAFT)
    effective_on = models.DateField(_("in force from"))
    notice_days = models.PositiveSmallIntegerField(
        _("days of notice"),
        null=True,
        blank=True,
        help_text=_("Empty, or fewer than the brand's: as many as the brand's page says."),
    )

    class Meta:
        abstract = True

    def days(self, least: int) -> int:
        """Return how many days before it applies subscribers are told; `least` is the shop's."""
        return max(least, self.notice_days or 0)


class PriceCampaign(Noticed):
    """Prices that change together. Confirmed, each has its price change, told and applied as others
    are.
    """

    name = models.CharField(_("name"), max_length=80, help_text=_("For staff alone."))
    existing = models.BooleanField(
        _("also for existing subscriptions"),
        default=True,
        help_text=_("Off: who has bought keeps the price of that day."),
    )

    class Meta:
        ordering = ["-effective_on", "-id"]
        verbose_name = _("price campaign")
        verbose_name_plural = _("price campaigns")

    def __str__(self) -> str:
        return f"{self.name} ({date_format(self.effective_on)})"


class CampaignPrice(models.Model):
    """A price of a campaign, and by how much it changes: a percentage or an amount."""

    campaign = models.ForeignKey(PriceCampaign, models.CASCADE, related_name="prices")
    price = models.ForeignKey(
        Price, models.PROTECT, related_name="campaigns", verbose_name=_("price")
    )
    percent_bp = models.IntegerField(null=True)
    step_minor = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("price of a campaign")
        verbose_name_plural = _("prices of the campaign")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "price"], name="campaign_price_once"),
            models.CheckConstraint(
                name="campaign_price_percent_or_amount",
                condition=Q(percent_bp=None, step_minor__isnull=False)
                | Q(percent_bp__isnull=False, step_minor=None),
            ),
        ]

    def __str__(self) -> str:
        return str(self.price)

    @property
    def after(self) -> Money:
        """Return what the price becomes from what it is now, half a unit up."""
        now = self.price.amount
        if self.percent_bp is not None:
            return now + now.percent(self.percent_bp)
        return now + Money(self.step_minor or 0, now.currency)
