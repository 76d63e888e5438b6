"""What is to be done at the dialler, and the commands sent for it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, OuterRef, Q
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from packages.states import Stateful
from provisioning.models.account import Account


class Job(Stateful):
    """One thing to do at the dialler. The row is the queue; `cause` says why and is done once."""

    class Kind(models.TextChoices):
        CREATE = "create", _("create account")
        SET_LIMITS = "set_limits", _("set limits")
        CREDIT = "credit", _("credit")
        TAKE_BACK = "take_back", _("take credit back")
        REFILL = "refill", _("set included units")
        SUSPEND = "suspend", _("suspend")
        UNSUSPEND = "unsuspend", _("unsuspend")
        CHANGE_PASSWORD = "change_password", _("change password")
        READ_BALANCE = "read_balance", _("read balance")
        TERMINATE = "terminate", _("terminate")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        PARKED = "parked", _("needs staff")
        CANCELLED = "cancelled", _("cancelled")

    MOVES = {
        State.WAITING: frozenset({State.RUNNING, State.CANCELLED}),
        State.RUNNING: frozenset(
            {State.WAITING, State.RUNNING, State.DONE, State.PARKED, State.CANCELLED}
        ),
        State.PARKED: frozenset({State.WAITING, State.DONE, State.CANCELLED}),
    }
    # Of an account's unfinished jobs the first can run.
    ORDER = ("-overtakes", "seq")
    UNFINISHED = (State.WAITING, State.RUNNING, State.PARKED)

    account = models.ForeignKey(Account, models.PROTECT, related_name="jobs")
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    bundle = models.CharField(
        max_length=80, blank=True, help_text="Jobs asked for together, e.g. a new account's."
    )
    cause = models.CharField(_("cause"), max_length=100, unique=True)
    seq = models.PositiveIntegerField()
    overtakes = models.BooleanField(_("before all others"), default=False)
    amount_minor = models.BigIntegerField(_("amount"), null=True)
    currency = models.CharField(max_length=3, blank=True)
    details = models.JSONField(default=dict, help_text="Absolute targets, e.g. the limits to set.")
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.WAITING
    )
    created_at = models.DateTimeField(_("asked"))
    run_at = models.DateTimeField(_("not before"))
    tries = models.PositiveSmallIntegerField(_("runs"), default=0)
    # Runs in a row that ended in a fault, or by a person's mistake, or never: their process died.
    setbacks = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    claimed_until = models.DateTimeField(_("in work until"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    # While a person has to do it: by when.
    due_at = models.DateTimeField(_("by hand until"), null=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        indexes = [
            models.Index(
                fields=["run_at", "id"],
                condition=Q(state__in=("waiting", "running")),
                name="job_due",
            ),
            models.Index(fields=["bundle"], condition=~Q(bundle=""), name="job_bundle"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "seq"], name="job_seq_once"),
            models.UniqueConstraint(
                fields=["account"], condition=Q(state="running"), name="job_one_running_per_account"
            ),
            models.CheckConstraint(
                name="job_credit_has_amount",
                # To SQL a comparison with NULL is no violation, so NULL is refused by itself.
                condition=~Q(kind="credit")
                | Q(amount_minor__isnull=False, amount_minor__gt=0, currency__gt=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{capfirst(self.get_kind_display())} · {self.account}"

    @classmethod
    def ahead(cls) -> models.QuerySet[Job]:
        """Return, for a subquery, what is not over and comes before a job of the same account."""
        overtaking = Q(overtakes__gt=OuterRef("overtakes"))
        earlier = Q(seq__lt=OuterRef("seq"), overtakes=OuterRef("overtakes"))
        return cls.objects.filter(
            overtaking | earlier, account=OuterRef("account"), state__in=cls.UNFINISHED
        )


class Attempt(models.Model):
    """One command sent for a job, written before its first byte leaves."""

    class Outcome(models.TextChoices):
        SENT = "sent", _("no answer yet")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")
        NOT_SENT = "not_sent", _("not sent")
        UNKNOWN = "unknown", _("unknown")
        APPLIED = "applied", _("found applied")
        ABSENT = "absent", _("found not applied")

    # After these the dialler may or may not have done it: read before sending again.
    OPEN = (Outcome.SENT, Outcome.UNKNOWN)

    job = models.ForeignKey(Job, models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField(_("number"))
    fence = models.PositiveIntegerField()
    method = models.CharField(_("command"), max_length=60)
    before = models.JSONField(_("read before"), default=dict)
    sent_at = models.DateTimeField(_("sent"))
    deadline_at = models.DateTimeField(_("given up at"))
    outcome = models.CharField(
        _("outcome"), max_length=10, choices=Outcome.choices, default=Outcome.SENT
    )
    answer = models.CharField(_("answer"), max_length=400, blank=True)
    readings = models.JSONField(_("readings"), default=list)
    finished_at = models.DateTimeField(_("answered"), null=True)

    class Meta:
        ordering = ["job", "number"]
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints = [
            models.UniqueConstraint(fields=["job", "number"], name="attempt_number_once"),
            models.UniqueConstraint(
                fields=["job"],
                condition=Q(outcome__in=("sent", "unknown")),
                name="attempt_one_open_per_job",
            ),
            models.CheckConstraint(
                name="attempt_has_deadline", condition=Q(deadline_at__gt=F("sent_at"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.job} #{self.number}"

    @property
    def unasked(self) -> list[dict[str, str]]:
        """Return the readings since a person last looked at it, the oldest first."""
        by_staff = [index for index, reading in enumerate(self.readings) if "by" in reading]
        return list(self.readings[by_staff[-1] + 1 if by_staff else 0 :])

    @property
    def seen_by_staff(self) -> bool:
        return any("by" in reading for reading in self.readings)

    @property
    def settled_by_staff(self) -> bool:
        return any("proof" in reading for reading in self.readings)
