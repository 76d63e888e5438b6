"""What the bank says: statement files as they were handed in, and each line of them once."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from packages.money import Money
from packages.states import Stateful


class StatementLayout(models.Model):
    """How a bank's CSV file is read: its columns, by the names in its heading.

    Several names of one column, as they differ between a bank's exports, are separated by `|`.
    """

    class Encoding(models.TextChoices):
        UTF_8 = "utf-8", "UTF-8"
        WINDOWS = "cp1252", "Windows-1252"
        LATIN = "iso-8859-15", "ISO-8859-15"

    class Decimal(models.TextChoices):
        COMMA = ",", _("comma: 1.234,56")
        POINT = ".", _("point: 1,234.56")

    class Dates(models.TextChoices):
        DMY = "dmy", _("day first: 31.12.2026 or 31.12.26")
        YMD = "ymd", _("year first: 2026-12-31")
        MDY = "mdy", _("month first: 12/31/2026")

    class Delimiter(models.TextChoices):
        SEMICOLON = ";", _("semicolon")
        COMMA = ",", _("comma")
        TAB = "\t", _("tab")
        BAR = "|", _("vertical bar")

    name = models.CharField(_("name"), max_length=60, unique=True)
    delimiter = models.CharField(
        _("delimiter"), max_length=1, choices=Delimiter.choices, default=Delimiter.SEMICOLON
    )
    encoding = models.CharField(
        _("encoding"),
        max_length=12,
        choices=Encoding.choices,
        default=Encoding.UTF_8,
        help_text=_("For files that are not UTF-8."),
    )
    decimal = models.CharField(
        _("decimal sign"), max_length=1, choices=Decimal.choices, default=Decimal.COMMA
    )
    dates = models.CharField(_("dates"), max_length=3, choices=Dates.choices, default=Dates.DMY)
    booked_column = models.CharField(_("column: booked on"), max_length=100)
    valued_column = models.CharField(_("column: value date"), max_length=100, blank=True)
    amount_column = models.CharField(
        _("column: amount"), max_length=100, blank=True, help_text=_("With its sign.")
    )
    credit_column = models.CharField(
        _("column: money in"), max_length=100, blank=True, help_text=_("Where it has one.")
    )
    debit_column = models.CharField(_("column: money out"), max_length=100, blank=True)
    currency_column = models.CharField(_("column: currency"), max_length=100, blank=True)
    currency = models.CharField(
        _("currency"), max_length=3, default="EUR", help_text=_("Where no column says it.")
    )
    account_column = models.CharField(
        _("column: own account"),
        max_length=100,
        blank=True,
        help_text=_("Else the IBAN above the heading counts, else that of the brand."),
    )
    name_column = models.CharField(_("column: who sent it"), max_length=100, blank=True)
    iban_column = models.CharField(_("column: their IBAN"), max_length=100, blank=True)
    text_column = models.CharField(_("column: remittance text"), max_length=100)
    reference_column = models.CharField(
        _("column: end-to-end reference"), max_length=100, blank=True
    )
    kind_column = models.CharField(_("column: kind of booking"), max_length=100, blank=True)
    status_column = models.CharField(_("column: status"), max_length=100, blank=True)
    pending_words = models.CharField(
        _("words for not yet booked"),
        max_length=100,
        blank=True,
        help_text=_("Lines with such a status are left out; they come again once booked."),
    )

    class Meta:
        ordering = ["name"]
        verbose_name = _("statement layout")
        verbose_name_plural = _("statement layouts")
        constraints = [
            models.CheckConstraint(
                name="layout_has_amount", condition=~Q(amount_column="") | ~Q(credit_column="")
            )
        ]

    def __str__(self) -> str:
        return self.name


class StatementFile(Stateful):
    """A file from the bank as it was handed in; a worker reads it, and counts while it does."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        READING = "reading", _("being read")
        READ = "read", _("read")
        FAILED = "failed", _("could not be read")

    MOVES = {
        State.WAITING: frozenset({State.READING}),
        State.READING: frozenset({State.READ, State.FAILED}),
        State.FAILED: frozenset({State.WAITING}),
    }
    UNFINISHED = (State.WAITING, State.READING)

    name = models.CharField(_("file"), max_length=150)
    content = models.BinaryField()
    layout = models.ForeignKey(
        StatementLayout, models.PROTECT, null=True, blank=True, verbose_name=_("layout")
    )
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.WAITING
    )
    handed_in_at = models.DateTimeField(_("handed in"))
    handed_in_by = models.CharField(_("by"), max_length=80)
    finished_at = models.DateTimeField(_("read at"), null=True)
    again_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    lines_total = models.PositiveIntegerField(_("lines"), null=True)
    lines_done = models.PositiveIntegerField(_("lines read"), default=0)
    lines_new = models.PositiveIntegerField(_("new lines"), default=0)
    note = models.CharField(_("note"), max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("statement file")
        verbose_name_plural = _("statement files")
        indexes = [
            models.Index(
                fields=["again_at", "id"],
                condition=Q(state__in=("waiting", "reading")),
                name="statement_file_waiting",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def lines_known(self) -> int:
        return self.lines_done - self.lines_new

    @property
    def entries_booked(self) -> tuple[int, int]:
        """Return how many of its entries are booked, and of how many that are booked by
        themselves.
        """
        states = (BankEntry.State.BOOKED, BankEntry.State.MATCHED)
        counts = self.entries.filter(state__in=states).order_by().values_list("state")
        by_state = dict(counts.annotate(count=models.Count("id")))
        done = by_state.get(BankEntry.State.BOOKED, 0)
        return done, done + by_state.get(BankEntry.State.MATCHED, 0)


class BankEntry(Stateful):
    """One line of a bank account. `key` tells it apart, so no file brings it a second time.

    What came in is booked by payments that point here; `assigned_minor` is their sum. What left
    the account is kept, and never booked as income.
    """

    class State(models.TextChoices):
        MATCHED = "matched", _("to be booked")
        OPEN = "open", _("needs staff")
        BOOKED = "booked", _("booked")
        IGNORED = "ignored", _("put aside")
        OUTGOING = "outgoing", _("money out")

    MOVES = {
        State.MATCHED: frozenset({State.BOOKED, State.OPEN}),
        State.OPEN: frozenset({State.BOOKED, State.IGNORED}),
        State.BOOKED: frozenset({State.OPEN}),
        State.IGNORED: frozenset({State.OPEN}),
        State.OUTGOING: frozenset(),
    }
    # What a line of a statement is found to be when it is read.
    FIRST = (State.MATCHED, State.OPEN, State.OUTGOING)

    class Clue(models.TextChoices):
        """Why it was not booked by itself."""

        NO_REFERENCE = "no_reference", _("names no invoice")
        UNSURE = "unsure", _("names an invoice, but not exactly")
        NOT_OPEN = "not_open", _("the invoice it names is not open")
        SEVERAL = "several", _("names several invoices, and is not their sum")
        CURRENCY = "currency", _("the invoice it names has another currency")
        RETURNED = "returned", _("came back from a bank: no payment")
        TWIN = "twin", _("looks like an entry from another kind of file")
        COLLECTIVE = "collective", _("a collective entry, and the bank does not say of what")
        UNDONE = "undone", _("a booking was taken back")
        FAULT = "fault", _("booking it failed")

    file = models.ForeignKey(
        StatementFile, models.PROTECT, related_name="entries", verbose_name=_("file")
    )
    key = models.CharField(max_length=64)
    source = models.CharField(max_length=20, help_text="camt, or the layout it was read by.")
    account = models.CharField(_("own account"), max_length=40)
    booked_on = models.DateField(_("booked on"))
    valued_on = models.DateField(_("value date"), null=True)
    amount_minor = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    name = models.CharField(_("from or to"), max_length=140, blank=True)
    iban = models.CharField("IBAN", max_length=40, blank=True)
    text = models.TextField(_("remittance text"), blank=True)
    kind = models.CharField(_("kind of booking"), max_length=140, blank=True)
    bank_reference = models.CharField(_("bank's reference"), max_length=80, blank=True)
    end_to_end = models.CharField(_("end-to-end reference"), max_length=80, blank=True)
    returned = models.BooleanField(_("came back from a bank"), default=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices)
    clue = models.CharField(_("why"), max_length=14, choices=Clue.choices, blank=True)
    assigned_minor = models.BigIntegerField(_("booked"), default=0)

    class Meta:
        ordering = ["-booked_on", "-id"]
        verbose_name = _("bank entry")
        verbose_name_plural = _("bank entries")
        indexes = [
            models.Index(
                fields=["booked_on", "id"],
                condition=Q(state__in=("matched", "open")),
                name="bank_entry_waiting",
            ),
            models.Index(fields=["account", "booked_on", "amount_minor"], name="bank_entry_twins"),
            models.Index(fields=["iban"], condition=~Q(iban=""), name="bank_entry_iban"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["key"], name="bank_entry_once"),
            models.CheckConstraint(name="bank_entry_not_zero", condition=~Q(amount_minor=0)),
            # Money that left us is assigned to nobody, and what came in at most once.
            models.CheckConstraint(
                name="bank_entry_not_over_assigned",
                condition=Q(assigned_minor=0)
                | Q(assigned_minor__gt=0, amount_minor__gte=F("assigned_minor")),
            ),
            models.CheckConstraint(
                name="bank_entry_booked_in_full",
                condition=~Q(state="booked") | Q(assigned_minor=F("amount_minor")),
            ),
            models.CheckConstraint(
                name="bank_entry_outgoing_is_negative",
                condition=~Q(state="outgoing") | Q(amount_minor__lt=0),
            ),
        ]

    def __str__(self) -> str:
        return " · ".join(filter(None, [date_format(self.booked_on), self.name or self.iban]))

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def rest(self) -> Money:
        """Return what of it is not booked yet; nothing of what left us."""
        return Money(max(0, self.amount_minor - self.assigned_minor), self.currency)
