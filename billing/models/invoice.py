"""Invoices and credit notes. Once issued, a row never changes except for its state and what was
paid or credited on it (a trigger).
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing.models.customer import Customer
from billing.models.order import Order, OrderLine
from billing.models.subscription import Subscription
from packages import countries
from packages.desk.cells import percent
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
        named = f"{countries.name(self.country)} {percent(self.rate_bp)}"
        return f"{named} ({date_format(self.valid_from)})"


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
    """A demand for payment, or a credit note that takes one back in part or in full.

    Carries snapshots of both parties. Amounts are minor units of `currency`, and those of a credit
    note are positive too: `kind` says which way they count.
    """

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("invoice")
        CREDIT_NOTE = "credit_note", _("credit note")

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        OPEN = "open", _("open")
        PAID = "paid", _("paid")
        CANCELLED = "cancelled", _("cancelled")
        WRITTEN_OFF = "written_off", _("written off")
        ISSUED = "issued", _("issued")

    MOVES = {
        # A credit note asks for nothing, so it is issued and that is the end of it.
        State.DRAFT: frozenset({State.OPEN, State.ISSUED}),
        State.OPEN: frozenset({State.PAID, State.CANCELLED, State.WRITTEN_OFF}),
    }
    SERIES = "R"
    CREDIT_SERIES = "G"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="invoices")
    order = models.OneToOneField(Order, models.PROTECT, null=True, related_name="invoice")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices, default=Kind.INVOICE)
    corrects = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="credit_notes", verbose_name=_("corrects")
    )
    correction = models.PositiveSmallIntegerField(
        null=True, help_text="Which credit note of its invoice it is, from 1."
    )
    reason = models.CharField(_("reason"), max_length=250, blank=True)
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
    tax_note = models.CharField(_("tax note"), max_length=200, blank=True)
    prices_include_tax = models.BooleanField(
        default=True, help_text="How the unit prices of the lines are meant."
    )
    paid_minor = models.BigIntegerField(_("paid"), default=0)
    prepaid_minor = models.BigIntegerField(
        default=0, help_text="What the customer's balance had paid when it was issued."
    )
    credited_minor = models.BigIntegerField(
        default=0, help_text="What credit notes took off the sum that is due."
    )
    written_off_minor = models.BigIntegerField(
        default=0, help_text="What is not expected to be paid any more."
    )
    paid_at = models.DateTimeField(_("paid at"), null=True)
    next_step_on = models.DateField(
        null=True, help_text="The day on which dunning looks at it again, while it is open."
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        indexes = [
            models.Index(fields=["due_on", "id"], condition=Q(state="open"), name="invoice_open"),
            models.Index(
                fields=["next_step_on", "id"],
                condition=Q(state="open", next_step_on__isnull=False),
                name="invoice_to_dun",
            ),
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
                condition=Q(
                    paid_minor__gte=0,
                    credited_minor__gte=0,
                    total_minor__gte=F("paid_minor") + F("credited_minor"),
                ),
            ),
            models.CheckConstraint(
                name="invoice_written_off_in_full",
                condition=Q(written_off_minor=0) & ~Q(state="written_off")
                | Q(
                    state="written_off",
                    total_minor=F("paid_minor") + F("credited_minor") + F("written_off_minor"),
                ),
            ),
            models.CheckConstraint(
                name="invoice_prepaid_was_paid",
                condition=Q(prepaid_minor__gte=0, paid_minor__gte=F("prepaid_minor")),
            ),
            models.CheckConstraint(
                name="invoice_paid_in_full",
                condition=~Q(state="paid") | Q(total_minor=F("paid_minor") + F("credited_minor")),
            ),
            models.UniqueConstraint(
                fields=["corrects", "correction"], name="invoice_correction_once"
            ),
            models.CheckConstraint(
                name="invoice_kind_fits",
                condition=Q(kind="invoice", corrects__isnull=True, correction__isnull=True)
                & ~Q(state="issued")
                | Q(
                    kind="credit_note",
                    corrects__isnull=False,
                    correction__isnull=False,
                    state__in=["draft", "issued"],
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.number or gettext("draft %(number)s") % {"number": self.pk}

    @property
    def total(self) -> Money:
        return Money(self.total_minor, self.currency)

    @property
    def paid(self) -> Money:
        return Money(self.paid_minor, self.currency)

    @property
    def prepaid(self) -> Money:
        return Money(self.prepaid_minor, self.currency)

    @property
    def due(self) -> Money:
        """Return what is still to be paid; nothing ever on a credit note."""
        if self.is_credit_note:
            return Money.zero(self.currency)
        settled = self.paid_minor + self.credited_minor + self.written_off_minor
        return Money(self.total_minor - settled, self.currency)

    @property
    def is_credit_note(self) -> bool:
        return self.kind == self.Kind.CREDIT_NOTE

    @property
    def effect(self) -> Money:
        """Return what the document does to the customer's account: a credit note takes back."""
        return -self.total if self.is_credit_note else self.total


class InvoiceLine(models.Model):
    """One charge; `net_minor` is after tax was taken out, in minor units of the invoice's
    currency.
    """

    class Kind(models.TextChoices):
        RECURRING = "recurring", _("period")
        SETUP = "setup", _("set-up fee")
        CREDIT = "credit", _("credit")
        PACKAGE = "package", _("package")
        DISCOUNT = "discount", _("discount")
        EXCHANGE = "exchange", _("exchange of package")

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField(_("position"))
    kind = models.CharField(max_length=12, choices=Kind.choices)
    description = models.CharField(_("description"), max_length=200)
    period_start_on = models.DateField(null=True)
    period_end_on = models.DateField(null=True)
    quantity = models.PositiveIntegerField(default=1)
    unit_minor = models.BigIntegerField(help_text="As in the catalogue: net or gross by the mode.")
    net_minor = models.BigIntegerField()
    tax_bp = models.PositiveIntegerField()
    subscription = models.ForeignKey(Subscription, models.PROTECT, null=True)
    order_line = models.ForeignKey(OrderLine, models.PROTECT, null=True)
    corrects = models.ForeignKey("self", models.PROTECT, null=True, related_name="corrections")
    redemption = models.ForeignKey(
        "Redemption", models.PROTECT, null=True, related_name="discounts"
    )
    sets_off = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        related_name="set_offs",
        help_text="The earlier charge whose unused days this line gives back.",
    )

    class Meta:
        verbose_name = _("invoice line")
        verbose_name_plural = _("invoice lines")
        ordering = ["invoice", "position"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="invoice_position_once"),
            # One period of a subscription is charged once, whoever runs the billing and how often.
            models.UniqueConstraint(
                fields=["subscription", "period_start_on"],
                condition=Q(kind="recurring", period_start_on__isnull=False, corrects__isnull=True),
                name="invoice_period_once",
            ),
            models.UniqueConstraint(fields=["invoice", "redemption"], name="discount_once"),
            models.UniqueConstraint(
                fields=["redemption", "period_start_on"], name="discount_period_once"
            ),
            models.CheckConstraint(
                name="discount_takes_off",
                condition=~Q(kind="discount")
                | Q(corrects__isnull=False)
                | Q(redemption__isnull=False, unit_minor__lt=0),
            ),
            models.CheckConstraint(
                name="set_off_takes_off",
                condition=Q(sets_off__isnull=True)
                | Q(kind="exchange", corrects__isnull=True, unit_minor__lte=0),
            ),
        ]

    def __str__(self) -> str:
        return self.description

    @property
    def amount(self) -> Money:
        """Return what the whole line costs, net or gross by the invoice's price mode."""
        return Money(self.unit_minor, self.invoice.currency).times(self.quantity)


class InvoiceTax(models.Model):
    """The sum of one rate group, as EN 16931 wants it: tax is computed per group, not per line."""

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="taxes")
    tax_bp = models.PositiveIntegerField()
    net_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()

    class Meta:
        verbose_name = _("tax of an invoice")
        verbose_name_plural = _("taxes of an invoice")
        ordering = ["invoice", "-tax_bp"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "tax_bp"], name="invoice_tax_once")
        ]

    def __str__(self) -> str:
        return percent(self.tax_bp)
