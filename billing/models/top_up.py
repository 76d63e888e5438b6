"""Buying credit of any amount: what may be bought at once and together, and who may buy more."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from billing.models.customer import Customer
from packages.money import Money

POSITIVE = [MinValueValidator(1)]
NOT_NEGATIVE = [MinValueValidator(0)]


class TopUpTerms(models.Model):
    """The limits of top-ups in one currency. Without a row, only packages can be bought."""

    currency = models.CharField(_("currency"), max_length=3, unique=True)
    min_minor = models.BigIntegerField(
        _("smallest amount in minor units"), validators=POSITIVE, help_text=_("Of one top-up.")
    )
    max_minor = models.BigIntegerField(
        _("largest amount in minor units"), validators=POSITIVE, help_text=_("Of one top-up.")
    )
    balance_minor = models.BigIntegerField(
        _("most credit of an account in minor units"),
        validators=POSITIVE,
        help_text=_("With what is bought and not yet credited."),
    )
    new_days = models.PositiveSmallIntegerField(
        _("a customer is new for days"),
        default=30,
        help_text=_("Counted from the first payment. Zero: nobody is new."),
    )
    new_day_minor = models.BigIntegerField(
        _("new customers: top-ups of 24 hours in minor units"), validators=NOT_NEGATIVE
    )
    new_month_minor = models.BigIntegerField(
        _("new customers: top-ups of 30 days in minor units"), validators=NOT_NEGATIVE
    )
    new_balance_minor = models.BigIntegerField(
        _("new customers: most credit of an account in minor units"), validators=NOT_NEGATIVE
    )
    low_minor = models.BigIntegerField(
        _("low balance in minor units"),
        default=0,
        validators=NOT_NEGATIVE,
        help_text=_("Below it the customer gets a mail, unless they chose another sum. Zero: no."),
    )

    class Meta:
        ordering = ["currency"]
        verbose_name = _("terms of top-ups")
        verbose_name_plural = _("terms of top-ups")
        constraints = [
            models.CheckConstraint(
                name="top_up_terms_make_sense",
                condition=Q(min_minor__gt=0)
                & Q(max_minor__gte=F("min_minor"))
                & Q(balance_minor__gte=F("max_minor"))
                & Q(new_day_minor__gte=0, new_month_minor__gte=0, new_balance_minor__gte=0)
                & Q(low_minor__gte=0),
            )
        ]

    def __str__(self) -> str:
        return self.currency

    @property
    def smallest(self) -> Money:
        return Money(self.min_minor, self.currency)

    @property
    def largest(self) -> Money:
        return Money(self.max_minor, self.currency)


class TopUpLimit(models.Model):
    """Staff's word on one customer's top-ups; the latest counts, the others are its history."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="top_up_limits")
    currency = models.CharField(_("currency"), max_length=3)
    day_minor = models.BigIntegerField(_("top-ups of 24 hours in minor units"))
    month_minor = models.BigIntegerField(_("top-ups of 30 days in minor units"))
    balance_minor = models.BigIntegerField(_("most credit of an account in minor units"))
    reason = models.CharField(_("reason"), max_length=250)
    actor = models.CharField(_("actor"), max_length=80)
    at = models.DateTimeField(_("since"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("top-up limit of a customer")
        verbose_name_plural = _("top-up limits of customers")
        constraints = [
            models.CheckConstraint(
                name="top_up_limit_not_negative",
                condition=Q(day_minor__gte=0, month_minor__gte=0, balance_minor__gte=0),
            )
        ]

    def __str__(self) -> str:
        return f"{self.customer}: {self.currency}"
