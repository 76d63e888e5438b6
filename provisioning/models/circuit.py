"""Whether a server is asked at the moment, and how fast."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from packages.states import Stateful
from provisioning.models.server import Server


class Circuit(Stateful):
    """The way to one server. A row of its own: staff save the server's form, calls write here.

    `recent` holds the last requests, the newest last: `.` answered, `x` not sent or unclear.
    """

    class State(models.TextChoices):
        CLOSED = "closed", _("is asked")
        OPEN = "open", _("is not asked")
        HALF_OPEN = "half_open", _("is being tried")

    MOVES = {
        State.CLOSED: frozenset({State.OPEN}),
        State.OPEN: frozenset({State.HALF_OPEN, State.CLOSED}),
        # Half open again: the process that tried it has died.
        State.HALF_OPEN: frozenset({State.HALF_OPEN, State.OPEN, State.CLOSED}),
    }

    server = models.OneToOneField(
        Server, models.CASCADE, related_name="circuit", verbose_name=_("server")
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.CLOSED)
    recent = models.CharField(max_length=20, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    opened_at = models.DateTimeField(_("not asked since"), null=True)
    probe_at = models.DateTimeField(_("next probe"), null=True)
    failed_probes = models.PositiveSmallIntegerField(default=0)
    # Until then every place for a request is taken, where the server has a pace.
    booked_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("circuit")
        verbose_name_plural = _("circuits")
        constraints = [
            models.CheckConstraint(
                name="circuit_open_has_probe",
                condition=Q(state="closed") | Q(opened_at__isnull=False, probe_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.server}: {self.get_state_display()}"
