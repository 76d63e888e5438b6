"""Customers: who is billed, and everything that belongs to them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from billing import ledger, pauses
from billing.admin import top_ups
from billing.admin.dunning import PauseDunning, today
from billing.models import Customer, Invoice, LedgerAccount, Membership
from packages import clock
from packages.desk.cells import amount, counted, lines
from packages.desk.pages import Page, TabularInline

Kind = LedgerAccount.Kind


class Memberships(TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Customer)
class CustomerPage(Page):
    inlines = (Memberships, top_ups.Limits)
    deeds = (top_ups.SetTopUpLimit(), PauseDunning())
    list_display = ("customer", "email", "country", "is_business", "language", "created_at")
    list_filter = ("is_business", "country", "language")
    search_fields = ("name", "company", "email", "vat_id", "memberships__user__email")
    readonly_fields = ("created_at", "owed", "credit", "subscriptions", "orders", "invoices") + (
        "payments",
        "methods",
        "pays_automatically",
        "mails",
    )
    fieldsets = (
        (None, {"fields": (("name", "company"), ("email", "phone"), "language")}),
        (
            _("Address on invoices"),
            {"fields": ("street", "extra", ("postcode", "city"), "country")},
        ),
        (_("Tax"), {"fields": (("is_business", "vat_id"),)}),
        (_("Dunning"), {"fields": ("timetable",)}),
    )
    belongings = (
        _("What belongs to this customer"),
        {
            "fields": (
                ("owed", "credit"),
                ("subscriptions", "orders", "invoices"),
                ("payments", "methods", "pays_automatically", "mails", "created_at"),
            )
        },
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return (self.belongings, *self.fieldsets) if obj else self.fieldsets

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        if not change:
            obj.created_at = clock.now()
        super().save_model(request, obj, form, change)
        if "timetable" in form.changed_data:
            pauses.look_again(Invoice.objects.filter(customer=obj), on=today())

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("customer"), ordering="name")
    def customer(self, row: Customer) -> str:
        return str(row)

    @admin.display(description=_("owes"))
    def owed(self, row: Customer) -> str:
        return _balances(row, Kind.RECEIVABLE)

    @admin.display(description=_("paid too much"))
    def credit(self, row: Customer) -> str:
        return _balances(row, Kind.CUSTOMER_CREDIT)

    @admin.display(description=_("subscriptions"))
    def subscriptions(self, row: Customer) -> str:
        return counted(row.subscriptions.all(), customer__id__exact=row.pk)

    @admin.display(description=_("orders"))
    def orders(self, row: Customer) -> str:
        return counted(row.orders.all(), customer__id__exact=row.pk)

    @admin.display(description=_("invoices"))
    def invoices(self, row: Customer) -> str:
        return counted(row.invoices.all(), customer__id__exact=row.pk)

    @admin.display(description=_("payments"))
    def payments(self, row: Customer) -> str:
        return counted(row.payments.all(), customer__id__exact=row.pk)

    @admin.display(description=_("saved payment methods"))
    def methods(self, row: Customer) -> str:
        return counted(row.methods.all(), customer__id__exact=row.pk)

    @admin.display(description=_("mails"))
    def mails(self, row: Customer) -> str:
        return counted(row.mails.all(), customer__id__exact=row.pk)


def _balances(customer: Customer, kind: LedgerAccount.Kind) -> str:
    """Return the customer's books of that kind; what is owed to them is shown positive."""
    sums = [
        ledger.balance(kind, customer=customer, currency=book.currency)
        for book in customer.books.filter(kind=kind).order_by("currency")
    ]
    return lines([amount(-each if kind == Kind.CUSTOMER_CREDIT else each) for each in sums])
