"""What was said and done about an unpaid invoice; the evidence of every step of dunning."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.invoice import Invoice
from billing.models.mail import Mail
from billing.models.timetable import Timetable
from packages.money import Money
from provisioning.models import Job


class Notice(models.Model):
    """One step of a timetable, taken for one invoice; never twice. Kept as evidence:

    `mail` is what we wrote (its state says whether it arrived), `due_minor` what was owed then,
    `timetable` and `days` the rule; its jobs at the dialler name it in their cause.
    """

    class Step(models.TextChoices):
        REMINDER = "reminder", _("reminder before the due date")
        FIRST = "overdue_first", _("first notice")
        SECOND = "overdue_second", _("second notice, announces the suspension")
        SUSPENDED = "suspended", _("suspended")
        WARNING = "revocation_warning", _("warning before the end")
        ENDED = "ended", _("ended")

    invoice = models.ForeignKey(
        Invoice, models.PROTECT, related_name="notices", verbose_name=_("invoice")
    )
    step = models.CharField(_("step"), max_length=20, choices=Step.choices)
    on = models.DateField(_("day"))
    mail = models.ForeignKey(Mail, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("taken"))
    due_minor = models.BigIntegerField(_("owed"), default=0)
    timetable = models.ForeignKey(
        Timetable, models.PROTECT, null=True, related_name="+", verbose_name=_("timetable")
    )
    days = models.SmallIntegerField(_("days after the due date"), default=0)

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

    @property
    def due(self) -> Money:
        """Return what was owed on the invoice when the step was taken."""
        return Money(self.due_minor, self.invoice.currency)

    @property
    def cause(self) -> str:
        """Return what the causes of its jobs begin with."""
        return f"invoice-{self.invoice_id}:{self.step}:"

    @property
    def jobs(self) -> models.QuerySet[Job]:
        """Return what the step asked of the dialler."""
        return Job.objects.filter(cause__startswith=self.cause)
