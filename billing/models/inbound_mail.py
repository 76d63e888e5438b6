"""A mail that came in, stored before anything is made of it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.ticket import TicketMessage
from packages.states import Stateful


class InboundMail(Stateful):
    """What a mail server handed in: once per Message-ID, until it is part of a support request."""

    class State(models.TextChoices):
        RECEIVED = "received", _("waiting")
        FILED = "filed", _("part of a support request")
        IGNORED = "ignored", _("sent by a machine")

    MOVES = {State.RECEIVED: frozenset({State.FILED, State.IGNORED})}

    # SHA-256 of the Message-ID, of the whole mail where there is none.
    digest = models.CharField(max_length=64, unique=True)
    sender = models.CharField(_("from"), max_length=254, blank=True)
    subject = models.CharField(_("subject"), max_length=150, blank=True)
    # RFC 822; emptied once its text and its files are filed.
    raw = models.BinaryField()
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.RECEIVED
    )
    message = models.OneToOneField(
        TicketMessage, models.PROTECT, null=True, verbose_name=_("message")
    )
    received_at = models.DateTimeField(_("received"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("incoming mail")
        verbose_name_plural = _("incoming mails")
        indexes = [
            models.Index(
                fields=["id"], condition=models.Q(state="received"), name="inbound_mail_waiting"
            )
        ]

    def __str__(self) -> str:
        return self.subject or self.sender
