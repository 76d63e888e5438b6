"""The gateways' inbox. An event is a hint to fetch; staff can have it fetched again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import desk
from billing.admin.gateway_names import GatewayFilter, OfGateway, called
from billing.models import GatewayEvent, Payment
from packages.desk import filters, reasons
from packages.desk.cells import EMPTY, link, moment, state
from packages.desk.deeds import Deed, ReasonForm, Text
from packages.desk.pages import ReadOnlyPage

# What the gateways tell of, each in its own words.
KINDS = {
    "payment.succeeded": gettext_lazy("Payment succeeded"),
    "payment.updated": gettext_lazy("Payment changed"),
    "payment.failed": gettext_lazy("Payment failed"),
    "payment.refunded": gettext_lazy("Payment refunded"),
    "payment.disputed": gettext_lazy("Payment disputed"),
    "checkout.session.completed": gettext_lazy("Page of payment completed"),
    "checkout.session.expired": gettext_lazy("Page of payment expired"),
    "checkout.session.async_payment_succeeded": gettext_lazy("Payment succeeded"),
    "checkout.session.async_payment_failed": gettext_lazy("Payment failed"),
    "payment_intent.succeeded": gettext_lazy("Payment succeeded"),
    "payment_intent.processing": gettext_lazy("Payment under way"),
    "payment_intent.canceled": gettext_lazy("Payment cancelled"),
    "payment_intent.payment_failed": gettext_lazy("Payment failed"),
    "charge.succeeded": gettext_lazy("Payment succeeded"),
    "charge.failed": gettext_lazy("Payment failed"),
    "charge.refunded": gettext_lazy("Payment refunded"),
    "charge.dispute.created": gettext_lazy("Payment disputed"),
    "charge.dispute.closed": gettext_lazy("Dispute closed"),
    "charge.dispute.funds_withdrawn": gettext_lazy("Disputed money taken"),
    "charge.dispute.funds_reinstated": gettext_lazy("Disputed money came back"),
    "refund.created": gettext_lazy("Refund begun"),
    "refund.updated": gettext_lazy("Refund changed"),
    "refund.failed": gettext_lazy("Refund failed"),
    "CHECKOUT.ORDER.APPROVED": gettext_lazy("Payment approved"),
    "PAYMENT.CAPTURE.COMPLETED": gettext_lazy("Payment succeeded"),
    "PAYMENT.CAPTURE.PENDING": gettext_lazy("Payment under way"),
    "PAYMENT.CAPTURE.DENIED": gettext_lazy("Payment failed"),
    "PAYMENT.CAPTURE.REFUNDED": gettext_lazy("Payment refunded"),
    "PAYMENT.CAPTURE.REVERSED": gettext_lazy("Payment taken back"),
    "PAYMENT.REFUND.PENDING": gettext_lazy("Refund under way"),
    "PAYMENT.REFUND.FAILED": gettext_lazy("Refund failed"),
    "CUSTOMER.DISPUTE.CREATED": gettext_lazy("Payment disputed"),
    "CUSTOMER.DISPUTE.RESOLVED": gettext_lazy("Dispute closed"),
    "test.webhook": gettext_lazy("Test of the webhook"),
}


def called_kind(code: str) -> str:
    """Return what happened; the gateway's own word for what is not known here."""
    return str(KINDS.get(code, code))


KindFilter = filters.named(called_kind)


def payment_of(row: GatewayEvent) -> str:
    """Return a link to the payment that the event speaks of."""
    if not row.payment_external_id:
        return EMPTY
    payments = Payment.objects.filter(gateway=row.gateway)
    return link(payments.filter(external_id=row.payment_external_id).first())


class EventDeed(Deed):
    def offered(self, row: GatewayEvent) -> bool:
        return row.state == GatewayEvent.State.PARKED

    def facts(self, row: GatewayEvent) -> Sequence[tuple[Text, Any]]:
        return [
            (_("Event"), called_kind(row.kind)),
            (_("Gateway"), called(row.gateway)),
            (_("Payment"), payment_of(row)),
            (_("Received"), moment(row.received_at)),
            (_("What went wrong"), reasons.told(row.note)),
        ]


class FetchAgain(EventDeed):
    code = "fetch"
    label = gettext_lazy("Fetch again and process now…")

    def effects(self, row: GatewayEvent) -> Sequence[Text]:
        return [
            _("The gateway is asked for the payment, and what it says is recorded."),
            _("If that is a success, the invoice is paid and the order is passed on."),
            _("What was recorded before is not recorded twice."),
        ]

    def carry_out(
        self, row: GatewayEvent, given: dict[str, Any], *, at: datetime, actor: str
    ) -> Text:
        after = desk.process_again(row, at=at, actor=actor)
        return _("Fetched. The event is now: %(state)s. %(note)s") % {
            "state": after.get_state_display(),
            "note": reasons.told(after.note),
        }


class DealtWith(EventDeed):
    code = "close"
    label = gettext_lazy("Mark as dealt with…")
    form = ReasonForm

    def effects(self, row: GatewayEvent) -> Sequence[Text]:
        return [
            _("The event is put aside. Nothing is fetched, booked or sent."),
            _("Choose this when you have settled a refund or dispute elsewhere."),
        ]

    def carry_out(
        self, row: GatewayEvent, given: dict[str, Any], *, at: datetime, actor: str
    ) -> Text:
        desk.close_event(row, reason=given["reason"], at=at, actor=actor)
        return _("The event is put aside.")


@admin.register(GatewayEvent)
class GatewayEventPage(OfGateway, ReadOnlyPage):
    deeds = (FetchAgain(), DealtWith())
    list_display = ("sort", "status", "gateway_name", "payment", "received_at", "attempts", "said")
    spare = ("gateway_name", "attempts")
    list_filter = ("state", ("gateway", GatewayFilter), ("kind", KindFilter), "received_at")
    search_fields = ("external_id", "payment_external_id", "note")
    readonly_fields = ("status", "said", "sort", "payment", "gateway_name", "raw")
    fieldsets = (
        (None, {"fields": ("status", "said", "sort", "payment")}),
        (
            gettext_lazy("From"),
            {
                "fields": (
                    "gateway_name",
                    "account",
                    "livemode",
                    "external_id",
                    "payment_external_id",
                )
            },
        ),
        (
            gettext_lazy("When"),
            {
                "fields": (
                    ("created_at", "received_at", "processed_at"),
                    ("attempts", "next_attempt_at"),
                )
            },
        ),
        (gettext_lazy("As it came"), {"classes": ("collapse",), "fields": ("raw",)}),
    )

    def heading(self, row: GatewayEvent) -> str:
        return f"{called_kind(row.kind)} · {row.external_id}"

    @admin.display(description=gettext_lazy("kind"), ordering="kind")
    def sort(self, row: GatewayEvent) -> str:
        return called_kind(row.kind)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, row: GatewayEvent) -> str:
        return state(row)

    @admin.display(description=gettext_lazy("note"), ordering="note")
    def said(self, row: GatewayEvent) -> str:
        return reasons.told(row.note) or EMPTY

    @admin.display(description=gettext_lazy("payment"))
    def payment(self, row: GatewayEvent) -> str:
        return payment_of(row)

    @admin.display(description=gettext_lazy("body"))
    def raw(self, row: GatewayEvent) -> str:
        return bytes(row.body).decode("utf-8", "replace")
