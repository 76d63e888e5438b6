"""The exchange of a subscription's package: what was agreed, and what it cost."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from billing.models.invoice import Invoice
from billing.models.order import OrderLine
from billing.models.subscription import Subscription
from packages.models import Cycle, Package, Price
from packages.money import Money
from packages.states import Stateful
from provisioning.dialler.base import Limits


class Exchange(Stateful):
    """The terms a subscription gets instead of its own, at once or with its next period.

    Terms and sums are those of the day it was agreed. Amounts are minor units of the subscription's
    currency, as prices are meant (net or gross); `total_minor` is with tax: above zero it is to be
    paid first, below zero it was credited.
    """

    class Mode(models.TextChoices):
        NOW = "now", _("at once")
        AT_END = "at_end", _("at the end of the period")

    class State(models.TextChoices):
        PENDING = "pending", _("agreed")
        DONE = "done", _("done")
        CANCELLED = "cancelled", _("taken back")

    MOVES = {State.PENDING: frozenset({State.DONE, State.CANCELLED})}

    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="exchanges")
    mode = models.CharField(_("when"), max_length=8, choices=Mode.choices)
    state = models.CharField(
        _("state"), max_length=12, choices=State.choices, default=State.PENDING
    )
    replaced = models.ForeignKey(Package, models.PROTECT, related_name="+")
    package = models.ForeignKey(Package, models.PROTECT, related_name="+")
    price = models.ForeignKey(Price, models.SET_NULL, null=True, related_name="+")
    cycle = models.CharField(_("billing cycle"), max_length=12, choices=Cycle.choices)
    amount_minor = models.BigIntegerField()
    credit_minor = models.BigIntegerField(default=0)
    limits = models.JSONField(_("limits"))
    allowance = models.CharField(max_length=10, choices=Package.Allowance.choices)
    on = models.DateField(help_text="The first day that is charged by the new terms.")
    end_on = models.DateField(null=True, help_text="The end of the period it changes; none later.")
    rest_minor = models.BigIntegerField(default=0, help_text="The new package until `end_on`.")
    unused_minor = models.BigIntegerField(default=0, help_text="The old one's unused days.")
    kept_minor = models.BigIntegerField(default=0, help_text="Included credit that stays.")
    granted_minor = models.BigIntegerField(default=0, help_text="Included credit that is added.")
    total_minor = models.BigIntegerField(default=0)
    order_line = models.OneToOneField(OrderLine, models.PROTECT, null=True, related_name="exchange")
    credit_notes = models.ManyToManyField(Invoice, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("change of package")
        verbose_name_plural = _("changes of package")
        constraints = [
            models.UniqueConstraint(
                fields=["subscription"], condition=Q(state="pending"), name="exchange_one_pending"
            ),
            models.CheckConstraint(
                name="exchange_not_negative",
                condition=Q(
                    *((f"{name}_minor__gte", 0) for name in ("amount", "credit", "rest")),
                    *((f"{name}_minor__gte", 0) for name in ("unused", "kept", "granted")),
                ),
            ),
            models.CheckConstraint(
                name="exchange_now_has_days",
                condition=Q(mode="at_end", end_on__isnull=True)
                | Q(mode="now", end_on__isnull=False, end_on__gt=F("on")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.replaced} → {self.package}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.subscription.currency)

    @property
    def credit(self) -> Money:
        return Money(self.credit_minor, self.subscription.currency)

    @property
    def total(self) -> Money:
        return Money(self.total_minor, self.subscription.currency)

    @property
    def terms(self) -> Limits:
        return Limits.from_json(self.limits)

    @property
    def cause(self) -> str:
        """Return what the causes of its jobs begin with."""
        if self.order_line_id is not None:
            return f"order-line-{self.order_line_id}"
        return f"exchange-{self.pk}"
