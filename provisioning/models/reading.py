"""What the dialler showed of an account, by the clock."""

from django.db import models
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from provisioning.models.account import Account


class Reading(models.Model):
    """What the dialler showed of an account at an instant. NULL is unknown, never zero.

    The row is written before the dialler is asked, so an account is read once per slot; one that
    nobody answered stays empty.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="readings")
    slot = models.DateTimeField(_("beginning of its interval"))
    at = models.DateTimeField(_("read"))
    balance_minor = models.BigIntegerField(_("balance"), null=True)
    units = models.JSONField(null=True, help_text="Included units that are left, by service.")
    used = models.JSONField(null=True, help_text="All campaigns' calls and messages, by service.")
    cost_minor = models.BigIntegerField(_("cost of all campaigns"), null=True)
    weighed_at = models.DateTimeField(null=True, help_text="When billing drew its conclusions.")

    class Meta:
        ordering = ["account", "slot"]
        verbose_name = _("reading")
        verbose_name_plural = _("readings")
        indexes = [
            models.Index(fields=["slot"], name="reading_slot"),
            models.Index(fields=["id"], condition=Q(weighed_at=None), name="reading_unweighed"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "slot"], name="reading_once"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {date_format(localtime(self.slot), 'DATETIME_FORMAT')}"
