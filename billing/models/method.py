"""Means of payment that a customer let us keep, so that we may charge them later."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.models.customer import Customer
from packages.states import Stateful


class PaymentMethod(Stateful):
    """A saved card (or the like) at a gateway. Its token is sealed, and only it may charge.

    `account` and `livemode` say where the token is good: another account's is worth nothing.
    """

    class State(models.TextChoices):
        ACTIVE = "active", _("ready")
        FAILED = "failed", _("declined for good")
        REMOVED = "removed", _("removed")

    # A customer who pays with the same card again, and lets us keep it, brings it back.
    MOVES = {
        State.ACTIVE: frozenset({State.FAILED, State.REMOVED}),
        State.FAILED: frozenset({State.ACTIVE, State.REMOVED}),
        State.REMOVED: frozenset({State.ACTIVE}),
    }

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="methods")
    gateway = models.CharField(_("gateway"), max_length=20)
    account = models.CharField(_("account"), max_length=60)
    livemode = models.BooleanField(_("live mode"), default=False)
    token_sealed = models.BinaryField()
    token_digest = models.BinaryField(max_length=32)
    kind = models.CharField(_("kind"), max_length=20)
    brand = models.CharField(_("brand"), max_length=40)
    last4 = models.CharField(_("last digits"), max_length=4)
    expires_on = models.DateField(_("expires"), null=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.ACTIVE)
    is_default = models.BooleanField(_("charged automatically"), default=False)
    consent: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(
        _("consent"), default=dict
    )
    created_at = models.DateTimeField(_("saved"))
    forgotten_at = models.DateTimeField(
        _("let go at the gateway"), null=True, help_text="A removed one is let go there as well."
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = _("saved payment method")
        verbose_name_plural = _("saved payment methods")
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "account", "livemode", "token_digest"],
                name="payment_method_once",
            ),
            models.UniqueConstraint(
                fields=["customer"],
                condition=Q(is_default=True),
                name="payment_method_one_default",
            ),
            models.CheckConstraint(
                name="payment_method_default_is_active",
                condition=Q(is_default=False) | Q(state="active"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.brand} •••• {self.last4}" if self.last4 else self.brand

    @property
    def purpose(self) -> str:
        """Return what its token is sealed for: this row and no other."""
        return f"payment-method:{self.public_id}"

    def is_expired(self, on: date) -> bool:
        return self.expires_on is not None and self.expires_on < on
