"""Refunds: money that goes back. Asked for at a payment or with a credit note, finished here."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import failed_refunds, gateways, refunds
from billing.models import Payment, Refund
from packages.desk import Impossible, reasons
from packages.desk.cells import EMPTY, amount, counted, link, moment, state
from packages.desk.deeds import Deed, DeedForm, ReasonForm, Text, in_unit
from packages.desk.pages import ReadOnlyPage
from packages.money import Money

Way = Refund.Way
BY_HAND = "bank_transfer"


def ways_of(payment: Payment) -> list[tuple[str, Any]]:
    """Return how a payment can be given back: what came by bank transfer only goes by one."""
    if payment.gateway == BY_HAND or payment.gateway not in gateways.GATEWAYS:
        return [(Way.TRANSFER, Way.TRANSFER.label)]
    return [(way, way.label) for way in (Way.GATEWAY, Way.TRANSFER)]


class RefundForm(ReasonForm):
    amount = forms.DecimalField(
        label=gettext_lazy("Amount"),
        localize=True,
        max_digits=14,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    way = forms.ChoiceField(label=gettext_lazy("How"), choices=Way.choices)

    def __init__(self, data: Any, payment: Payment) -> None:
        super().__init__(data, initial={"amount": refunds.left_of(payment).decimal()})
        way = self.fields["way"]
        assert isinstance(way, forms.ChoiceField)
        way.choices = ways_of(payment)


class RefundPayment(Deed):
    code = "refund"
    label = gettext_lazy("Refund…")
    guarded = True
    danger = True
    form = RefundForm

    def offered(self, row: Payment) -> bool:
        return bool(refunds.left_of(row))

    def effects(self, row: Payment) -> Sequence[Text]:
        return [
            _("The sum is taken off the customer's balance and goes back to the customer."),
            _("By the gateway it is sent at once; a transfer waits until you confirm it."),
            _("The customer gets a mail as soon as it is done."),
            _("What is not on the balance is credited first: by the credit note of its invoice."),
        ]

    def facts(self, row: Payment) -> Sequence[tuple[Text, Any]]:
        return [
            (_("Customer"), link(row.customer)),
            (_("Invoice"), link(row.invoice)),
            (_("Paid"), amount(row.amount)),
            (_("Refunded before"), amount(Money(row.refunded_minor, row.currency))),
            (_("At most"), amount(refunds.left_of(row))),
        ]

    def form_for(self, row: Payment, data: Any) -> DeedForm:
        form = RefundForm(data, row)
        in_unit(form, row.currency, "amount")
        return form

    def weighs(self, row: Payment, given: dict[str, Any]) -> Money | None:
        return Money.rounded(given["amount"], row.currency)

    def carry_out(self, row: Payment, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        try:
            asked = Money.of_decimal(given["amount"], row.currency)
            refund = refunds.request(
                row, asked, way=Way(given["way"]), reason=given["reason"], at=at, actor=actor
            )
        except (ValueError, refunds.NotRefundable) as error:
            raise Impossible(_("No more than what is left can be refunded.")) from error
        return _("%(amount)s go back to the customer.") % {"amount": amount(refund.amount)}


class ReferenceForm(DeedForm):
    reference = forms.CharField(
        label=gettext_lazy("Reference on the bank statement"), max_length=250
    )


class RefundDeed(Deed):
    """A deed of a refund that waits for staff."""

    def facts(self, row: Refund) -> Sequence[tuple[Text, Any]]:
        return [
            (_("Customer"), link(row.payment.customer)),
            (_("Payment"), link(row.payment)),
            (_("Amount"), amount(row.amount)),
            (_("Asked for"), moment(row.created_at)),
            (_("Why"), reasons.told(row.reason)),
            *([(_("What went wrong"), reasons.told(row.note))] if row.note else []),
        ]


class ConfirmSent(RefundDeed):
    code = "sent"
    label = gettext_lazy("Confirm that the transfer was sent…")
    guarded = True
    form = ReferenceForm

    def offered(self, row: Refund) -> bool:
        return row.way == Way.TRANSFER and row.state == Refund.State.REQUESTED

    def effects(self, row: Refund) -> Sequence[Text]:
        return [_("The refund is booked as sent, and the customer gets a mail.")]

    def carry_out(self, row: Refund, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        try:
            refunds.confirm(row, reference=given["reference"], at=at, actor=actor)
        except refunds.NotRefundable as error:
            raise Impossible(_("This refund does not wait for that any more.")) from error
        return _("%(amount)s are booked as refunded.") % {"amount": amount(row.amount)}


class AskAgain(RefundDeed):
    code = "again"
    label = gettext_lazy("Ask the gateway again…")

    def offered(self, row: Refund) -> bool:
        return row.state == Refund.State.PARKED

    def effects(self, row: Refund) -> Sequence[Text]:
        return [_("The gateway is asked with the same key: it refunds once, however often asked.")]

    def carry_out(self, row: Refund, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        try:
            refunds.ask_again(row, at=at, actor=actor)
        except refunds.NotRefundable as error:
            raise Impossible(_("This refund does not wait for that any more.")) from error
        return _("The gateway is asked again.")


class GiveUp(RefundDeed):
    code = "give-up"
    label = gettext_lazy("Put it back onto the balance…")
    danger = True
    form = ReasonForm

    def offered(self, row: Refund) -> bool:
        return row.state == Refund.State.PARKED or ConfirmSent().offered(row)

    def effects(self, row: Refund) -> Sequence[Text]:
        return [
            _("Look at the gateway first: if it did refund, the customer would get it twice."),
            _("The sum is the customer's balance again."),
        ]

    def carry_out(self, row: Refund, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        try:
            refunds.give_up(row, reason=given["reason"], at=at, actor=actor)
        except refunds.NotRefundable as error:
            raise Impossible(_("This refund does not wait for that any more.")) from error
        return _("%(amount)s are back on the balance.") % {"amount": amount(row.amount)}


class CameBack(Deed):
    code = "settled"
    label = gettext_lazy("Mark as dealt with…")
    form = ReasonForm

    def offered(self, row: Refund) -> bool:
        return row.state == Refund.State.FAILED and failed_refunds.in_need().contains(row)

    def facts(self, row: Refund) -> Sequence[tuple[Text, Any]]:
        return [
            (_("Customer"), link(row.payment.customer)),
            (_("Payment"), link(row.payment)),
            (_("Amount"), amount(row.amount)),
        ]

    def effects(self, row: Refund) -> Sequence[Text]:
        return [
            _("The sum is on the customer's balance already. Nothing is booked or sent by this."),
            _("To give it back another way, choose “Refund…” at the payment, by bank transfer."),
        ]

    def carry_out(self, row: Refund, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        failed_refunds.settle(row, reason=given["reason"], at=at, actor=actor)
        return _("The refund is put aside.")


class NeedsStaff(admin.SimpleListFilter):
    """Refunds that stand still, and those that came back and wait for a decision."""

    title = gettext_lazy("needs staff")
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("staff", capfirst(_("stand still or came back")))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Refund]) -> QuerySet[Refund]:
        return queryset.filter(pk__in=failed_refunds.in_need()) if self.value() else queryset


@admin.register(Refund)
class RefundPage(ReadOnlyPage):
    by_kind = True
    deeds = (ConfirmSent(), AskAgain(), GiveUp(), CameBack())
    list_display = ("name", "status", "customer_link", "payment_link", "total", "way", "created_at")
    spare = ("way",)
    list_filter = (NeedsStaff, "state", "way", "currency", "created_at")
    search_fields = ("external_id", "reference", "payment__invoice__number") + (
        "payment__customer__name",
        "payment__customer__email",
    )
    list_select_related = ("payment__customer",)
    readonly_fields = ("status", "customer_link", "payment_link", "total", "books", "why", "said")
    fieldsets = (
        (None, {"fields": ("status", "total", "way", "customer_link", "payment_link", "books")}),
        (gettext_lazy("Why"), {"fields": ("why", "said", "reference", "external_id")}),
        (
            gettext_lazy("When"),
            {"fields": (("created_at", "finished_at"), ("next_attempt_at", "attempts"))},
        ),
    )

    @admin.display(description=gettext_lazy("refund"), ordering="id")
    def name(self, row: Refund) -> str:
        return f"#{row.pk}"

    @admin.display(description=gettext_lazy("reason"))
    def why(self, row: Refund) -> str:
        return reasons.told(row.reason)

    @admin.display(description=gettext_lazy("note"))
    def said(self, row: Refund) -> str:
        return reasons.told(row.note) or EMPTY

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, row: Refund) -> str:
        return state(row)

    @admin.display(description=gettext_lazy("customer"))
    def customer_link(self, row: Refund) -> str:
        return link(row.payment.customer)

    @admin.display(description=gettext_lazy("payment"))
    def payment_link(self, row: Refund) -> str:
        return link(row.payment)

    @admin.display(description=gettext_lazy("amount"), ordering="amount_minor")
    def total(self, row: Refund) -> str:
        return amount(row.amount)

    @admin.display(description=gettext_lazy("bookings"))
    def books(self, row: Refund) -> str:
        return counted(row.bookings.all(), refund__id__exact=row.pk)
