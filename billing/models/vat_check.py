"""What the tax offices say about a VAT id, kept as the evidence for reverse charge."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from packages.states import Stateful


class VatCheck(Stateful):
    """One question about a VAT id, and its answer with the number under which it is on record."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        VALID = "valid", _("valid")
        INVALID = "invalid", _("not valid")

    MOVES = {State.WAITING: frozenset({State.VALID, State.INVALID})}

    vat_id = models.CharField(_("VAT number"), max_length=20)
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.WAITING
    )
    consultation = models.CharField(_("consultation number"), max_length=60, blank=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    address = models.CharField(_("address"), max_length=300, blank=True)
    simulated = models.BooleanField(_("simulated"), default=False)
    created_at = models.DateTimeField(_("asked"))
    answered_at = models.DateTimeField(_("answered"), null=True)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("VAT number check")
        verbose_name_plural = _("VAT number checks")
        indexes = [models.Index(fields=["vat_id", "answered_at"], name="vat_check_of_id")]
        constraints = [
            models.UniqueConstraint(
                fields=["vat_id"], condition=Q(state="waiting"), name="vat_check_one_waiting"
            ),
            models.CheckConstraint(
                name="vat_check_answered",
                condition=Q(state="waiting", answered_at__isnull=True)
                | (~Q(state="waiting") & Q(answered_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.vat_id}: {self.get_state_display()}"
