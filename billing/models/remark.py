"""What staff want each other to know about a customer."""

from __future__ import annotations

from textwrap import shorten

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.customer import Customer
from packages.desk import reasons


class Remark(models.Model):
    """A text for staff alone; written once, with its author."""

    customer = models.ForeignKey(
        Customer, models.PROTECT, related_name="remarks", verbose_name=_("customer")
    )
    text = models.TextField(_("text"))
    actor = models.CharField(_("by"), max_length=80)
    at = models.DateTimeField(_("entered"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("remark")
        verbose_name_plural = _("remarks")

    def __str__(self) -> str:
        return shorten(reasons.told(self.text), 60, placeholder=" …")
