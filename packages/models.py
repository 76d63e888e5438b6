"""The catalogue: what is sold. A row here says what a package is today; what was bought is a
snapshot.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from packages.desk.proposals import Proposal as Proposal
from packages.desk.proposals import SecondPerson as SecondPerson
from packages.money import Money
from packages.periods import Cycle
from packages.states import StateChange

__all__ = ["Cycle", "Package", "PackageGroup", "Price", "Service", "StateChange", "Tariff", "Rate"]


class Service(models.TextChoices):
    """What an account may broadcast; a package opens any subset."""

    VOICE = "voice", _("Voice")
    FAX = "fax", _("Fax")
    SMS = "sms", _("SMS")
    EMAIL = "email", _("E-mail")


class Translated(models.Model):
    """Texts that exist in both languages: `text("name")` gives the reader's."""

    class Meta:
        abstract = True

    def text(self, field: str) -> str:
        """Return the field in the active language; English where the translation is empty."""
        language = (get_language() or "en").split("-")[0]
        translated = getattr(self, f"{field}_{language}", "") or getattr(self, f"{field}_en")
        return str(translated)


class Tariff(models.Model):
    """A rate plan of the dialler. Its subscribers are rated by that plan only, by the dialler."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    remote_id = models.CharField(
        _("plan id at the dialler"),
        max_length=64,
        help_text=_(
            "The id or name of the rate plan in ICTBroadcast, exactly as its list shows it."
        ),
    )

    class Meta:
        ordering = ["name"]
        verbose_name = _("tariff")
        verbose_name_plural = _("tariffs")

    def __str__(self) -> str:
        return self.name


class Rate(models.Model):
    """One line of a tariff's public excerpt: what the dialler charges per unit to a destination."""

    tariff = models.ForeignKey(Tariff, models.CASCADE, related_name="rates")
    service = models.CharField(_("service"), max_length=10, choices=Service.choices)
    destination = models.CharField(_("destination"), max_length=80)
    destination_de = models.CharField(
        _("destination (German)"),
        max_length=80,
        blank=True,
        help_text=_("Where it is empty, German readers see the other."),
    )
    currency = models.CharField(_("currency"), max_length=3)
    price_micro = models.BigIntegerField(
        _("price per unit in millionths"),
        validators=[MinValueValidator(0)],
        help_text=_("Millionths of the currency's major unit: 0.0145 per minute is 14500."),
    )

    class Meta:
        ordering = ["service", "price_micro", "destination"]
        verbose_name = _("rate")
        verbose_name_plural = _("rates")
        constraints = [
            models.UniqueConstraint(
                fields=["tariff", "service", "destination", "currency"], name="rate_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.tariff}: {self.destination}"

    @property
    def place(self) -> str:
        """The destination in the active language."""
        german = (get_language() or "en").startswith("de")
        return (german and self.destination_de) or self.destination


class PackageGroup(Translated):
    """A heading of the package list."""

    slug = models.SlugField(unique=True)
    name_en = models.CharField(_("name (English)"), max_length=80)
    name_de = models.CharField(_("name (German)"), max_length=80, blank=True)
    intro_en = models.CharField(_("introduction (English)"), max_length=200, blank=True)
    intro_de = models.CharField(_("introduction (German)"), max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("package group")
        verbose_name_plural = _("package groups")

    def __str__(self) -> str:
        return self.text("name")


class Package(Translated):
    """One thing on sale, with the dialler's resources that its buyer gets and their limits."""

    class Kind(models.TextChoices):
        SUBSCRIPTION = "subscription", _("Subscription")
        PAY_AS_YOU_GO = "pay_as_you_go", _("Pay as you go")
        TOP_UP = "top_up", _("Top-up")

    class Allowance(models.TextChoices):
        PERSIST = "persist", _("persist")
        RESET = "reset", _("reset at each renewal")

    slug = models.SlugField(unique=True)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    group = models.ForeignKey(
        PackageGroup, models.PROTECT, related_name="packages", verbose_name=_("group")
    )
    name_en = models.CharField(_("name (English)"), max_length=80)
    name_de = models.CharField(_("name (German)"), max_length=80, blank=True)
    promise_en = models.CharField(_("one-line promise (English)"), max_length=140, blank=True)
    promise_de = models.CharField(_("one-line promise (German)"), max_length=140, blank=True)
    description_en = models.TextField(_("description (English)"), blank=True)
    description_de = models.TextField(_("description (German)"), blank=True)

    tariff = models.ForeignKey(
        Tariff, models.PROTECT, null=True, blank=True, verbose_name=_("tariff")
    )
    role = models.CharField(
        _("role at the dialler"),
        max_length=64,
        blank=True,
        help_text=_("Role id for new accounts; empty takes the server's default."),
    )
    channels = models.PositiveIntegerField(
        _("channels"), default=0, help_text=_("Concurrent outbound calls of the whole account.")
    )
    services = ArrayField(
        models.CharField(max_length=10, choices=Service.choices),
        default=list,
        blank=True,
        verbose_name=_("services"),
    )
    voice_minutes = models.PositiveIntegerField(_("included minutes"), default=0)
    fax_pages = models.PositiveIntegerField(_("included fax pages"), default=0)
    sms_messages = models.PositiveIntegerField(_("included SMS"), default=0)
    email_messages = models.PositiveIntegerField(_("included e-mails"), default=0)
    allowance = models.CharField(
        _("included credit and units"),
        max_length=10,
        choices=Allowance.choices,
        default=Allowance.PERSIST,
    )
    trial_days = models.PositiveSmallIntegerField(_("trial days"), default=0)
    max_quantity = models.PositiveSmallIntegerField(
        _("largest quantity"),
        default=1,
        validators=[MinValueValidator(1)],
        help_text=_("More than 1 lets customers order it several times on one account."),
    )

    recommended = models.BooleanField(_("recommended"), default=False)
    draft = models.BooleanField(
        _("draft"), default=False, help_text=_("Being made: nobody can see or order it.")
    )
    visible = models.BooleanField(_("visible in the shop"), default=True)
    archived = models.BooleanField(
        _("archived"), default=False, help_text=_("Not sold any more; existing subscriptions stay.")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    exchange_targets = models.ManyToManyField(
        "self",
        symmetrical=False,
        blank=True,
        verbose_name=_("may be exchanged for"),
        help_text=_("What customers may change to by themselves; staff may choose any package."),
    )

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("package")
        verbose_name_plural = _("packages")
        constraints = [
            models.CheckConstraint(
                name="package_account_needs_tariff",
                condition=Q(kind="top_up") | Q(tariff__isnull=False) | Q(draft=True),
            ),
            models.CheckConstraint(
                name="package_draft_is_hidden", condition=Q(draft=False) | Q(visible=False)
            ),
            models.CheckConstraint(
                name="package_trial_only_for_subscriptions",
                condition=Q(trial_days=0) | Q(kind="subscription"),
            ),
        ]

    def __str__(self) -> str:
        return self.text("name")

    def get_absolute_url(self) -> str:
        return reverse("storefront:package", args=[self.slug])

    @property
    def units(self) -> dict[str, int]:
        """Return the included quantity of each service that has one (minutes, pages, messages)."""
        counts = {
            Service.VOICE.value: self.voice_minutes,
            Service.FAX.value: self.fax_pages,
            Service.SMS.value: self.sms_messages,
            Service.EMAIL.value: self.email_messages,
        }
        return {service: count for service, count in counts.items() if count}


class Price(models.Model):
    """What a package costs in one currency and cycle. Net or gross is the shop's price mode."""

    package = models.ForeignKey(Package, models.CASCADE, related_name="prices")
    currency = models.CharField(_("currency"), max_length=3)
    cycle = models.CharField(_("billing cycle"), max_length=12, choices=Cycle.choices)
    amount_minor = models.BigIntegerField(
        _("price in minor units"), validators=[MinValueValidator(0)]
    )
    setup_minor = models.BigIntegerField(
        _("set-up fee in minor units"), default=0, validators=[MinValueValidator(0)]
    )
    credit_minor = models.BigIntegerField(
        _("credit in minor units"),
        default=0,
        validators=[MinValueValidator(0)],
        help_text=_("Credit on the dialler: included per period, or bought with a top-up."),
    )
    archived = models.BooleanField(_("archived"), default=False)

    class Meta:
        ordering = ["currency", "amount_minor"]
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        constraints = [
            models.UniqueConstraint(fields=["package", "currency", "cycle"], name="price_once"),
            models.CheckConstraint(
                name="price_not_negative",
                condition=Q(amount_minor__gte=0, setup_minor__gte=0, credit_minor__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.package}: {self.currency} {self.get_cycle_display()}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def setup(self) -> Money:
        return Money(self.setup_minor, self.currency)

    @property
    def credit(self) -> Money:
        return Money(self.credit_minor, self.currency)


class ShopClock(models.Model):
    """By how many days a demo's shop is ahead of the machine; one row, and none in production."""

    days_ahead = models.PositiveIntegerField(_("days ahead"), default=0)

    class Meta:
        verbose_name = _("shop's date")
        verbose_name_plural = _("shop's date")

    def __str__(self) -> str:
        return capfirst(str(_("shop's date")))
