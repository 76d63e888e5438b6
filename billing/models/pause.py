"""A time in which nothing is said or done about what is not paid."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from billing.models.customer import Customer
from billing.models.invoice import Invoice
from billing.models.subscription import Subscription


class Pause(models.Model):
    """Staff's word that dunning rests from `from_on` until the day before `until_on`.

    It concerns one invoice, one service or everything of a customer. Never deleted: it says why
    nothing happened on those days.
    """

    invoice = models.ForeignKey(Invoice, models.PROTECT, null=True, related_name="pauses")
    subscription = models.ForeignKey(Subscription, models.PROTECT, null=True, related_name="pauses")
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="pauses")
    from_on = models.DateField(_("from"))
    until_on = models.DateField(_("until"), help_text=_("The first day on which dunning goes on."))
    reason = models.CharField(_("reason"), max_length=250)
    actor = models.CharField(_("by"), max_length=80)
    at = models.DateTimeField(_("entered"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("pause of dunning")
        verbose_name_plural = _("pauses of dunning")
        constraints = [
            models.CheckConstraint(
                name="pause_of_one_thing",
                condition=Q(invoice__isnull=False, subscription__isnull=True, customer__isnull=True)
                | Q(invoice__isnull=True, subscription__isnull=False, customer__isnull=True)
                | Q(invoice__isnull=True, subscription__isnull=True, customer__isnull=False),
            ),
            models.CheckConstraint(
                name="pause_not_backwards", condition=Q(until_on__gte=F("from_on"))
            ),
        ]

    def __str__(self) -> str:
        whose = self.invoice or self.subscription or self.customer
        days = f"{date_format(self.from_on)} – {date_format(self.until_on)}"
        return f"{whose} · {days}" if whose else days
