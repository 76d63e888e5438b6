"""How an accountant with DATEV gets the books: numbers, and which account is which."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from billing.models.ledger import LedgerAccount


class DatevSettings(models.Model):
    """The one row with what the accountant calls the shop."""

    class Chart(models.TextChoices):
        SKR03 = "03", "SKR03"
        SKR04 = "04", "SKR04"

    consultant = models.PositiveIntegerField(
        _("consultant number"),
        validators=[MinValueValidator(1001), MaxValueValidator(9_999_999)],
        help_text=_("“Beraternummer”; the accountant knows it."),
    )
    client = models.PositiveIntegerField(
        _("client number"),
        validators=[MinValueValidator(1), MaxValueValidator(99_999)],
        help_text=_("“Mandantennummer”; the accountant knows it."),
    )
    chart = models.CharField(
        _("chart of accounts"), max_length=2, choices=Chart.choices, default=Chart.SKR03
    )
    digits = models.PositiveSmallIntegerField(
        _("digits of an account"),
        default=4,
        validators=[MinValueValidator(4), MaxValueValidator(8)],
    )
    year_begins = models.PositiveSmallIntegerField(
        _("month in which the business year begins"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(12)],
    )
    first_debtor = models.PositiveIntegerField(
        _("first debtor account"),
        default=10_000,
        help_text=_("A customer's account is this number plus the customer's own."),
    )

    class Meta:
        verbose_name = _("DATEV settings")
        verbose_name_plural = _("DATEV settings")

    def __str__(self) -> str:
        return f"{self.consultant} / {self.client}"

    def debtor(self, customer_id: int) -> int:
        return self.first_debtor + customer_id

    @property
    def last_debtor(self) -> int:
        """Return the last number that DATEV takes for a debtor: 69999 with four digits."""
        return int(7 * 10**self.digits) - 1


class DatevAccount(models.Model):
    """Which account of the accountant's chart stands for one of our books.

    The narrowest row that fits is taken: empty fields fit everything.
    """

    class Region(models.TextChoices):
        HOME = "home", _("the seller's country")
        EU = "eu", _("elsewhere in the EU")
        WORLD = "world", _("outside the EU")

    book = models.CharField(_("book"), max_length=20, choices=LedgerAccount.Kind.choices)
    gateway = models.CharField(_("gateway"), max_length=40, blank=True)
    region = models.CharField(
        _("buyer's country"), max_length=5, choices=Region.choices, blank=True
    )
    tax_bp = models.PositiveIntegerField(_("VAT in hundredths of a percent"), null=True, blank=True)
    account = models.PositiveIntegerField(_("account"))
    tax_key = models.CharField(
        _("tax key"),
        max_length=4,
        blank=True,
        validators=[RegexValidator(r"^\d{1,4}$")],
        help_text=_("“BU-Schlüssel”; empty for an account that knows its tax by itself."),
    )

    class Meta:
        ordering = ["book", "gateway", "region", "tax_bp", "id"]
        verbose_name = _("DATEV account")
        verbose_name_plural = _("DATEV accounts")

    def __str__(self) -> str:
        return f"{capfirst(self.get_book_display())} · {self.account}"

    @property
    def width(self) -> int:
        """Return how much it fits: the fewer, the narrower."""
        return [self.gateway, self.region, "" if self.tax_bp is None else "x"].count("")
