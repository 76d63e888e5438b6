"""An ICTBroadcast installation, and how to speak to it."""

from __future__ import annotations

from django.core.validators import (
    MaxValueValidator,
    MinValueValidator,
    RegexValidator,
    URLValidator,
)
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from provisioning.models.pool import Pool

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
    roles = models.JSONField(
        _("roles"), default=list, editable=False, help_text="As the last test named them: id, name."
    )
    ca_file = models.CharField(_("CA file"), max_length=200, blank=True)
    active = models.BooleanField(
        _("takes new accounts"),
        default=True,
        help_text=_("Switched off, the server is drained: its accounts go on, none is added."),
    )
    pools = models.ManyToManyField(
        Pool,
        blank=True,
        related_name="servers",
        verbose_name=_("server pools"),
        help_text=_("Packages sold on these pools may open accounts here; without a pool, none."),
    )
    capacity_accounts = models.PositiveIntegerField(
        _("accounts at most"), null=True, blank=True, help_text=_("Empty sets no limit.")
    )
    capacity_channels = models.PositiveIntegerField(
        _("channels of all accounts at most"),
        null=True,
        blank=True,
        help_text=_("Empty sets no limit."),
    )
    weight = models.PositiveSmallIntegerField(
        _("weight"),
        default=1,
        validators=[MinValueValidator(1)],
        help_text=_("A server of weight 2 gets twice the accounts of one of weight 1."),
    )
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
    runs_at_once = models.PositiveSmallIntegerField(
        _("jobs at once"),
        default=3,
        validators=[MinValueValidator(1)],
        help_text=_("So many accounts at most are worked on there at the same moment."),
    )
    requests_a_second = models.PositiveSmallIntegerField(
        _("requests in a second at most"),
        default=0,
        help_text=_("Of all processes together; 0 sets no limit."),
    )
    by_hand_hours = models.PositiveSmallIntegerField(
        _("time for tasks by hand (h)"),
        default=8,
        validators=[MinValueValidator(1)],
        help_text=_("After it, whoever gets alerts is reminded of what the API cannot do."),
    )
    read_at = models.DateTimeField(null=True, editable=False)
    checked_at = models.DateTimeField(_("last test"), null=True, editable=False)
    check_note = models.CharField(_("result"), max_length=200, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("server")
        verbose_name_plural = _("servers")
        constraints = [
            models.CheckConstraint(name="server_weight_positive", condition=Q(weight__gte=1)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def work_seconds(self) -> float:
        """Return how long a claim may speak to the server: five exchanges (look, read, write, read
        again, confirm) and one to spare.
        """
        return 6 * (self.connect_timeout_seconds + self.read_timeout_seconds)
