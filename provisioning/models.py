"""The dialler as we know it: servers, accounts, and the jobs that change them."""

from __future__ import annotations

import uuid

from django.core.validators import (
    MaxValueValidator,
    MinValueValidator,
    RegexValidator,
    URLValidator,
)
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from packages.states import Stateful

API_ADDRESS = RegexValidator(
    r"^https?://[^\s@?#]+/rest$",
    _("Enter the address up to /rest, without user, password or query."),
)


class Server(models.Model):
    """An ICTBroadcast installation. Its API names are configuration (docs/dialler-api.md)."""

    class Profile(models.TextChoices):
        LEGACY = "legacy", _("legacy (User_* methods)")
        CURRENT = "current", _("current (Client_* methods)")

    class Auth(models.TextChoices):
        FORM = "form", _("username and password fields")
        FORM_LEGACY = "form_legacy", _("api_username and api_password fields")
        BEARER = "bearer", _("API key (bearer token)")

    class TakeBack(models.TextChoices):
        SKIP = "skip", _("is left to the customer")
        MANUAL = "manual", _("is taken back by staff")

    name = models.CharField(_("name"), max_length=60, unique=True)
    base_url = models.CharField(
        _("API address"),
        max_length=200,
        validators=[API_ADDRESS],
        help_text=_("Up to and including /rest, e.g. https://dial.example.com/rest"),
    )
    login_url = models.CharField(
        _("login page for customers"),
        max_length=200,
        validators=[URLValidator(schemes=["http", "https"])],
    )
    currency = models.CharField(_("currency"), max_length=3)
    profile = models.CharField(_("profile"), max_length=10, choices=Profile.choices)
    auth = models.CharField(_("authentication"), max_length=12, choices=Auth.choices)
    username = models.CharField(_("API user"), max_length=80, blank=True)
    secret_sealed = models.BinaryField(editable=False)
    mapping = models.JSONField(_("mapping"), default=dict, blank=True)
    default_role = models.CharField(_("default role id"), max_length=64, blank=True)
    ca_file = models.CharField(_("CA file"), max_length=200, blank=True)
    active = models.BooleanField(_("takes new accounts"), default=True)
    connect_timeout_seconds = models.FloatField(_("connect time-out (s)"), default=3)
    read_timeout_seconds = models.FloatField(_("answer time-out (s)"), default=15)
    quiet_seconds = models.FloatField(
        _("quiet time (s)"),
        default=120,
        help_text=_("How long an unanswered command may still take effect at the dialler."),
    )
    read_gap_seconds = models.FloatField(
        _("gap between two readings (s)"),
        default=30,
        help_text=_("Two readings this far apart must agree before a command is sent again."),
    )
    take_back = models.CharField(
        _("unused free credit at a renewal"),
        max_length=10,
        choices=TakeBack.choices,
        default=TakeBack.SKIP,
        help_text=_("Where the API cannot take credit back, or does not show the balance."),
    )
    reading_minutes = models.PositiveSmallIntegerField(
        _("minutes between two readings"),
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(1440)],
        help_text=_("How often balance and use of each running account are read."),
    )
    readings_a_minute = models.PositiveSmallIntegerField(
        _("accounts read in a minute at most"),
        default=300,
        validators=[MinValueValidator(1)],
    )
    read_at = models.DateTimeField(null=True, editable=False)
    checked_at = models.DateTimeField(_("last test"), null=True, editable=False)
    check_note = models.CharField(_("result"), max_length=200, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("server")
        verbose_name_plural = _("servers")

    def __str__(self) -> str:
        return self.name

    @property
    def work_seconds(self) -> float:
        """Return how long a claim may speak to the server: five exchanges (look, read, write, read
        again, confirm) and one to spare.
        """
        return 6 * (self.connect_timeout_seconds + self.read_timeout_seconds)


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
    server = models.ForeignKey(Server, models.PROTECT, related_name="accounts")
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
        ]

    def __str__(self) -> str:
        return self.username


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
    UNFINISHED = (State.WAITING, State.RUNNING, State.PARKED)

    account = models.ForeignKey(Account, models.PROTECT, related_name="jobs")
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    bundle = models.CharField(
        max_length=80, blank=True, help_text="Jobs asked for together, e.g. a new account's."
    )
    cause = models.CharField(_("cause"), max_length=100, unique=True)
    seq = models.PositiveIntegerField()
    amount_minor = models.BigIntegerField(_("amount"), null=True)
    currency = models.CharField(max_length=3, blank=True)
    details = models.JSONField(default=dict, help_text="Absolute targets, e.g. the limits to set.")
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.WAITING
    )
    created_at = models.DateTimeField(_("asked"))
    run_at = models.DateTimeField(_("not before"))
    tries = models.PositiveSmallIntegerField(_("runs"), default=0)
    fence = models.PositiveIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
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
        return f"{self.get_kind_display()} · {self.cause}"


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
    number = models.PositiveSmallIntegerField()
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


class Reading(models.Model):
    """What the dialler showed of an account at an instant. NULL is unknown, never zero.

    The row is written before the dialler is asked, so an account is read once per slot; one that
    nobody answered stays empty.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="readings")
    slot = models.DateTimeField(_("beginning of its interval"))
    at = models.DateTimeField(_("read"))
    balance_minor = models.BigIntegerField(_("balance"), null=True)
    units = models.JSONField(null=True, help_text="Included units that are left, by service.")
    used = models.JSONField(null=True, help_text="All campaigns' calls and messages, by service.")
    cost_minor = models.BigIntegerField(_("cost of all campaigns"), null=True)
    weighed_at = models.DateTimeField(null=True, help_text="When billing drew its conclusions.")

    class Meta:
        ordering = ["account", "slot"]
        verbose_name = _("reading")
        verbose_name_plural = _("readings")
        indexes = [
            models.Index(fields=["slot"], name="reading_slot"),
            models.Index(fields=["id"], condition=Q(weighed_at=None), name="reading_unweighed"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "slot"], name="reading_once"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.slot:%Y-%m-%d %H:%M}"


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


class Heartbeat(models.Model):
    """When a process last showed that it lives; /healthz reads it."""

    process = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.process
