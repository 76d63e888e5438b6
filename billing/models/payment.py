"""Money that came in, and the gateways' messages about it."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import F, OuterRef, Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing.models.bank import BankEntry
from billing.models.customer import Customer
from billing.models.invoice import Invoice
from billing.models.method import PaymentMethod
from packages.desk.cells import amount
from packages.money import Money
from packages.states import Stateful


class Payment(Stateful):
    """One attempt to pay an invoice at a gateway; `key` is the idempotency key we give the
    gateway.

    With a `method` it is a charge of that saved method, sent by us and not by the customer's
    browser: once, at `sent_at`. One with a `turn` was asked for by the calendar, `turn_on` a day.
    """

    class State(models.TextChoices):
        CREATED = "created", _("started")
        PROCESSING = "processing", _("being confirmed")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    # Success is final and always believed: a customer may pay on a page we had given up.
    MOVES = {
        State.CREATED: frozenset(
            {State.PROCESSING, State.SUCCEEDED, State.FAILED, State.CANCELLED}
        ),
        State.PROCESSING: frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED}),
        State.FAILED: frozenset({State.PROCESSING, State.SUCCEEDED}),
        State.CANCELLED: frozenset({State.PROCESSING, State.SUCCEEDED}),
    }
    OPEN = (State.CREATED, State.PROCESSING)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    customer = models.ForeignKey(
        Customer, models.PROTECT, related_name="payments", verbose_name=_("customer")
    )
    invoice = models.ForeignKey(
        Invoice, models.PROTECT, related_name="payments", verbose_name=_("invoice")
    )
    gateway = models.CharField(_("gateway"), max_length=20)
    livemode = models.BooleanField(_("live mode"), default=False)
    state = models.CharField(
        _("state"), max_length=12, choices=State.choices, default=State.CREATED
    )
    amount_minor = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    external_id = models.CharField(_("id at the gateway"), max_length=80, null=True)
    redirect_url = models.TextField(blank=True)
    failure_code = models.CharField(_("code of the failure"), max_length=40, blank=True)
    failure_message = models.CharField(_("the gateway's words"), max_length=200, blank=True)
    refunded_minor = models.BigIntegerField(
        default=0, help_text="What was given back of it, or is on its way back."
    )
    fetched_minor = models.BigIntegerField(null=True)
    fetched_currency = models.CharField(max_length=3, blank=True)
    confirmed_at = models.DateTimeField(_("confirmed by the gateway"), null=True)
    disputed_at = models.DateTimeField(_("disputed since"), null=True)
    dispute_ended_at = models.DateTimeField(_("dispute ended"), null=True)
    dispute = models.CharField(
        _("dispute"),
        max_length=4,
        blank=True,
        choices=[("open", _("open")), ("won", _("won")), ("lost", _("lost"))],
    )
    dispute_url = models.URLField(_("answer the dispute"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("started"))
    succeeded_at = models.DateTimeField(_("succeeded"), null=True)
    next_check_at = models.DateTimeField(_("next check"), null=True)
    checks = models.PositiveIntegerField(_("checks"), default=0)
    consent: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(
        _("consent to keep the method"), default=dict
    )
    method = models.ForeignKey(
        PaymentMethod, models.PROTECT, null=True, related_name="charges", verbose_name=_("method")
    )
    bank_entry = models.ForeignKey(
        BankEntry, models.PROTECT, null=True, related_name="payments", verbose_name=_("bank entry")
    )
    sent_at = models.DateTimeField(_("charge sent"), null=True)
    turn = models.PositiveSmallIntegerField(_("automatic attempt"), null=True)
    turn_on = models.DateField(_("automatic on"), null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        indexes = [
            models.Index(
                fields=["next_check_at", "id"],
                condition=Q(next_check_at__isnull=False),
                name="payment_to_check",
            ),
            models.Index(
                fields=["turn_on"], condition=Q(turn_on__isnull=False), name="payment_turns"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "livemode", "external_id"], name="payment_external_once"
            ),
            models.UniqueConstraint(
                fields=["invoice"],
                condition=Q(state__in=("created", "processing")),
                name="payment_one_open_per_invoice",
            ),
            # The calendar charges an invoice once a day at most, and each time it counts.
            models.UniqueConstraint(fields=["invoice", "turn"], name="payment_turn_once"),
            models.UniqueConstraint(fields=["invoice", "turn_on"], name="payment_one_turn_a_day"),
            models.CheckConstraint(
                name="payment_turn_has_method",
                condition=Q(turn__isnull=True, turn_on__isnull=True)
                | Q(turn__isnull=False, turn_on__isnull=False, method__isnull=False),
            ),
            models.CheckConstraint(name="payment_positive", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="payment_not_over_refunded",
                condition=Q(refunded_minor__gte=0, amount_minor__gte=F("refunded_minor")),
            ),
            # A success is only what the gateway itself said, for exactly this amount.
            models.CheckConstraint(
                name="payment_success_was_fetched",
                condition=~Q(state="succeeded")
                | Q(
                    confirmed_at__isnull=False,
                    fetched_minor__isnull=False,
                    fetched_minor=F("amount_minor"),
                    fetched_currency=F("currency"),
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{amount(self.amount)} · {date_format(localtime(self.created_at))}"

    @property
    def is_disputed(self) -> bool:
        """Say whether the payer's bank asks for the money back, or has got it."""
        return self.dispute in ("open", "lost")

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def invoices(self) -> list[Invoice]:
        """Return what it pays, its own invoice first."""
        others = [part.invoice for part in self.parts.select_related("invoice").order_by("id")]
        return [self.invoice, *others]

    @property
    def waits_to_be_sent(self) -> bool:
        return self.method_id is not None and self.sent_at is None and self.state in self.OPEN


class PaymentPart(models.Model):
    """A further invoice that a payment pays at once; the first one is the payment's own."""

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="parts")
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="parts")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payment", "invoice"], name="payment_part_once"),
        ]

    def __str__(self) -> str:
        return f"{self.payment} → {self.invoice}"


def paying(invoice: Invoice | OuterRef) -> Q:
    """Return what holds for the payments of an invoice, alone or together with others."""
    return Q(invoice=invoice) | Q(parts__invoice=invoice)


class Allocation(models.Model):
    """What part of a payment, or of the customer's balance, settles which invoice.

    The rest of a payment goes onto the balance.
    """

    payment = models.ForeignKey(Payment, models.PROTECT, null=True, related_name="allocations")
    use = models.PositiveSmallIntegerField(
        null=True, help_text="Which use of the balance for its invoice it is, from 1."
    )
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="allocations")
    amount_minor = models.BigIntegerField()
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("allocation")
        verbose_name_plural = _("allocations")
        constraints = [
            models.UniqueConstraint(fields=["payment", "invoice"], name="allocation_once"),
            models.UniqueConstraint(fields=["invoice", "use"], name="allocation_use_once"),
            models.CheckConstraint(
                name="allocation_has_source",
                condition=Q(payment__isnull=False, use__isnull=True)
                | Q(payment__isnull=True, use__isnull=False),
            ),
            models.CheckConstraint(name="allocation_positive", condition=Q(amount_minor__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.payment or gettext('balance')} → {self.invoice}"


class GatewayEvent(models.Model):
    """The inbox: a verified webhook, stored as it came. It is a hint to fetch, never a fact."""

    class State(models.TextChoices):
        RECEIVED = "received", _("waiting")
        PROCESSED = "processed", _("processed")
        IGNORED = "ignored", _("ignored")
        PARKED = "parked", _("needs staff")

    gateway = models.CharField(_("gateway"), max_length=20)
    account = models.CharField(_("account"), max_length=60)
    livemode = models.BooleanField(_("live mode"))
    external_id = models.CharField(_("id at the gateway"), max_length=80)
    kind = models.CharField(_("kind"), max_length=60)
    payment_external_id = models.CharField(_("payment at the gateway"), max_length=80, blank=True)
    body = models.BinaryField()
    created_at = models.DateTimeField(_("sent"))
    received_at = models.DateTimeField(_("received"))
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.RECEIVED
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True)
    processed_at = models.DateTimeField(_("processed"), null=True)
    note = models.CharField(_("note"), max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("gateway event")
        verbose_name_plural = _("gateway events")
        indexes = [
            models.Index(
                fields=["next_attempt_at", "id"],
                condition=Q(state="received"),
                name="gateway_event_waiting",
            ),
            models.Index(
                fields=["payment_external_id"],
                condition=Q(state="received"),
                name="gateway_event_of_payment",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "account", "livemode", "external_id"],
                name="gateway_event_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} · {self.external_id}"
