"""Bank entries: what was booked by itself, and what a person has to assign or put aside."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import bank_entries, matching
from billing.matching import Confidence
from billing.models import BankEntry, Customer, Invoice, Payment
from packages.desk import Impossible
from packages.desk.cells import EMPTY, amount, amount_of, day, link, state
from packages.desk.deeds import Deed, DeedForm, ReasonForm, Text, in_unit
from packages.desk.pages import ReadOnlyInline, ReadOnlyPage
from packages.money import Money

State = BankEntry.State
CONFIDENCE = {
    Confidence.REFERENCE: gettext_lazy("its number is quoted"),
    Confidence.UNSURE_REFERENCE: gettext_lazy("its number is perhaps quoted"),
    Confidence.NAME_AND_AMOUNT: gettext_lazy("name and amount agree"),
    Confidence.ACCOUNT_AND_AMOUNT: gettext_lazy("the account is known, and the amount agrees"),
    Confidence.ACCOUNT: gettext_lazy("the account is known"),
    Confidence.AMOUNT: gettext_lazy("only the amount agrees"),
}


def partial() -> forms.DecimalField:
    return forms.DecimalField(
        label=gettext_lazy("Amount, if only a part of the entry"),
        localize=True,
        required=False,
        max_digits=14,
        help_text=gettext_lazy("The rest of the entry waits for you, so it can be split."),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


class ProposalForm(DeedForm):
    invoice = forms.ChoiceField(label=gettext_lazy("Invoice"), widget=forms.RadioSelect)
    amount = partial()

    def __init__(self, data: Any, entry: BankEntry) -> None:
        super().__init__(data)
        in_unit(self, entry.currency, "amount")
        field = self.fields["invoice"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(each.invoice.pk, _told(each)) for each in matching.proposals(entry)]


class AssignForm(DeedForm):
    to = forms.CharField(
        label=gettext_lazy("Number of the invoice, or e-mail address of the customer"),
        max_length=254,
        widget=forms.TextInput(attrs={"size": 32}),
        help_text=gettext_lazy(
            "A customer's open invoices are paid, the oldest first; the rest becomes their credit."
        ),
    )
    amount = partial()


class EntryDeed(Deed):
    """A deed of an entry that waits for staff and brought money."""

    def offered(self, row: BankEntry) -> bool:
        return row.state == State.OPEN and bool(row.rest)

    def facts(self, row: BankEntry) -> Sequence[tuple[Text, Any]]:
        return [
            (_("Booked by the bank on"), day(row.booked_on)),
            (_("From"), " · ".join(filter(None, (row.name, row.iban))) or EMPTY),
            (_("Remittance text"), row.text or EMPTY),
            (_("Amount"), amount(row.amount)),
            (_("Not booked yet"), amount(row.rest)),
            (_("Why it was not booked by itself"), row.get_clue_display() or EMPTY),
        ]

    def effects(self, row: BankEntry) -> Sequence[Text]:
        return [
            _("The money is booked as a bank transfer, as of the bank's day."),
            _("Less leaves the invoice open with the rest; more goes onto the customer's balance."),
            _("An invoice that is paid in full gives what was ordered; the customer gets a mail."),
        ]


class BookProposed(EntryDeed):
    code = "book"
    label = gettext_lazy("Book on a proposed invoice…")
    guarded = True

    def offered(self, row: BankEntry) -> bool:
        return super().offered(row) and bool(matching.proposals(row))

    def form_for(self, row: BankEntry, data: Any) -> DeedForm:
        return ProposalForm(data, row)

    def carry_out(self, row: BankEntry, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        invoice = Invoice.objects.select_related("customer").get(pk=given["invoice"])
        paid = bank_entries.assign(row, invoice, _part(row, given), at=at, actor=actor)
        return _booked([paid])


class AssignByHand(EntryDeed):
    code = "assign"
    label = gettext_lazy("Assign…")
    guarded = True
    form = AssignForm
    sums = ("amount",)

    def carry_out(self, row: BankEntry, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        part = _part(row, given)
        if "@" in given["to"]:
            customer = _customer(given["to"])
            paid = bank_entries.assign_to_customer(row, customer, part, at=at, actor=actor)
        else:
            invoice = _invoice(given["to"])
            paid = [bank_entries.assign(row, invoice, part, at=at, actor=actor)]
        return _booked(paid)


class PutAside(EntryDeed):
    code = "ignore"
    label = gettext_lazy("Put aside…")
    form = ReasonForm

    def offered(self, row: BankEntry) -> bool:
        return row.state == State.OPEN and not row.assigned_minor

    def effects(self, row: BankEntry) -> Sequence[Text]:
        return [
            _("Nothing is booked. The entry is not asked about any more, also if it comes again."),
            _("Choose this for what is no customer's payment."),
        ]

    def carry_out(self, row: BankEntry, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        bank_entries.ignore(row, reason=given["reason"], at=at, actor=actor)
        return _("The entry is put aside.")


class TakeUp(EntryDeed):
    code = "reopen"
    label = gettext_lazy("Take up again…")
    form = ReasonForm

    def offered(self, row: BankEntry) -> bool:
        return row.state == State.IGNORED

    def effects(self, row: BankEntry) -> Sequence[Text]:
        return [_("The entry waits for you again; nothing is booked by that.")]

    def carry_out(self, row: BankEntry, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        bank_entries.reopen(row, reason=given["reason"], at=at, actor=actor)
        return _("The entry waits for you again.")


class UndoBooking(Deed):
    """At a payment: the entry it came from was assigned wrongly."""

    code = "undo"
    label = gettext_lazy("Take back to the bank entry…")
    guarded = True
    danger = True
    form = ReasonForm

    def offered(self, row: Payment) -> bool:
        return bank_entries.undoable(row)

    def effects(self, row: Payment) -> Sequence[Text]:
        return [
            _("%(amount)s leave the customer's balance by a booking the other way round.")
            % {"amount": amount(row.amount)},
            _("The bank entry waits for you again, to be assigned rightly."),
            _("The customer gets no mail about it."),
        ]

    def facts(self, row: Payment) -> Sequence[tuple[Text, Any]]:
        return [
            (_("Customer"), link(row.customer)),
            (_("Invoice"), link(row.invoice)),
            (_("Amount"), amount(row.amount)),
            (_("Bank entry"), link(row.bank_entry)),
        ]

    def carry_out(self, row: Payment, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        bank_entries.undo(row, reason=given["reason"], at=at, actor=actor)
        return _("%(amount)s are taken back.") % {"amount": amount(row.amount)}


class Payments(ReadOnlyInline):
    model = Payment
    fk_name = "bank_entry"
    verbose_name_plural = gettext_lazy("booked as")
    fields = ("customer", "invoice", "total", "state")
    readonly_fields = fields

    @admin.display(description=gettext_lazy("amount"))
    def total(self, row: Payment) -> str:
        return amount(row.amount)


@admin.register(BankEntry)
class BankEntryPage(ReadOnlyPage):
    deeds = (BookProposed(), AssignByHand(), PutAside(), TakeUp())
    list_display = ("booked_on", "name", "sum", "words", "status", "clue")
    list_filter = ("state", "clue", "account", "currency", "booked_on")
    date_hierarchy = "booked_on"
    search_fields = ("name", "iban", "text", "end_to_end", "bank_reference")
    inlines = (Payments,)
    readonly_fields = ("status", "sum", "assigned", "file_link")
    fieldsets = (
        (None, {"fields": ("status", "clue", ("sum", "assigned"), "text", ("name", "iban"))}),
        (
            gettext_lazy("At the bank"),
            {
                "fields": (
                    ("booked_on", "valued_on", "account"),
                    ("kind", "bank_reference", "end_to_end"),
                    "file_link",
                )
            },
        ),
    )

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, row: BankEntry) -> str:
        return state(row)

    @admin.display(description=gettext_lazy("amount"), ordering="amount_minor")
    def sum(self, row: BankEntry) -> str:
        return amount(row.amount)

    @admin.display(description=gettext_lazy("booked"))
    def assigned(self, row: BankEntry) -> str:
        return amount_of(row.assigned_minor, row.currency)

    @admin.display(description=gettext_lazy("remittance text"))
    def words(self, row: BankEntry) -> str:
        return Truncator(row.text).chars(60)

    @admin.display(description=gettext_lazy("file"))
    def file_link(self, row: BankEntry) -> str:
        return link(row.file)


def _told(proposal: matching.Proposal) -> str:
    invoice = proposal.invoice
    due = invoice.due
    rest = _("%(amount)s due") % {"amount": amount(due)} if due else invoice.get_state_display()
    parts = (invoice.number, invoice.customer, rest, CONFIDENCE[proposal.confidence])
    return " · ".join(str(part) for part in parts)


def _part(row: BankEntry, given: dict[str, Any]) -> Money:
    """Return what is to be booked: the part that was typed, or all that is left."""
    typed: Decimal | None = given["amount"]
    if typed is None:
        return row.rest
    try:
        return Money.of_decimal(typed, row.currency)
    except ValueError as error:
        raise Impossible(str(error)) from error


def _invoice(number: str) -> Invoice:
    invoices = Invoice.objects.filter(kind=Invoice.Kind.INVOICE, number__iexact=number.strip())
    found = invoices.select_related("customer").first()
    if found is None:
        raise Impossible(_("There is no invoice with this number."))
    return found


def _customer(email: str) -> Customer:
    found = list(Customer.objects.filter(email__iexact=email.strip())[:2])
    if len(found) != 1:
        raise Impossible(_("Not exactly one customer has this address. Use an invoice's number."))
    return found[0]


def _booked(paid: Sequence[Payment]) -> str:
    said = [f"{amount(each.amount)} ({each.invoice.number})" for each in paid]
    return _("Booked: %(parts)s.") % {"parts": ", ".join(said)}
