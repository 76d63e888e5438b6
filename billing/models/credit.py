"""The credit of an account in buckets: where it came from, what was used of it, when it lapses."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from provisioning.models import Account


class CreditBucket(models.Model):
    """Credit that was granted at once, for one cause: that of its job."""

    class Kind(models.TextChoices):
        # In the order in which they are used.
        RESETTING = "resetting", _("included, until the next renewal")
        PROMOTIONAL = "promotional", _("gift with an expiry")
        PERSISTING = "persisting", _("included")
        PAID = "paid", _("bought")

    account = models.ForeignKey(Account, models.PROTECT, related_name="buckets")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    cause = models.CharField(_("cause"), max_length=120, unique=True)
    currency = models.CharField(_("currency"), max_length=3)
    granted_minor = models.BigIntegerField(_("granted"))
    left_minor = models.BigIntegerField(_("left"))
    expires_on = models.DateField(
        _("expires"), null=True, help_text=_("The first day it is not valid any more.")
    )
    at = models.DateTimeField(_("granted at"))

    class Meta:
        ordering = ["id"]
        verbose_name = _("credit bucket")
        verbose_name_plural = _("credit buckets")
        indexes = [
            models.Index(
                fields=["expires_on"],
                condition=Q(left_minor__gt=0, expires_on__isnull=False),
                name="bucket_expiring",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="bucket_not_negative",
                condition=Q(left_minor__gte=0, left_minor__lte=F("granted_minor")),
            ),
            models.CheckConstraint(
                name="bucket_promotion_expires",
                condition=Q(kind="promotional", expires_on__isnull=False)
                | (~Q(kind="promotional") & Q(expires_on__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return self.cause


class BucketEntry(models.Model):
    """One change of a bucket; nothing of it is ever changed."""

    class Kind(models.TextChoices):
        GRANTED = "granted", _("granted")
        USED = "used", _("used")
        TAKEN_BACK = "taken_back", _("taken back")

    bucket = models.ForeignKey(CreditBucket, models.PROTECT, related_name="entries")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    amount_minor = models.BigIntegerField(_("amount"))
    cause = models.CharField(_("cause"), max_length=120)
    at = models.DateTimeField(_("booked"))

    class Meta:
        ordering = ["id"]
        verbose_name = _("credit entry")
        verbose_name_plural = _("credit entries")
        constraints = [
            models.UniqueConstraint(fields=["bucket", "kind", "cause"], name="bucket_entry_once"),
            models.CheckConstraint(
                name="bucket_entry_sign",
                condition=Q(kind="granted", amount_minor__gt=0)
                | (~Q(kind="granted") & Q(amount_minor__lt=0)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bucket}: {self.amount_minor}"
