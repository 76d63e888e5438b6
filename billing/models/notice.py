"""What was said and done about an unpaid invoice; the evidence of every step of dunning."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.invoice import Invoice
from billing.models.mail import Mail


class Notice(models.Model):
    """One step of the timetable, taken for one invoice; never twice. `mail` is what we wrote."""

    class Step(models.TextChoices):
        REMINDER = "reminder", _("reminder before the due date")
        FIRST = "overdue_first", _("first notice")
        SECOND = "overdue_second", _("second notice, announces the suspension")
        SUSPENDED = "suspended", _("suspended")
        WARNING = "revocation_warning", _("warning before the end")
        ENDED = "ended", _("ended")

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="notices")
    step = models.CharField(_("step"), max_length=20, choices=Step.choices)
    on = models.DateField(_("day"))
    mail = models.ForeignKey(Mail, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("taken"))

    class Meta:
        ordering = ["id"]
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [
            models.UniqueConstraint(fields=["invoice", "step"], name="notice_once"),
            models.UniqueConstraint(fields=["invoice", "on"], name="notice_one_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.invoice}: {self.get_step_display()}"
