"""Bought credit that was given back."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from billing.models.invoice import Invoice
from billing.models.order import OrderLine
from packages.states import Stateful


class TopUpRefund(Stateful):
    """Bought credit that staff give back: first it leaves the dialler, then it is credited.

    The amount is what may be taken at most; how much it was, is in the job and the credit note.
    """

    class State(models.TextChoices):
        ASKED = "asked", _("being taken back at the dialler")
        TAKEN = "taken", _("taken back, to be credited")
        CREDITED = "credited", _("credited")
        NOTHING = "nothing", _("nothing was left, or it was called off")

    MOVES = {
        State.ASKED: frozenset({State.TAKEN, State.NOTHING}),
        State.TAKEN: frozenset({State.CREDITED, State.NOTHING}),
    }

    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="refunds")
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.ASKED)
    most_minor = models.BigIntegerField(_("at most"))
    taken_minor = models.BigIntegerField(_("taken back"), null=True)
    reason = models.CharField(_("reason"), max_length=250)
    note = models.OneToOneField(
        Invoice, models.PROTECT, null=True, related_name="+", verbose_name=_("credit note")
    )
    at = models.DateTimeField(_("asked"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("refund of credit")
        verbose_name_plural = _("refunds of credit")
        constraints = [
            models.UniqueConstraint(
                fields=["line"],
                condition=Q(state__in=("asked", "taken")),
                name="top_up_refund_one_open",
            ),
            models.CheckConstraint(
                name="top_up_refund_within_most",
                condition=Q(most_minor__gt=0)
                & (
                    Q(state="asked", taken_minor__isnull=True, note__isnull=True)
                    | Q(state="nothing", note__isnull=True)
                    | Q(state="taken", taken_minor__gt=0, taken_minor__lte=F("most_minor"))
                    | Q(
                        state="credited",
                        taken_minor__gt=0,
                        taken_minor__lte=F("most_minor"),
                        note__isnull=False,
                    )
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.line}: {self.get_state_display()}"
