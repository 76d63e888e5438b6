"""Payments: what came in. The one thing staff can do is to say that a bank transfer arrived."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import desk, disputes, gateways, refunds
from billing.admin.bank_entries import UndoBooking
from billing.admin.gateway_names import GatewayFilter, OfGateway, called
from billing.admin.refunds import RefundPayment
from billing.models import Allocation, Invoice, Payment
from packages.desk import Impossible
from packages.desk.cells import EMPTY, amount, amount_of, counted, link, moment, state
from packages.desk.deeds import Deed, DeedForm, ReasonForm, Text
from packages.desk.pages import ReadOnlyInline, ReadOnlyPage
from packages.money import Money


def _facts(row: Payment, sum_is: str) -> list[tuple[Text, Any]]:
    return [
        (_("Customer"), link(row.customer)),
        (_("Invoice"), link(row.invoice)),
        (sum_is, amount(row.amount)),
        (_("Started"), moment(row.created_at)),
    ]


class TransferForm(DeedForm):
    amount = forms.DecimalField(
        label=gettext_lazy("Amount on the bank statement"),
        localize=True,
        max_digits=14,
        help_text=gettext_lazy("Type it as it stands there."),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    differs = forms.BooleanField(
        label=gettext_lazy("Another sum than expected arrived"),
        label_suffix="",
        required=False,
        help_text=gettext_lazy(
            "Less leaves the invoice open with the rest; more goes onto the customer's balance."
        ),
    )


class ConfirmTransfer(Deed):
    code = "arrived"
    label = gettext_lazy("Confirm that the money arrived…")
    guarded = True
    form = TransferForm
    sums = ("amount",)

    def offered(self, row: Payment) -> bool:
        """Also after the customer chose another way to pay: the money is there all the same."""
        return row.gateway == desk.BANK_TRANSFER and row.state != Payment.State.SUCCEEDED

    def effects(self, row: Payment) -> Sequence[Text]:
        names = {"amount": amount(row.amount), "invoice": row.invoice.number}
        if row.invoice.state != "open":
            return [
                _("%(amount)s are booked. Invoice %(invoice)s is not open any more.") % names,
                _("What was paid too much becomes the customer's credit."),
            ]
        return [
            _("%(amount)s are booked as received for invoice %(invoice)s.") % names,
            _("The invoice is paid, and the customer gets a receipt by mail."),
            _("What was ordered is set up at the dialler at once."),
            _("This cannot be undone here."),
        ]

    def facts(self, row: Payment) -> Sequence[tuple[Text, Any]]:
        return _facts(row, _("Expected amount"))

    def carry_out(self, row: Payment, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        try:
            stated = Money.of_decimal(given["amount"], row.currency)
        except ValueError as error:
            raise Impossible(str(error)) from error
        desk.confirm_transfer(row, stated, differs=given["differs"], at=at, actor=actor)
        return _("%(amount)s are booked.") % {"amount": amount(stated)}


class FetchAgain(Deed):
    code = "fetch"
    label = gettext_lazy("Fetch again…")

    def offered(self, row: Payment) -> bool:
        return row.gateway != desk.BANK_TRANSFER and row.state != Payment.State.SUCCEEDED

    def effects(self, row: Payment) -> Sequence[Text]:
        return [
            _("The gateway is asked for the payment, and what it says is recorded."),
            _("If that is a success, the invoice is paid and the order is passed on."),
            _("An answer that contradicts our row changes nothing."),
        ]

    def facts(self, row: Payment) -> Sequence[tuple[Text, Any]]:
        gateway = (_("Gateway"), called(row.gateway))
        return [*_facts(row, _("Amount")), gateway, (_("State"), state(row))]

    def carry_out(self, row: Payment, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        after = desk.ask_gateway(row, at=at, actor=actor)
        words = {"state": after.get_state_display()}
        return _("Fetched. The payment is now: %(state)s.") % words


class BookForm(DeedForm):
    amount = TransferForm.base_fields["amount"]


class BookTransfer(Deed):
    """A transfer without a payment of ours: the customer paid by the printed invoice."""

    code = "transfer"
    label = gettext_lazy("Book a bank transfer…")
    guarded = True
    form = BookForm
    sums = ("amount",)

    def offered(self, row: Invoice) -> bool:
        return row.state == Invoice.State.OPEN

    def effects(self, row: Invoice) -> Sequence[Text]:
        return [
            _("What arrived is booked as a payment of this invoice."),
            _("Less leaves the invoice open with the rest; more goes onto the customer's balance."),
            _("The customer gets a mail. This cannot be undone here."),
        ]

    def facts(self, row: Invoice) -> Sequence[tuple[Text, Any]]:
        return [(_("Customer"), link(row.customer)), (_("Still to be paid"), amount(row.due))]

    def carry_out(self, row: Invoice, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        try:
            stated = Money.of_decimal(given["amount"], row.currency)
        except ValueError as error:
            raise Impossible(str(error)) from error
        desk.book_transfer(row, stated, at=at, actor=actor)
        return _("%(amount)s are booked.") % {"amount": amount(stated)}


class Allocations(ReadOnlyInline):
    model = Allocation
    verbose_name_plural = gettext_lazy("used for")
    fields = ("invoice_link", "at", "amount")
    readonly_fields = fields
    show_change_link = False

    @admin.display(description=gettext_lazy("invoice"))
    def invoice_link(self, row: Allocation) -> str:
        return link(row.invoice)

    @admin.display(description=gettext_lazy("amount"))
    def amount(self, row: Allocation) -> str:
        return amount_of(row.amount_minor, row.invoice.currency)


class EndDispute(Deed):
    code = "settled"
    label = gettext_lazy("End the dispute…")
    form = ReasonForm

    def offered(self, row: Payment) -> bool:
        return row.disputed_at is not None and row.dispute_ended_at is None

    def effects(self, row: Payment) -> Sequence[Text]:
        return [
            _("Dunning of this customer goes on where it stood; the days of the dispute are free."),
            _("Nothing is booked: what the gateway took back is booked by a credit note."),
        ]

    def facts(self, row: Payment) -> Sequence[tuple[Text, Any]]:
        since = moment(row.disputed_at)
        return [*_facts(row, _("Amount")), (_("Disputed since"), since)]

    def carry_out(self, row: Payment, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        disputes.end(row, at=at)
        return _("The dispute is over.")


@admin.register(Payment)
class PaymentPage(OfGateway, ReadOnlyPage):
    by_kind = True
    deeds = (ConfirmTransfer(), FetchAgain(), RefundPayment(), EndDispute(), UndoBooking())
    list_display = ("name", "status", "customer_link", "invoice_link", "total", "created_at") + (
        "succeeded_at",
    )
    spare = ("succeeded_at",)
    exported = (
        (gettext_lazy("payment"), "pk"),
        (gettext_lazy("state"), "get_state_display"),
        (gettext_lazy("gateway"), "gateway"),
        (gettext_lazy("id at the gateway"), "external_id"),
        (gettext_lazy("customer"), "customer"),
        (gettext_lazy("invoice"), "invoice"),
        (gettext_lazy("currency"), "currency"),
        (gettext_lazy("amount"), "amount"),
        (gettext_lazy("started"), "created_at"),
        (gettext_lazy("succeeded"), "succeeded_at"),
    )
    list_filter = ("state", ("gateway", GatewayFilter), "currency", "created_at")
    search_fields = ("external_id", "invoice__number", "customer__name", "customer__company") + (
        "customer__email",
    )
    list_select_related = ("customer", "invoice")
    inlines = (Allocations,)
    readonly_fields = ("status", "customer_link", "invoice_link", "total", "said", "books") + (
        "gateway_name",
        "dispute_page",
        "entry_link",
        "confirmed",
    )
    fieldsets = (
        (None, {"fields": ("status", "total", "customer_link", "invoice_link", "books")}),
        (
            gettext_lazy("At the gateway"),
            {
                "fields": (
                    "gateway_name",
                    "external_id",
                    "livemode",
                    "said",
                    "failure_code",
                    "failure_message",
                    "dispute",
                    "dispute_page",
                    "entry_link",
                )
            },
        ),
        (
            gettext_lazy("When"),
            {
                "fields": (
                    ("created_at", "succeeded_at", "confirmed"),
                    ("disputed_at", "dispute_ended_at"),
                    ("next_check_at", "checks"),
                )
            },
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Payment | None = None) -> Any:
        """Leave out of a bank transfer what only a gateway has."""
        found = super().get_fieldsets(request, obj)
        if obj is None or obj.gateway != desk.BANK_TRANSFER:
            return found
        return [(title, {**shown, "fields": _of_bank(shown["fields"])}) for title, shown in found]

    def links(self, request: HttpRequest, row: Payment) -> list[tuple[Text, str]]:
        """Lead to the invoice where the money is not on the balance: that is credited first."""
        if row.state != Payment.State.SUCCEEDED or refunds.left_of(row):
            return []
        return self.deeds_of(request, row.invoice, "credit")

    @admin.display(description=gettext_lazy("evidence"))
    def dispute_page(self, row: Payment) -> str:
        if not row.dispute_url:
            return EMPTY
        text = _("Answer it at the gateway")
        return format_html('<a href="{}" rel="noopener">{}</a>', row.dispute_url, text)

    @admin.display(description=gettext_lazy("payment"), ordering="id")
    def name(self, row: Payment) -> str:
        return f"#{row.pk} · {gateways.named(row.gateway)}"

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, row: Payment) -> str:
        return state(row)

    @admin.display(description=gettext_lazy("customer"), ordering="customer__name")
    def customer_link(self, row: Payment) -> str:
        return link(row.customer)

    @admin.display(description=gettext_lazy("invoice"), ordering="invoice__number")
    def invoice_link(self, row: Payment) -> str:
        return link(row.invoice)

    @admin.display(description=gettext_lazy("amount"), ordering="amount_minor")
    def total(self, row: Payment) -> str:
        return amount(row.amount)

    @admin.display(description=gettext_lazy("recorded as received"))
    def confirmed(self, row: Payment) -> str:
        return moment(row.confirmed_at)

    @admin.display(description=gettext_lazy("fetched amount"))
    def said(self, row: Payment) -> str:
        return amount_of(row.fetched_minor, row.fetched_currency) if row.confirmed_at else EMPTY

    @admin.display(description=gettext_lazy("bank entry"))
    def entry_link(self, row: Payment) -> str:
        return link(row.bank_entry)

    @admin.display(description=gettext_lazy("bookings"))
    def books(self, row: Payment) -> str:
        return counted(row.bookings.all(), payment__id__exact=row.pk)


OF_GATEWAY = {"external_id", "livemode", "said", "failure_code", "failure_message"} | {
    *("dispute", "dispute_page", "disputed_at", "dispute_ended_at", "next_check_at", "checks"),
}


def _of_bank(fields: Any) -> list[Any]:
    """Return the fields, also those beside each other, without those of a gateway."""
    rows = [(each,) if isinstance(each, str) else tuple(each) for each in fields]
    kept = [tuple(name for name in row if name not in OF_GATEWAY) for row in rows]
    return [row if len(row) > 1 else row[0] for row in kept if row]
