"""Invoices: final once issued. Read here, printed here, changed nowhere."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import DateField, QuerySet, Value
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from billing import ageing, documents, einvoice
from billing.admin.credit_notes import CreditNote
from billing.admin.dunning import PauseDunning, panel, today
from billing.admin.moves import TaxedAt
from billing.admin.payments import BookTransfer
from billing.admin.write_offs import WriteOff
from billing.models import Allocation, Invoice, InvoiceLine, InvoiceTax
from packages.desk.cells import EMPTY, amount, amount_of, counted, day, link, percent
from packages.desk.filters import DayFilter
from packages.desk.pages import ReadOnlyInline, ReadOnlyPage


class Lines(ReadOnlyInline):
    model = InvoiceLine
    verbose_name_plural = _("lines")
    fields = ("position", "description", "period", "tax_rate", "unit_amount", "net_amount")
    readonly_fields = fields
    show_change_link = False

    @admin.display(description=_("period"))
    def period(self, row: InvoiceLine) -> str:
        if not row.period_start_on or not row.period_end_on:
            return EMPTY
        return f"{date_format(row.period_start_on)} – {date_format(row.period_end_on)}"

    @admin.display(description=_("tax"))
    def tax_rate(self, row: InvoiceLine) -> str:
        return percent(row.tax_bp)

    @admin.display(description=_("price"))
    def unit_amount(self, row: InvoiceLine) -> str:
        return amount_of(row.unit_minor, row.invoice.currency)

    @admin.display(description=_("net"))
    def net_amount(self, row: InvoiceLine) -> str:
        return amount_of(row.net_minor, row.invoice.currency)


class Taxes(ReadOnlyInline):
    model = InvoiceTax
    verbose_name_plural = _("taxes")
    fields = ("rate", "net_amount", "tax_amount")
    readonly_fields = fields
    show_change_link = False

    @admin.display(description=_("rate"))
    def rate(self, row: InvoiceTax) -> str:
        return percent(row.tax_bp)

    @admin.display(description=_("net"))
    def net_amount(self, row: InvoiceTax) -> str:
        return amount_of(row.net_minor, row.invoice.currency)

    @admin.display(description=_("tax"))
    def tax_amount(self, row: InvoiceTax) -> str:
        return amount_of(row.tax_minor, row.invoice.currency)


class Allocations(ReadOnlyInline):
    model = Allocation
    verbose_name_plural = _("paid by")
    fields = ("payment_link", "at", "amount")
    readonly_fields = fields
    show_change_link = False

    @admin.display(description=_("payment"))
    def payment_link(self, row: Allocation) -> str:
        return link(row.payment) if row.payment else str(_("balance"))

    @admin.display(description=_("amount"))
    def amount(self, row: Allocation) -> str:
        return amount_of(row.amount_minor, row.invoice.currency)


@admin.register(Invoice)
class InvoicePage(ReadOnlyPage):
    deeds = (BookTransfer(), CreditNote(), WriteOff(), PauseDunning())
    list_display = (
        "name",
        "kind",
        "status",
        "customer_link",
        "issued_on",
        "to_pay_on",
        "total",
        "due_amount",
    )
    spare = ("kind",)
    exported = (
        (_("number"), "number"),
        (_("kind"), "get_kind_display"),
        (_("state"), "get_state_display"),
        (_("customer"), "customer"),
        (_("e-mail address"), "customer.email"),
        (_("date"), "issued_on"),
        (_("due"), "due_on"),
        (_("currency"), "currency"),
        (_("total"), "total"),
        (_("still due"), "due"),
        (_("paid at"), "paid_at"),
    )
    list_filter = ("kind", "state", "currency", ("issued_on", DayFilter), TaxedAt)
    date_hierarchy = "issued_on"
    search_fields = ("number", "customer__name", "customer__company", "customer__email")
    list_select_related = ("customer",)
    inlines = (Lines, Taxes, Allocations)
    readonly_fields = ("status", "customer_link", "order_link", "net", "tax", "total") + (
        "due_amount",
        "to_pay_on",
        "credited",
        "corrects_link",
        "notes",
        "payments",
        "books",
        "buyer_text",
        "seller_text",
        "dunning",
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "status",
                    "number",
                    "customer_link",
                    "order_link",
                    "corrects_link",
                    "reason",
                )
            },
        ),
        (_("Amounts"), {"fields": (("net", "tax", "total", "credited", "due_amount"), "tax_note")}),
        (_("When"), {"fields": (("issued_on", "to_pay_on", "paid_at"),)}),
        (_("Dunning"), {"fields": ("dunning",)}),
        (_("Money"), {"fields": (("payments", "notes", "books"),)}),
        (
            _("As printed"),
            {"classes": ("collapse",), "fields": ("language", "buyer_text", "seller_text")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Give each row the day of today, by which it is overdue or not."""
        on = Value(today(), output_field=DateField())
        dated: QuerySet[Any] = super().get_queryset(request).annotate(on=on)
        return dated

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        return [
            path("<int:pk>/pdf/", guarded(self.pdf), name="billing_invoice_pdf"),
            path("<int:pk>/xml/", guarded(self.xml), name="billing_invoice_xml"),
            *super().get_urls(),
        ]

    def links(self, request: HttpRequest, row: Invoice) -> list[tuple[Any, str]]:
        return _papers(row) if row.number else []

    def pdf(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Print the invoice as the customer gets it."""
        invoice = self._issued(request, pk)
        return _shown(invoice, documents.invoice_pdf(invoice), "pdf")

    def xml(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give the invoice as data (EN 16931), the same that its PDF carries."""
        invoice = self._issued(request, pk)
        return _shown(invoice, einvoice.xml(invoice), "xml")

    def _issued(self, request: HttpRequest, pk: int) -> Invoice:
        if not self.has_view_permission(request):
            raise PermissionDenied
        invoice: Invoice | None = self.get_object(request, str(pk))
        if invoice is None or invoice.number is None:
            raise Http404
        return invoice

    @admin.display(description=_("invoice"), ordering="id")
    def name(self, row: Invoice) -> str:
        return str(row)

    @admin.display(description=_("state"), ordering="state")
    def status(self, row: Any) -> str:
        return ageing.state_of(row, row.on)

    @admin.display(description=_("due"), ordering="due_on")
    def to_pay_on(self, row: Invoice) -> str:
        return EMPTY if row.kind == Invoice.Kind.CREDIT_NOTE else day(row.due_on)

    @admin.display(description=_("customer"), ordering="customer__name")
    def customer_link(self, row: Invoice) -> str:
        return link(row.customer)

    @admin.display(description=_("order"))
    def order_link(self, row: Invoice) -> str:
        return link(row.order, f"#{row.order_id}")

    @admin.display(description=_("net"))
    def net(self, row: Invoice) -> str:
        return amount_of(row.net_minor, row.currency)

    @admin.display(description=_("tax"))
    def tax(self, row: Invoice) -> str:
        return amount_of(row.tax_minor, row.currency)

    @admin.display(description=_("total"), ordering="total_minor")
    def total(self, row: Invoice) -> str:
        return amount(row.effect)

    @admin.display(description=_("credited"))
    def credited(self, row: Invoice) -> str:
        return amount_of(row.credited_minor or None, row.currency)

    @admin.display(description=_("corrects"))
    def corrects_link(self, row: Invoice) -> str:
        return link(row.corrects)

    @admin.display(description=_("credit notes"))
    def notes(self, row: Invoice) -> str:
        return counted(row.credit_notes.all(), corrects__id__exact=row.pk)

    @admin.display(description=_("still to pay"))
    def due_amount(self, row: Invoice) -> str:
        return amount(row.due) if row.due and row.state != "cancelled" else EMPTY

    @admin.display(description=_("payments"))
    def payments(self, row: Invoice) -> str:
        return counted(row.payments.all(), invoice__id__exact=row.pk)

    @admin.display(description=_("bookings"))
    def books(self, row: Invoice) -> str:
        return counted(row.bookings.all(), invoice__id__exact=row.pk)

    @admin.display(description=_("so far, what comes next, and why"))
    def dunning(self, row: Invoice) -> str:
        return panel([row])

    @admin.display(description=_("buyer"))
    def buyer_text(self, row: Invoice) -> str:
        return _lines_of(row.buyer)

    @admin.display(description=_("seller"))
    def seller_text(self, row: Invoice) -> str:
        return _lines_of(row.seller)


def _papers(row: Invoice) -> list[tuple[Any, str]]:
    return [
        (_("PDF"), reverse("admin:billing_invoice_pdf", args=[row.pk])),
        (_("XML"), reverse("admin:billing_invoice_xml", args=[row.pk])),
    ]


def _shown(invoice: Invoice, content: bytes, kind: str) -> HttpResponse:
    name = f'inline; filename="{invoice.number}.{kind}"'
    headers = {"Content-Disposition": name}
    return HttpResponse(content, content_type=f"application/{kind}", headers=headers)


def _lines_of(party: dict[str, str]) -> str:
    return format_html_join("", "<div>{}</div>", ((text,) for text in party.values() if text))
