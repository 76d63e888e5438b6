"""What the gateways say and our books do not, and the gateways' own statements."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import differences
from billing.admin.gateway_names import GatewayFilter, OfGateway, called
from billing.models import Difference, Movement
from packages.desk import reasons
from packages.desk.cells import EMPTY, amount, link, moment
from packages.desk.deeds import Deed, ReasonForm, Text
from packages.desk.pages import ReadOnlyPage


class DealtWith(Deed):
    code = "settle"
    label = gettext_lazy("Mark as dealt with…")
    form = ReasonForm

    def offered(self, row: Difference) -> bool:
        return row.settled_at is None

    def effects(self, row: Difference) -> Sequence[Text]:
        return [
            _("The difference is put aside. Nothing is fetched, booked or sent."),
            _("What agrees again is put aside by itself within the hour."),
        ]

    def facts(self, row: Difference) -> Sequence[tuple[Text, Any]]:
        return [
            (_("Gateway"), called(row.gateway)),
            (_("What differs"), reasons.told(row.text)),
            (_("Payment"), link(row.payment)),
            (_("Found"), moment(row.found_at)),
        ]

    def carry_out(
        self, row: Difference, given: dict[str, Any], *, at: datetime, actor: str
    ) -> Text:
        differences.settle(row, reason=given["reason"], at=at, actor=actor)
        return _("The difference is put aside.")


class OpenFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "open"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", capfirst(_("open"))), ("no", capfirst(_("settled")))]

    def queryset(self, request: Any, queryset: Any) -> Any:
        if self.value() is None:
            return queryset
        return queryset.filter(settled_at__isnull=self.value() == "yes")


@admin.register(Difference)
class DifferencePage(OfGateway, ReadOnlyPage):
    deeds = (DealtWith(),)
    list_display = ("kind", "gateway_name", "differs", "payment_link", "found_at", "settled_at")
    list_filter = (OpenFilter, "kind", ("gateway", GatewayFilter))
    search_fields = ("subject", "text")
    list_select_related = ("payment",)
    readonly_fields = ("gateway_name", "differs", "payment_link", "why")
    fieldsets = (
        (None, {"fields": ("kind", "differs", "payment_link", "why")}),
        (gettext_lazy("From"), {"fields": ("gateway_name", "subject")}),
        (gettext_lazy("When"), {"fields": ("found_at", "seen_at", "settled_at")}),
    )

    @admin.display(description=gettext_lazy("what differs"))
    def differs(self, row: Difference) -> str:
        return reasons.told(row.text)

    @admin.display(description=gettext_lazy("payment"))
    def payment_link(self, row: Difference) -> str:
        return link(row.payment) if row.payment else EMPTY

    @admin.display(description=gettext_lazy("note"))
    def why(self, row: Difference) -> str:
        return reasons.told(row.note) or EMPTY


@admin.register(Movement)
class MovementPage(OfGateway, ReadOnlyPage):
    list_display = ("external_id", "kind", "gateway_name", "total", "cost", "payment_link", "at")
    list_filter = ("kind", ("gateway", GatewayFilter), "currency", "at")
    search_fields = ("external_id",)
    list_select_related = ("payment",)
    readonly_fields = ("gateway_name", "total", "cost", "payment_link")
    fieldsets = (
        (None, {"fields": ("kind", "total", "cost", "payment_link", "at")}),
        (gettext_lazy("At the gateway"), {"fields": ("gateway_name", "livemode", "external_id")}),
    )

    @admin.display(description=gettext_lazy("amount"), ordering="amount_minor")
    def total(self, row: Movement) -> str:
        return amount(row.amount)

    @admin.display(description=gettext_lazy("fee"), ordering="fee_minor")
    def cost(self, row: Movement) -> str:
        return amount(row.fee) if row.fee_minor else EMPTY

    @admin.display(description=gettext_lazy("payment"))
    def payment_link(self, row: Movement) -> str:
        return link(row.payment) if row.payment else EMPTY
