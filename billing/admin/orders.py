"""Orders: what was agreed, and whether it was passed on."""

from django.contrib import admin
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from billing.models import Order, OrderLine
from packages.desk.cells import EMPTY, amount_of, consent, lines, link, state
from packages.desk.pages import ReadOnlyInline, ReadOnlyPage


class Lines(ReadOnlyInline):
    model = OrderLine
    verbose_name_plural = _("lines")
    fields = (
        "name",
        "quantity",
        "kind",
        "cycle",
        "amount",
        "setup_amount",
        "credit_amount",
        "service",
    )
    readonly_fields = fields
    show_change_link = False

    @admin.display(description=_("price"))
    def amount(self, row: OrderLine) -> str:
        return amount_of(row.amount_minor, row.order.currency)

    @admin.display(description=_("set-up fee"))
    def setup_amount(self, row: OrderLine) -> str:
        return amount_of(row.setup_minor, row.order.currency)

    @admin.display(description=_("credit"))
    def credit_amount(self, row: OrderLine) -> str:
        return amount_of(row.credit_minor, row.order.currency)

    @admin.display(description=_("subscription"))
    def service(self, row: OrderLine) -> str:
        return link(row.subscription)


@admin.register(Order)
class OrderPage(ReadOnlyPage):
    list_display = ("number", "status", "customer_link", "invoice_link", "total", "placed_at")
    spare = ("invoice_link",)
    list_filter = ("state", "currency", "placed_at")
    search_fields = ("public_id", "customer__name", "customer__company", "customer__email")
    list_select_related = ("customer", "invoice")
    inlines = (Lines,)
    readonly_fields = ("status", "customer_link", "invoice_link", "total", "agreed_to", "by")
    fieldsets = (
        (None, {"fields": ("status", "customer_link", "invoice_link", "total", "placed_at", "by")}),
        (_("Agreed to"), {"fields": ("language", "agreed_to")}),
    )

    def heading(self, row: Order) -> str:
        return f"{capfirst(str(self.opts.verbose_name))} {row}"

    @admin.display(description=_("order"), ordering="id")
    def number(self, row: Order) -> str:
        return f"#{row.pk}"

    @admin.display(description=_("state"), ordering="state")
    def status(self, row: Order) -> str:
        return state(row)

    @admin.display(description=_("customer"), ordering="customer__name")
    def customer_link(self, row: Order) -> str:
        return link(row.customer)

    @admin.display(description=_("invoice"))
    def invoice_link(self, row: Order) -> str:
        return link(getattr(row, "invoice", None))

    @admin.display(description=_("total"))
    def total(self, row: Order) -> str:
        invoice = getattr(row, "invoice", None)
        return EMPTY if invoice is None else amount_of(invoice.total_minor, row.currency)

    @admin.display(description=_("consents"))
    def agreed_to(self, row: Order) -> str:
        return lines([consent(each) for each in row.consents.values()])

    @admin.display(description=_("placed by"))
    def by(self, row: Order) -> str:
        return link(row.placed_by)
