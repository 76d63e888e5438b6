"""Saved payment methods, never their tokens. Staff look, and may remove one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import methods
from billing.admin.gateway_names import GatewayFilter, OfGateway
from billing.models import PaymentMethod
from packages.desk.cells import consent, counted, link, state
from packages.desk.deeds import Deed, ReasonForm, Text
from packages.desk.pages import ReadOnlyPage

# As the gateways call them.
KINDS = {
    "card": gettext_lazy("Card"),
    "link": "Link",
    "paypal": "PayPal",
    "sepa_debit": gettext_lazy("SEPA direct debit"),
}


class Remove(Deed):
    code = "remove"
    label = gettext_lazy("Remove…")
    danger = True
    form = ReasonForm

    def offered(self, row: PaymentMethod) -> bool:
        return row.state != PaymentMethod.State.REMOVED

    def effects(self, row: PaymentMethod) -> Sequence[Text]:
        return [
            _("It is never charged again; a charge that is on its way still counts."),
            _("Only the customer can bring it back, by paying with it and agreeing again."),
        ]

    def facts(self, row: PaymentMethod) -> Sequence[tuple[Text, Any]]:
        return [(_("Customer"), link(row.customer)), (_("Method"), str(row))]

    def carry_out(
        self, row: PaymentMethod, given: dict[str, Any], *, at: datetime, actor: str
    ) -> Text:
        methods.remove(row, reason=given["reason"], at=at, actor=actor)
        return _("%(method)s is removed.") % {"method": row}


@admin.register(PaymentMethod)
class PaymentMethodPage(OfGateway, ReadOnlyPage):
    deeds = (Remove(),)
    list_display = ("name", "status", "customer_link", "is_default", "expires_on", "created_at")
    list_filter = ("state", ("gateway", GatewayFilter), "is_default", "created_at")
    search_fields = ("last4", "customer__name", "customer__company", "customer__email")
    list_select_related = ("customer",)
    readonly_fields = ("status", "customer_link", "gateway_name", "charged", "agreed", "sort")
    fieldsets = (
        (None, {"fields": ("status", "customer_link", "is_default", "charged")}),
        (
            gettext_lazy("At the gateway"),
            {
                "fields": (
                    "gateway_name",
                    "account",
                    "livemode",
                    "sort",
                    "brand",
                    "last4",
                    "expires_on",
                )
            },
        ),
        (gettext_lazy("Why it is kept"), {"fields": ("agreed", "created_at")}),
    )

    @admin.display(description=gettext_lazy("method"), ordering="id")
    def name(self, row: PaymentMethod) -> str:
        return str(row)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, row: PaymentMethod) -> str:
        return state(row)

    @admin.display(description=gettext_lazy("customer"), ordering="customer__name")
    def customer_link(self, row: PaymentMethod) -> str:
        return link(row.customer)

    @admin.display(description=gettext_lazy("kind"))
    def sort(self, row: PaymentMethod) -> str:
        return str(KINDS.get(row.kind, row.kind))

    @admin.display(description=gettext_lazy("charges"))
    def charged(self, row: PaymentMethod) -> str:
        return counted(row.charges.all(), method__id__exact=row.pk)

    @admin.display(description=gettext_lazy("consent"))
    def agreed(self, row: PaymentMethod) -> str:
        return consent(row.consent)
