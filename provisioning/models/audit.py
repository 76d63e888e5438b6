"""What an audit leaves behind: how far it came, the drift it found, and accounts nobody knows."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from packages.states import Stateful
from provisioning.models.account import Account
from provisioning.models.server import Server

# What of an account is compared.
FIELDS = {
    "state": _("State"),
    "username": _("Username"),
    "tariff": _("Plan"),
    "channels": _("Channels"),
    "services": _("Services"),
}


class Audit(models.Model):
    """A comparison of a server's accounts (or of one) with what they should be, once per cause.

    A daily one has its day as its cause. It goes on at `after`, the last account compared, so a
    dead worker costs a turn.
    """

    server = models.ForeignKey(
        Server, models.CASCADE, related_name="audits", verbose_name=_("server")
    )
    account = models.ForeignKey(
        Account, models.CASCADE, null=True, verbose_name=_("only this account")
    )
    cause = models.CharField(_("cause"), max_length=60)
    actor = models.CharField(_("asked by"), max_length=80)
    started_at = models.DateTimeField(_("started"))
    turn_at = models.DateTimeField(null=True, help_text="When it last had its turn.")
    moved_at = models.DateTimeField(help_text="When an account last answered.")
    finished_at = models.DateTimeField(_("finished"), null=True)
    after = models.BigIntegerField(default=0)
    compared = models.PositiveIntegerField(_("compared"), default=0)
    drifted = models.PositiveIntegerField(_("with drift"), default=0)
    in_work = models.PositiveIntegerField(_("in work"), default=0)
    unreadable = models.PositiveIntegerField(_("not readable"), default=0)
    listed = models.PositiveIntegerField(_("listed by the server"), null=True)
    unknown = models.PositiveIntegerField(_("unknown to us"), null=True)
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("audit")
        verbose_name_plural = _("audits")
        constraints = [
            models.UniqueConstraint(fields=["server", "cause"], name="audit_once"),
        ]

    def __str__(self) -> str:
        what = self.account or date_format(localtime(self.started_at))
        return f"{self.server} · {what}"


class Drift(Stateful):
    """An account that is not at the dialler as it should be. Nothing is put right by itself."""

    class State(models.TextChoices):
        OPEN = "open", _("to be decided")
        PARKED = "parked", _("parked")
        APPLYING = "applying", _("being put right")
        CLOSED = "closed", _("over")

    MOVES = {
        State.OPEN: frozenset({State.PARKED, State.APPLYING, State.CLOSED}),
        State.PARKED: frozenset({State.OPEN, State.APPLYING, State.CLOSED}),
        State.APPLYING: frozenset({State.OPEN, State.CLOSED}),
    }
    STANDING = (State.OPEN, State.PARKED, State.APPLYING)

    account = models.ForeignKey(Account, models.CASCADE, related_name="drifts")
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    diffs = models.JSONField(
        help_text="For each field that differs: what it should be, and what the server shows."
    )
    round = models.PositiveSmallIntegerField(default=0, help_text="How often it was put right.")
    found_at = models.DateTimeField(_("found"))
    seen_at = models.DateTimeField(_("last seen"))
    closed_at = models.DateTimeField(_("over since"), null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("drift")
        verbose_name_plural = _("drifts")
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=~Q(state="closed"), name="drift_one_standing"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.named}"

    @property
    def named(self) -> str:
        """Return what differs, in the reader's language."""
        return ", ".join(str(FIELDS.get(each, each)) for each in self.fields)

    @property
    def fields(self) -> list[str]:
        """Return the names of what differs."""
        return [diff["field"] for diff in self.diffs]


class UnknownAccount(models.Model):
    """An account that a server lists and that is none of ours. It is never touched."""

    server = models.ForeignKey(
        Server, models.CASCADE, related_name="strangers", verbose_name=_("server")
    )
    remote_id = models.CharField(_("id at the dialler"), max_length=64)
    username = models.CharField(_("username"), max_length=120)
    email = models.CharField(_("e-mail"), max_length=254, blank=True)
    first_at = models.DateTimeField(_("first seen"))
    last_at = models.DateTimeField(_("last seen"))
    gone_at = models.DateTimeField(_("gone, or ours, since"), null=True)
    settled_by = models.CharField(_("known to"), max_length=80, blank=True)
    reason = models.CharField(_("what it is"), max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("unknown account")
        verbose_name_plural = _("unknown accounts")
        constraints = [
            models.UniqueConstraint(fields=["server", "remote_id"], name="unknown_account_once"),
        ]

    def __str__(self) -> str:
        return self.username
