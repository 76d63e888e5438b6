"""The gateways' inbox. An event is a hint to fetch; staff can have it fetched again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import desk
from billing.admin.gateway_names import GatewayFilter, OfGateway
from billing.models import GatewayEvent, Payment
from packages.desk import reasons
from packages.desk.cells import EMPTY, link, state
from packages.desk.deeds import Deed, ReasonForm, Text
from packages.desk.pages import ReadOnlyPage


class EventDeed(Deed):
    def offered(self, row: GatewayEvent) -> bool:
        return row.state == GatewayEvent.State.PARKED

    def facts(self, row: GatewayEvent) -> Sequence[tuple[Text, Any]]:
        return [(_("Event"), row), (_("Why it stands still"), reasons.told(row.note))]


class FetchAgain(EventDeed):
    code = "fetch"
    label = gettext_lazy("Fetch again and process now")

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
    label = gettext_lazy("Mark as dealt with")
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
    list_display = ("kind", "status", "gateway_name", "payment", "received_at", "attempts", "said")
    spare = ("gateway_name", "attempts")
    list_filter = ("state", ("gateway", GatewayFilter), "kind", "received_at")
    search_fields = ("external_id", "payment_external_id", "note")
    readonly_fields = ("status", "said", "payment", "gateway_name", "raw")
    fieldsets = (
        (None, {"fields": ("status", "said", "kind", "payment")}),
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

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, row: GatewayEvent) -> str:
        return state(row)

    @admin.display(description=gettext_lazy("note"), ordering="note")
    def said(self, row: GatewayEvent) -> str:
        return reasons.told(row.note) or EMPTY

    @admin.display(description=gettext_lazy("payment"))
    def payment(self, row: GatewayEvent) -> str:
        if not row.payment_external_id:
            return EMPTY
        payments = Payment.objects.filter(gateway=row.gateway)
        return link(payments.filter(external_id=row.payment_external_id).first())

    @admin.display(description=gettext_lazy("body"))
    def raw(self, row: GatewayEvent) -> str:
        return bytes(row.body).decode("utf-8", "replace")
