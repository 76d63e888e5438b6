"""One day's work of the calendar: when it ran, what it did, what went wrong, who let it go on."""

from __future__ import annotations

from django.db import models
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from packages.states import Stateful


class Run(Stateful):
    """The run of a day; there is one per day, whoever rings and however often.

    `again_at` is when the clock may take it up: a runner that died is replaced then, and what went
    wrong is tried again. `counts` says what was done in all attempts, `planned` what the circuit
    breaker stopped.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAULTY = "faulty", _("done, with faults")
        STOPPED = "stopped", _("stopped, needs staff")
        RELEASED = "released", _("released by staff")

    MOVES = {
        State.WAITING: frozenset({State.RUNNING}),
        State.RUNNING: frozenset({State.DONE, State.FAULTY, State.STOPPED}),
        State.FAULTY: frozenset({State.RUNNING}),
        State.STOPPED: frozenset({State.RUNNING, State.RELEASED}),
        State.RELEASED: frozenset({State.RUNNING}),
        # By hand a day is run as often as somebody likes.
        State.DONE: frozenset({State.RUNNING}),
    }

    on = models.DateField(_("day"), unique=True)
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.WAITING
    )
    again_at = models.DateTimeField(_("taken up again"), null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("finished"), null=True)
    counts = models.JSONField(default=dict)
    planned = models.JSONField(default=dict)
    faults = models.JSONField(default=list)

    class Meta:
        ordering = ["-on"]
        verbose_name = _("run of the calendar")
        verbose_name_plural = _("runs of the calendar")

    def __str__(self) -> str:
        return date_format(self.on)
