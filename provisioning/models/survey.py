"""How a server's API names things, found out on a throw-away account."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from packages.states import Stateful
from provisioning.models.server import Server


class Survey(Stateful):
    """One survey of a server. The row is the queue; its steps are in dialler/survey/steps.py."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        LEFT = "left", _("account is left")

    MOVES = {
        State.WAITING: frozenset({State.RUNNING}),
        State.RUNNING: frozenset({State.WAITING, State.RUNNING, State.DONE, State.LEFT}),
        State.LEFT: frozenset({State.WAITING, State.DONE}),
    }
    OPEN = (State.WAITING, State.RUNNING)

    server = models.ForeignKey(
        Server, models.CASCADE, related_name="surveys", verbose_name=_("server")
    )
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.WAITING
    )
    username = models.CharField(_("throw-away account"), max_length=40)
    password_sealed = models.BinaryField(null=True, editable=False)
    tariff = models.CharField(_("plan to try"), max_length=64, blank=True)
    mapping_before = models.JSONField(help_text="The server's mapping when the survey began.")
    mapping = models.JSONField(help_text="The mapping that the survey proposes, complete.")
    facts = models.JSONField(default=dict, help_text="What the next steps need to know.")
    findings = models.JSONField(default=dict, help_text="By step: what was found out.")
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    actor = models.CharField(_("by"), max_length=80)
    created_at = models.DateTimeField(_("begun"))
    run_at = models.DateTimeField(_("not before"))
    tries = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    applied_at = models.DateTimeField(_("mapping applied"), null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("survey")
        verbose_name_plural = _("surveys")
        constraints = [
            models.UniqueConstraint(
                fields=["server"],
                condition=Q(state__in=("waiting", "running")),
                name="survey_one_open_per_server",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.server} · {self.username}"


class SurveyEntry(models.Model):
    """One call of a survey with its answer, as the transcript keeps it: secrets are masked."""

    survey = models.ForeignKey(Survey, models.CASCADE, related_name="transcript")
    step = models.CharField(_("step"), max_length=20)
    method = models.CharField(_("method"), max_length=64)
    fields = models.JSONField(_("fields"), help_text="Pairs of name and text, as sent.")
    status = models.PositiveSmallIntegerField(_("status"), null=True)
    answer = models.TextField(_("answer"))
    outcome = models.CharField(_("outcome"), max_length=10)
    seconds = models.FloatField(_("seconds"))
    at = models.DateTimeField(_("asked"))

    class Meta:
        ordering = ["id"]
        verbose_name = _("entry of the transcript")
        verbose_name_plural = _("transcript")

    def __str__(self) -> str:
        return f"{self.step}: {self.method}"
