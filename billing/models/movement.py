"""What moved on our balance at a gateway, and where its word and ours differ."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from billing import gateways
from billing.models.payment import Payment
from packages.desk.cells import amount
from packages.money import Money


class Movement(models.Model):
    """A line of the gateway's own account statement: a payment, refund, dispute, fee or payout.

    What it cost us and what was paid out is booked from it, once; `external_id` is the gateway's.
    """

    class Kind(models.TextChoices):
        PAYMENT = "payment", _("payment")
        REFUND = "refund", _("refund")
        DISPUTE = "dispute", _("dispute")
        FEE = "fee", _("fee")
        PAYOUT = "payout", _("payout")
        OTHER = "other", _("something else")

    gateway = models.CharField(_("gateway"), max_length=20)
    livemode = models.BooleanField(_("live mode"))
    external_id = models.CharField(_("id at the gateway"), max_length=80)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    amount_minor = models.BigIntegerField(_("amount"))
    fee_minor = models.BigIntegerField(_("fee"))
    currency = models.CharField(_("currency"), max_length=3)
    payment = models.ForeignKey(
        Payment, models.PROTECT, null=True, related_name="movements", verbose_name=_("payment")
    )
    at = models.DateTimeField(_("at"))

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = _("movement at a gateway")
        verbose_name_plural = _("movements at gateways")
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "livemode", "external_id"], name="movement_once"
            )
        ]

    def __str__(self) -> str:
        return (
            f"{capfirst(self.get_kind_display())} {amount(self.amount)}"
            f" · {date_format(localtime(self.at))}"
        )

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def fee(self) -> Money:
        return Money(self.fee_minor, self.currency)


class Difference(models.Model):
    """Where a gateway and our books do not agree. It goes away by itself once they do."""

    class Kind(models.TextChoices):
        UNKNOWN = "unknown", _("paid there, and not known here")
        MISSING = "missing", _("paid here, and not known there")
        STATE = "state", _("paid there, and not here")
        AMOUNT = "amount", _("another amount")
        REFUNDED = "refunded", _("another sum was refunded")
        EVENTS = "events", _("events did not reach us")
        CURRENCY = "currency", _("settled in another currency")
        UNMATCHED = "unmatched", _("moved without a payment of ours")
        UNBOOKED = "unbooked", _("paid here, and on no statement of theirs")

    gateway = models.CharField(_("gateway"), max_length=20)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    subject = models.CharField(_("about"), max_length=80)
    text = models.CharField(_("what differs"), max_length=300)
    payment = models.ForeignKey(
        Payment, models.PROTECT, null=True, related_name="differences", verbose_name=_("payment")
    )
    found_at = models.DateTimeField(_("found"))
    seen_at = models.DateTimeField(_("last seen"))
    settled_at = models.DateTimeField(_("settled"), null=True)
    note = models.CharField(_("note"), max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("difference to a gateway")
        verbose_name_plural = _("differences to gateways")
        constraints = [
            models.UniqueConstraint(fields=["gateway", "kind", "subject"], name="difference_once")
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=Q(settled_at__isnull=True), name="difference_open"
            )
        ]

    def __str__(self) -> str:
        parts = (capfirst(self.get_kind_display()), gateways.named(self.gateway), self.subject)
        return " · ".join(str(part) for part in parts)
