"""The double-entry ledger: append-only, every transaction sums to zero. Triggers enforce both."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from billing import gateways
from billing.models.customer import Customer
from packages.desk.cells import amount
from packages.money import Money


class LedgerAccount(models.Model):
    """A book. Debit is positive: a receivable grows by plus, revenue by minus."""

    class Kind(models.TextChoices):
        RECEIVABLE = "receivable", _("receivable")
        CUSTOMER_CREDIT = "customer_credit", _("customer credit")
        REVENUE = "revenue", _("revenue")
        TAX_PAYABLE = "tax_payable", _("tax payable")
        CLEARING = "clearing", _("gateway clearing")
        BAD_DEBT = "bad_debt", _("bad debt")
        REFUND = "refund", _("refunds on their way")
        GATEWAY_FEES = "gateway_fees", _("gateway fees")
        PAYOUT = "payout", _("payouts on their way to the bank")
        DISPUTED = "disputed", _("taken back by payers' banks")
        SUSPENSE = "suspense", _("moved at a gateway, to be explained")

    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    name = models.CharField(
        _("name"), max_length=40, blank=True, help_text="The gateway of a clearing account."
    )
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="books")
    currency = models.CharField(_("currency"), max_length=3)

    class Meta:
        verbose_name = _("ledger account")
        verbose_name_plural = _("ledger accounts")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "name", "customer", "currency"],
                name="ledger_account_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        name = str(gateways.named(self.name)) if self.name else ""
        return " · ".join(filter(None, [capfirst(self.get_kind_display()), name, self.currency]))


class LedgerTransaction(models.Model):
    """One business event in the books; `cause` names it and is posted once."""

    cause = models.CharField(_("cause"), max_length=60, unique=True)
    at = models.DateTimeField(_("at"))
    invoice = models.ForeignKey("Invoice", models.PROTECT, null=True, related_name="bookings")
    payment = models.ForeignKey("Payment", models.PROTECT, null=True, related_name="bookings")
    allocation = models.ForeignKey("Allocation", models.PROTECT, null=True, related_name="bookings")
    refund = models.ForeignKey("Refund", models.PROTECT, null=True, related_name="bookings")

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["at"], name="ledger_by_time")]
        verbose_name = _("ledger transaction")
        verbose_name_plural = _("ledger transactions")

    def __str__(self) -> str:
        return f"{capfirst(str(self._meta.verbose_name))} {self.pk}"


class Posting(models.Model):
    """One side of a transaction, in minor units of the account's currency; debit positive."""

    transaction = models.ForeignKey(LedgerTransaction, models.PROTECT, related_name="postings")
    account = models.ForeignKey(LedgerAccount, models.PROTECT, related_name="postings")
    amount_minor = models.BigIntegerField(_("amount"))

    class Meta:
        ordering = ["id"]
        verbose_name = _("posting")
        verbose_name_plural = _("postings")
        constraints = [
            models.CheckConstraint(name="posting_not_zero", condition=~Q(amount_minor=0))
        ]

    def __str__(self) -> str:
        return f"{self.account}: {amount(Money(self.amount_minor, self.account.currency))}"
