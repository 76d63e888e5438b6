"""What the operator must know though nobody asked: alerts, and the messages that tell of them."""

from __future__ import annotations

from django.core.validators import URLValidator
from django.db import models
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _


class Alert(models.Model):
    """One thing that is wrong, from when it was found until it is no more.

    `facts` fill the sentences of its kind (billing/alert_texts.py), so that everybody reads it in
    their own language.
    """

    class Kind(models.TextChoices):
        PARKED_JOBS = "parked_jobs", _("jobs need staff")
        OLD_JOB = "old_job", _("a job waits too long")
        BY_HAND = "by_hand", _("a task by hand is overdue")
        SERVER = "server", _("a dialler does not answer")
        DRIFT = "drift", _("drift")
        UNKNOWN = "unknown", _("unknown accounts")
        SURPLUS = "surplus", _("credit nobody granted")
        HEARTBEAT = "heartbeat", _("no sign of life")
        EVENTS = "events", _("gateway events stand still")
        REFUNDS = "refunds", _("refunds need staff")
        RUN = "run", _("the calendar is stopped")
        INVARIANT = "invariant", _("an invariant is violated")
        TEST = "test", _("a test")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    cause = models.CharField(_("cause"), max_length=100)
    facts = models.JSONField(default=dict)
    path = models.CharField(max_length=200, help_text="Where staff see it, on our host.")
    found_at = models.DateTimeField(_("found"))
    seen_at = models.DateTimeField(_("last seen"))
    told_at = models.DateTimeField(_("told"), null=True)
    resolved_at = models.DateTimeField(_("resolved"), null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = [
            models.UniqueConstraint(
                fields=["cause"], condition=Q(resolved_at=None), name="alert_one_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{capfirst(self.get_kind_display())} · {date_format(localtime(self.found_at))}"


class AlertMessage(models.Model):
    """One message of an alert by one channel, written before it is sent.

    A sender that died leaves it waiting, so it may arrive twice; its id is in it.
    """

    class News(models.TextChoices):
        RAISED = "raised", _("raised")
        REPEATED = "repeated", _("still so")
        RESOLVED = "resolved", _("resolved")

    class Channel(models.TextChoices):
        MAIL = "mail", _("mail")
        WEBHOOK = "webhook", _("webhook")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="messages")
    news = models.CharField(_("news"), max_length=10, choices=News.choices)
    round = models.PositiveSmallIntegerField(default=0, help_text="Which repetition it is.")
    channel = models.CharField(_("by"), max_length=10, choices=Channel.choices)
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.WAITING
    )
    created_at = models.DateTimeField(_("written"))
    next_attempt_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    sent_at = models.DateTimeField(_("sent"), null=True)
    error = models.CharField(_("error"), max_length=200, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(state="waiting"),
                name="alert_message_waiting",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["alert", "news", "round", "channel"], name="alert_message_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_news_display()} · {self.get_channel_display()}"


class AlertSettings(models.Model):
    """The one row that says who is told, and how."""

    emails = models.CharField(
        _("e-mail addresses"),
        max_length=400,
        blank=True,
        help_text=_("Separated by commas. Empty: the brand's support address."),
    )
    language = models.CharField(
        _("language of the mails"),
        max_length=5,
        choices=[("en", _("English")), ("de", _("German"))],
        default="en",
    )
    url = models.CharField(
        _("webhook address"),
        max_length=200,
        blank=True,
        validators=[URLValidator(schemes=["http", "https"])],
        help_text=_("Gets every message as signed JSON. Empty: none is sent."),
    )
    secret_sealed = models.BinaryField(editable=False, default=b"")

    class Meta:
        verbose_name = _("alert settings")
        verbose_name_plural = _("alert settings")
        constraints = [
            models.CheckConstraint(name="alert_settings_is_one_row", condition=models.Q(id=1)),
        ]

    def __str__(self) -> str:
        return self.emails or self.url or "–"
