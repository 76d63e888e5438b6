"""A customer's account at a dialler, and the one-time links to its password."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from packages.states import Stateful
from provisioning.models.pool import Pool
from provisioning.models.server import Server


class Account(Stateful):
    """A customer's account at the dialler: what it should be, and whether it runs."""

    class State(models.TextChoices):
        PLANNED = "planned", _("being set up")
        LIVE = "live", _("running")
        SUSPENDED = "suspended", _("suspended")
        CLOSED = "closed", _("closed")

    MOVES = {
        State.PLANNED: frozenset({State.LIVE, State.CLOSED}),
        State.LIVE: frozenset({State.SUSPENDED, State.CLOSED}),
        State.SUSPENDED: frozenset({State.LIVE, State.CLOSED}),
    }

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    server = models.ForeignKey(
        Server, models.PROTECT, related_name="accounts", verbose_name=_("server")
    )
    # Where it is not placed yet, no server had room: `server` is provisional and knows nothing.
    placed = models.BooleanField(default=True)
    pool = models.ForeignKey(Pool, models.PROTECT, null=True, related_name="accounts")
    username = models.CharField(_("username"), max_length=40)
    remote_id = models.CharField(_("id at the dialler"), max_length=64, blank=True)
    marker = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    person = models.JSONField(help_text="Name, e-mail, phone, language as sent to the dialler.")
    limits = models.JSONField(_("limits"), help_text="What the dialler should enforce.")
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.PLANNED
    )
    password_sealed = models.BinaryField(null=True, editable=False)
    balance_minor = models.BigIntegerField(_("balance"), null=True)
    balance_at = models.DateTimeField(_("balance read"), null=True)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = [
            # The dialler's database folds case, so `Acme` and `acme` are one user there.
            models.UniqueConstraint("server", Lower("username"), name="account_username_once"),
            models.UniqueConstraint(
                fields=["server", "remote_id"],
                condition=~Q(remote_id=""),
                name="account_remote_once",
            ),
            models.CheckConstraint(
                name="account_runs_where_placed",
                condition=Q(placed=True) | Q(state__in=("planned", "closed"), pool__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.username


class OneTimeSecret(models.Model):
    """A password behind a link: readable once, with the token that only the link carries."""

    token_digest = models.BinaryField(unique=True)
    account = models.ForeignKey(Account, models.CASCADE)
    cause = models.CharField(max_length=100, unique=True)
    ciphertext = models.BinaryField(null=True)
    expires_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.account} until {self.expires_at:%Y-%m-%d %H:%M}"
