"""A method that a customer gives without paying anything."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.models.customer import Customer
from packages.states import Stateful


class MethodSetup(Stateful):
    """A customer's visit to a gateway's page to keep a method; `key` is our idempotency key."""

    class State(models.TextChoices):
        CREATED = "created", _("started")
        SUCCEEDED = "succeeded", _("succeeded")
        CANCELLED = "cancelled", _("cancelled")

    MOVES = {
        State.CREATED: frozenset({State.SUCCEEDED, State.CANCELLED}),
        State.CANCELLED: frozenset({State.SUCCEEDED}),
    }

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="setups")
    gateway = models.CharField(_("gateway"), max_length=20)
    livemode = models.BooleanField()
    currency = models.CharField(_("currency"), max_length=3)
    state = models.CharField(
        _("state"), max_length=12, choices=State.choices, default=State.CREATED
    )
    external_id = models.CharField(_("id at the gateway"), max_length=80, null=True)
    redirect_url = models.TextField(blank=True)
    consent: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(_("consent"))
    created_at = models.DateTimeField(_("started"))
    next_check_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("visit to keep a method")
        verbose_name_plural = _("visits to keep a method")
        indexes = [
            models.Index(
                fields=["next_check_at", "id"],
                condition=Q(next_check_at__isnull=False),
                name="setup_to_check",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "livemode", "external_id"], name="setup_external_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.external_id or self.public_id}"
