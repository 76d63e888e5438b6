"""The outbox: a mail is a row, rendered once, queued once for its cause."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.models.customer import Customer
from packages.states import Stateful


class Mail(Stateful):
    """A mail on its way, rendered when it is queued or, from a billing run, when it is sent.

    `sealed` holds what must not lie in the texts, e.g. a login link.

    The texts carry a placeholder for it; it is put in while sending and destroyed afterwards.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        UNKNOWN = "unknown", _("perhaps sent")

    MOVES = {
        State.QUEUED: frozenset({State.SENDING}),
        State.SENDING: frozenset({State.SENT, State.QUEUED, State.FAILED, State.UNKNOWN}),
        State.FAILED: frozenset({State.QUEUED}),
        State.UNKNOWN: frozenset({State.QUEUED, State.SENT}),
    }

    template = models.CharField(_("template"), max_length=60)
    cause = models.CharField(_("cause"), max_length=120)
    recipient = models.EmailField(_("to"))
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="mails")
    language = models.CharField(_("language"), max_length=5)
    sender = models.CharField(_("sender"), max_length=200)
    reply_to = models.CharField(_("answers go to"), max_length=254, blank=True)
    subject = models.CharField(_("subject"), max_length=200)
    text = models.TextField(_("text"))
    html = models.TextField(blank=True)
    sealed = models.BinaryField(null=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.QUEUED)
    created_at = models.DateTimeField(_("queued"))
    next_attempt_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    sent_at = models.DateTimeField(_("sent"), null=True)
    last_error = models.CharField(_("last error"), max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        indexes = [
            models.Index(
                fields=["next_attempt_at", "id"],
                condition=Q(state__in=("queued", "sending")),
                name="mail_waiting",
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["template", "cause", "recipient"], name="mail_once")
        ]

    def __str__(self) -> str:
        return self.subject or self.template
