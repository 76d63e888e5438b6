"""Money that goes back to where a payment came from."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from billing.models.payment import Payment
from packages.desk.cells import amount
from packages.money import Money
from packages.states import Stateful


class Refund(Stateful):
    """One refund of a payment; `key` is the idempotency key that we give the gateway."""

    class Way(models.TextChoices):
        GATEWAY = "gateway", _("back the way it was paid")
        TRANSFER = "transfer", _("by bank transfer, sent by hand")
        OUTSIDE = "outside", _("made at the gateway by hand")
        UNDONE = "undone", _("booked wrongly: taken back to the bank entry")

    class State(models.TextChoices):
        REQUESTED = "requested", _("to be sent")
        PROCESSING = "processing", _("on its way")
        SUCCEEDED = "succeeded", _("refunded")
        FAILED = "failed", _("failed")
        PARKED = "parked", _("needs staff")

    MOVES = {
        State.REQUESTED: frozenset({State.PROCESSING, State.SUCCEEDED, State.FAILED}),
        State.PROCESSING: frozenset({State.SUCCEEDED, State.FAILED, State.PARKED}),
        State.PARKED: frozenset({State.PROCESSING, State.SUCCEEDED, State.FAILED}),
        # The payer's bank may send back days later what the gateway had sent.
        State.SUCCEEDED: frozenset({State.FAILED}),
    }
    # The gateway is asked about these, with the same key, until it says what became of them.
    ASKED = (State.REQUESTED, State.PROCESSING)

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    way = models.CharField(_("way"), max_length=10, choices=Way.choices)
    state = models.CharField(
        _("state"), max_length=12, choices=State.choices, default=State.REQUESTED
    )
    amount_minor = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    reason = models.CharField(_("reason"), max_length=250)
    external_id = models.CharField(_("id at the gateway"), max_length=80, null=True)
    reference = models.CharField(_("reference"), max_length=250, blank=True)
    created_at = models.DateTimeField(_("asked for on"))
    finished_at = models.DateTimeField(_("finished"), null=True)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    note = models.CharField(_("note"), max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        indexes = [
            models.Index(
                fields=["next_attempt_at", "id"],
                condition=Q(next_attempt_at__isnull=False),
                name="refund_to_send",
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["payment", "external_id"], name="refund_external_once"),
            models.CheckConstraint(name="refund_positive", condition=Q(amount_minor__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{amount(self.amount)} · {date_format(localtime(self.created_at))}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def clearing(self) -> str:
        """Return whose book the money leaves from."""
        return "bank_transfer" if self.way == self.Way.TRANSFER else self.payment.gateway
