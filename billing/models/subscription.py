"""What a customer has subscribed to, and which stretches of days were paid for."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Mod
from django.db.models.lookups import Exact
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from billing.models.customer import Customer
from packages.models import Cycle, Package, Price
from packages.money import Money
from packages.states import Stateful
from provisioning.dialler.base import Limits
from provisioning.models import Account


class Subscription(Stateful):
    """Says whether a service is paid for; whether it runs at the dialler is `account.state`.

    The price and the limits are those of the day of purchase: later changes of the catalogue do not
    reach it. A pay-as-you-go subscription has no periods and no end. Amount, credit and limits are
    those of the whole quantity, which runs on one account.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("waiting for payment")
        ACTIVE = "active", _("active")
        SUSPENDED = "suspended", _("suspended")
        ENDED = "ended", _("ended")

    MOVES = {
        State.PENDING: frozenset({State.ACTIVE, State.ENDED}),
        State.ACTIVE: frozenset({State.SUSPENDED, State.ENDED}),
        State.SUSPENDED: frozenset({State.ACTIVE, State.ENDED}),
        # While its account is not deleted yet, an ended service can be brought back.
        State.ENDED: frozenset({State.ACTIVE}),
    }
    LIVING = (State.ACTIVE, State.SUSPENDED)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="subscriptions")
    package = models.ForeignKey(
        Package, models.PROTECT, related_name="subscriptions", verbose_name=_("package")
    )
    price = models.ForeignKey(Price, models.SET_NULL, null=True, blank=True)
    account = models.OneToOneField(
        Account, models.PROTECT, null=True, blank=True, related_name="subscription"
    )
    state = models.CharField(
        _("state"), max_length=12, choices=State.choices, default=State.PENDING
    )
    currency = models.CharField(_("currency"), max_length=3)
    cycle = models.CharField(_("billing cycle"), max_length=12, choices=Cycle.choices)
    quantity = models.PositiveSmallIntegerField(_("quantity"), default=1)
    amount_minor = models.BigIntegerField(_("price in minor units"))
    credit_minor = models.BigIntegerField(_("included credit in minor units"), default=0)
    limits = models.JSONField(_("limits"))
    allowance = models.CharField(
        _("included credit and units"), max_length=10, choices=Package.Allowance.choices
    )
    trial_days = models.PositiveSmallIntegerField(_("trial days"), default=0)
    zone = models.CharField(_("billing time zone"), max_length=40)
    anchor_on = models.DateField(_("anchor day"), null=True, blank=True)
    paid_until = models.DateField(
        _("paid until"), null=True, blank=True, help_text=_("The first day that is not paid for.")
    )
    next_invoice_on = models.DateField(
        _("next invoice"), null=True, blank=True, help_text=_("Empty while none is to be issued.")
    )
    allowance_on = models.DateField(
        _("next allowance"), null=True, blank=True, help_text=_("Paid, and given on this day.")
    )
    ends_on = models.DateField(
        _("ends"), null=True, blank=True, help_text=_("The first day after a cancellation.")
    )
    low_minor = models.BigIntegerField(
        _("mail below this balance in minor units"),
        null=True,
        blank=True,
        help_text=_("Empty: the shop's sum. Zero: no mail."),
    )
    low_armed = models.BooleanField(
        default=False, help_text="The balance was not low when last looked at."
    )
    returnable = models.BooleanField(
        _("may be brought back by the customer"),
        default=True,
        help_text=_("While its account is not deleted yet."),
    )
    created_at = models.DateTimeField(_("ordered"))
    activated_at = models.DateTimeField(_("active since"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        indexes = [
            models.Index(
                fields=["next_invoice_on", "customer", "id"],
                condition=Q(next_invoice_on__isnull=False),
                name="subscription_due",
            ),
            models.Index(
                fields=["allowance_on", "id"],
                condition=Q(allowance_on__isnull=False),
                name="subscription_allowance",
            ),
            models.Index(
                fields=["ends_on", "id"],
                condition=Q(state__in=("active", "suspended"), ends_on__isnull=False),
                name="subscription_ending",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="subscription_active_has_anchor",
                condition=Q(state="pending") | Q(state="ended") | Q(anchor_on__isnull=False),
            ),
            models.CheckConstraint(
                name="subscription_invoiced_while_active",
                condition=Q(next_invoice_on__isnull=True) | Q(state="active"),
            ),
            # An invoice prints quantity times unit price, and that is the amount to the cent.
            models.CheckConstraint(
                name="subscription_amount_by_quantity",
                condition=Q(quantity__gt=0) & Q(Exact(Mod("amount_minor", "quantity"), 0)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.package} · {self.customer}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def unit(self) -> Money:
        """Return the price of one; all of them together cost `amount`, to the cent (a check)."""
        return self.amount.fraction(1, self.quantity)

    @property
    def credit(self) -> Money:
        return Money(self.credit_minor, self.currency)

    @property
    def terms(self) -> Limits:
        return Limits.from_json(self.limits)

    @property
    def recurs(self) -> bool:
        return self.cycle != Cycle.ONE_TIME


class SubscriptionPeriod(models.Model):
    """A stretch `[start_on, end_on)` of a subscription. Renewing it is inserting the next one."""

    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="periods")
    index = models.IntegerField(
        _("number"),
        help_text="0 is the first paid period, -1 a trial before it; a skipped one is a time "
        "without service.",
    )
    start_on = models.DateField(_("begins"))
    end_on = models.DateField(_("ends"))
    given_back_on = models.DateField(
        _("given back from"),
        null=True,
        help_text="The service ended at once; from this day on it was credited.",
    )
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("period")
        verbose_name_plural = _("periods")
        ordering = ["subscription", "index"]
        indexes = [models.Index(fields=["end_on"], condition=Q(index=-1), name="period_trial_end")]
        constraints = [
            models.UniqueConstraint(fields=["subscription", "index"], name="period_index_once"),
            models.UniqueConstraint(fields=["subscription", "start_on"], name="period_start_once"),
            models.CheckConstraint(name="period_has_days", condition=Q(end_on__gt=F("start_on"))),
            models.CheckConstraint(
                name="period_given_back_in_part",
                condition=Q(given_back_on__isnull=True)
                | Q(given_back_on__gt=F("start_on"), given_back_on__lt=F("end_on")),
            ),
        ]

    def __str__(self) -> str:
        last_on = self.until_on - timedelta(days=1)
        return f"{date_format(self.start_on)} – {date_format(last_on)}"

    @property
    def until_on(self) -> date:
        """Return the first day that is not paid by it."""
        return self.given_back_on or self.end_on
