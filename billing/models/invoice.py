"""Invoices. Once issued, a row never changes except for its state and what was paid (a trigger)."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from billing.models.customer import Customer
from billing.models.order import Order, OrderLine
from billing.models.subscription import Subscription
from packages.money import Money
from packages.states import Stateful


class TaxRate(models.Model):
    """The rate a country charges from a day on, until the next row of that country begins."""

    country = models.CharField(_("country"), max_length=2)
    rate_bp = models.PositiveIntegerField(_("rate in hundredths of a percent"))
    valid_from = models.DateField(_("valid from"))

    class Meta:
        ordering = ["country", "-valid_from"]
        verbose_name = _("tax rate")
        verbose_name_plural = _("tax rates")
        constraints = [
            models.UniqueConstraint(fields=["country", "valid_from"], name="tax_rate_once")
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.rate_bp / 100:g} % ({self.valid_from})"


class NumberSeries(models.Model):
    """The last number drawn of a series in a year. Locked while drawing, so there are no gaps."""

    code = models.CharField(max_length=8)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code", "year"], name="number_series_once")]

    def __str__(self) -> str:
        return f"{self.code}-{self.year}: {self.last}"


class Invoice(Stateful):
    """A demand for payment with snapshots of both parties; amounts in minor units of `currency`."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        OPEN = "open", _("open")
        PAID = "paid", _("paid")
        CANCELLED = "cancelled", _("cancelled")

    MOVES = {
        State.DRAFT: frozenset({State.OPEN}),
        State.OPEN: frozenset({State.PAID, State.CANCELLED}),
    }
    SERIES = "R"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="invoices")
    order = models.OneToOneField(Order, models.PROTECT, null=True, related_name="invoice")
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.DRAFT)
    series = models.CharField(max_length=8, blank=True)
    year = models.PositiveSmallIntegerField(null=True)
    sequence = models.PositiveIntegerField(null=True)
    number = models.CharField(_("number"), max_length=30, null=True, unique=True)
    currency = models.CharField(_("currency"), max_length=3)
    language = models.CharField(_("language"), max_length=5)
    issued_at = models.DateTimeField(_("issued"), null=True)
    issued_on = models.DateField(_("date"), null=True)
    due_on = models.DateField(_("due"), null=True)
    seller = models.JSONField(default=dict)
    buyer = models.JSONField(default=dict)
    net_minor = models.BigIntegerField(_("net"), default=0)
    tax_minor = models.BigIntegerField(_("tax"), default=0)
    total_minor = models.BigIntegerField(_("total"), default=0)
    tax_note = models.CharField(max_length=200, blank=True)
    paid_minor = models.BigIntegerField(_("paid"), default=0)
    paid_at = models.DateTimeField(_("paid at"), null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        indexes = [
            models.Index(fields=["due_on", "id"], condition=Q(state="open"), name="invoice_open")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["series", "year", "sequence"], name="invoice_number_once"
            ),
            models.CheckConstraint(
                name="invoice_draft_has_no_number",
                condition=Q(state="draft", number__isnull=True)
                | (~Q(state="draft") & Q(number__isnull=False)),
            ),
            models.CheckConstraint(
                name="invoice_adds_up", condition=Q(total_minor=F("net_minor") + F("tax_minor"))
            ),
            models.CheckConstraint(
                name="invoice_not_overpaid",
                condition=Q(paid_minor__gte=0, paid_minor__lte=F("total_minor")),
            ),
            models.CheckConstraint(
                name="invoice_paid_in_full",
                condition=~Q(state="paid") | Q(paid_minor=F("total_minor")),
            ),
        ]

    def __str__(self) -> str:
        return self.number or f"draft {self.pk}"

    @property
    def total(self) -> Money:
        return Money(self.total_minor, self.currency)

    @property
    def due(self) -> Money:
        """Return what is still to be paid."""
        return Money(self.total_minor - self.paid_minor, self.currency)


class InvoiceLine(models.Model):
    """One charge; `net_minor` is after tax was taken out, in minor units of the invoice's
    currency.
    """

    class Kind(models.TextChoices):
        RECURRING = "recurring", _("period")
        SETUP = "setup", _("set-up fee")
        CREDIT = "credit", _("credit")
        PACKAGE = "package", _("package")

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    description = models.CharField(max_length=200)
    period_start_on = models.DateField(null=True)
    period_end_on = models.DateField(null=True)
    quantity = models.PositiveIntegerField(default=1)
    unit_minor = models.BigIntegerField(help_text="As in the catalogue: net or gross by the mode.")
    net_minor = models.BigIntegerField()
    tax_bp = models.PositiveIntegerField()
    subscription = models.ForeignKey(Subscription, models.PROTECT, null=True)
    order_line = models.ForeignKey(OrderLine, models.PROTECT, null=True)

    class Meta:
        ordering = ["invoice", "position"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="invoice_position_once"),
            # One period of a subscription is charged once, whoever runs the billing and how often.
            models.UniqueConstraint(
                fields=["subscription", "period_start_on"],
                condition=Q(kind="recurring", period_start_on__isnull=False),
                name="invoice_period_once",
            ),
        ]

    def __str__(self) -> str:
        return self.description


class InvoiceTax(models.Model):
    """The sum of one rate group, as EN 16931 wants it: tax is computed per group, not per line."""

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="taxes")
    tax_bp = models.PositiveIntegerField()
    net_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()

    class Meta:
        ordering = ["invoice", "-tax_bp"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "tax_bp"], name="invoice_tax_once")
        ]

    def __str__(self) -> str:
        return f"{self.tax_bp / 100:g} %"
