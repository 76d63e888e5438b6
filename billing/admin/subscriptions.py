"""Subscriptions: what is paid for, until when, and where it runs."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing import terms
from billing.admin.cancellations import (
    BringBack,
    Cancel,
    EndNow,
    WithdrawCancellation,
)
from billing.admin.dunning import PauseDunning, panel
from billing.admin.exchanges import ChangePackage, TakeChangeBack
from billing.admin.moves import RecurringMove
from billing.admin.top_ups import RefundCredit
from billing.admin.usage import GiveCredit
from billing.admin.usage import panel as usage_panel
from billing.models import Invoice, Subscription, SubscriptionPeriod
from packages.desk.cells import EMPTY, amount, lines, link, state
from packages.desk.deeds import Text
from packages.desk.pages import ReadOnlyInline, ReadOnlyPage
from provisioning.admin.instructions import limits


class Periods(ReadOnlyInline):
    model = SubscriptionPeriod
    verbose_name_plural = _("periods")
    fields = ("start_on", "end_on", "given_back_on", "created_at")
    readonly_fields = fields
    show_change_link = False


AGREED = "_agreed"


def _ending(row: Subscription) -> list[str]:
    if row.ends_on is None or row.state not in Subscription.LIVING:
        return []
    return [gettext("ends on %(date)s") % {"date": date_format(row.ends_on)}]


@admin.register(Subscription)
class SubscriptionPage(ReadOnlyPage):
    deeds = (
        GiveCredit(),
        PauseDunning(),
        RefundCredit(),
        ChangePackage(),
        TakeChangeBack(),
        Cancel(),
        WithdrawCancellation(),
        BringBack(),
        EndNow(),
    )
    list_display = ("package", "status", "customer_link", "runs", "amount", "cycle", "paid_until")
    spare = ("cycle",)
    exported = (
        (_("package"), "package"),
        (_("state"), "get_state_display"),
        (_("customer"), "customer"),
        (_("e-mail address"), "customer.email"),
        (_("account"), "account"),
        (_("currency"), "currency"),
        (_("price"), "amount"),
        (_("quantity"), "quantity"),
        (_("billing cycle"), "get_cycle_display"),
        (_("active since"), "activated_at"),
        (_("paid until"), "paid_until"),
        (_("next invoice"), "next_invoice_on"),
        (_("ends"), "ends_on"),
    )
    list_filter = ("state", RecurringMove, "package", "cycle", "currency")
    search_fields = ("customer__name", "customer__company", "customer__email") + (
        "account__username",
    )
    list_select_related = ("package", "customer", "account")
    inlines = (Periods,)
    readonly_fields = ("status", "customer_link", "account_link", "runs", "amount", "included") + (
        "agreed",
        "promised",
        "catalogue",
        "dunning",
        "credit_and_use",
    )
    fieldsets = (
        (None, {"fields": ("status", "customer_link", "catalogue", "agreed")}),
        (_("Dunning"), {"fields": ("dunning",)}),
        (
            _("Price, as on the day of purchase"),
            {"fields": (("amount", "cycle", "included", "quantity"),)},
        ),
        (
            _("Time"),
            {
                "fields": (
                    ("anchor_on", "paid_until", "trial_days"),
                    ("activated_at", "next_invoice_on", "ends_on"),
                    "returnable",
                )
            },
        ),
        (_("Credit and use"), {"fields": ("credit_and_use",)}),
        (_("At the dialler"), {"fields": ("account_link", "runs", "promised", "allowance")}),
    )

    def links(self, request: HttpRequest, row: Subscription) -> list[tuple[Text, str]]:
        """Lead to what is done to the account by hand."""
        return self.deeds_of(request, row.account, "suspend", "unsuspend")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the page of the list; what is agreed for its services is read at once."""
        found = super().get_changelist_instance(request)
        rows = list(found.result_list)
        agreed = terms.scheduled(rows)
        for row in rows:
            row.__dict__[AGREED] = agreed.get(row.pk)
        found.result_list = rows
        return found

    @admin.display(description=_("state"), ordering="state")
    def status(self, row: Subscription) -> str:
        more = _ending(row)
        if agreed := row.__dict__.get(AGREED):
            words = {"package": agreed.package, "date": date_format(agreed.on)}
            more = [*more, gettext("→ %(package)s from %(date)s") % words]
        return lines([state(row), *more]) if more else state(row)

    @admin.display(description=_("agreed"))
    def agreed(self, row: Subscription) -> str:
        """Say which package follows and when, where another was agreed on."""
        exchange = terms.scheduled([row]).get(row.pk)
        if exchange is None:
            return EMPTY
        words = {"package": exchange.package, "date": date_format(exchange.on)}
        return gettext("%(package)s from %(date)s") % words

    @admin.display(description=_("as the customer sees it"))
    def credit_and_use(self, row: Subscription) -> str:
        return usage_panel(row)

    @admin.display(description=_("customer"), ordering="customer__name")
    def customer_link(self, row: Subscription) -> str:
        return link(row.customer)

    @admin.display(description=_("package"))
    def catalogue(self, row: Subscription) -> str:
        return link(row.package)

    @admin.display(description=_("so far, what comes next, and why"))
    def dunning(self, row: Subscription) -> str:
        theirs = Invoice.objects.filter(
            lines__subscription=row, lines__period_start_on__isnull=False
        )
        renewals = theirs.filter(state=Invoice.State.OPEN).distinct().order_by("due_on", "id")
        return panel(list(renewals.select_related("customer")))

    @admin.display(description=_("account"))
    def account_link(self, row: Subscription) -> str:
        return link(row.account)

    @admin.display(description=_("at the dialler"), ordering="account__state")
    def runs(self, row: Subscription) -> str:
        return state(row.account) if row.account else EMPTY

    @admin.display(description=_("price"), ordering="amount_minor")
    def amount(self, row: Subscription) -> str:
        return amount(row.amount)

    @admin.display(description=_("included credit"))
    def included(self, row: Subscription) -> str:
        return amount(row.credit)

    @admin.display(description=_("limits"))
    def promised(self, row: Subscription) -> str:
        return lines([f"{label}: {value}" for label, value in limits(row.limits)])
