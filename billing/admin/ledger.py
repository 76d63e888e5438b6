"""The books. Nobody edits them: the database refuses it as well."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from billing.admin.moves import MoneyMoved
from billing.models import LedgerAccount, LedgerTransaction, Posting
from packages.desk import causes
from packages.desk.cells import amount_of, capital, counted, link, moment
from packages.desk.pages import ReadOnlyInline, ReadOnlyPage
from packages.desk.told import Told


class Postings(ReadOnlyInline):
    model = Posting
    fields = ("book", "of", "amount")
    readonly_fields = fields
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("account__customer")

    @admin.display(description=_("account"))
    def book(self, row: Posting) -> str:
        return link(row.account)

    @admin.display(description=_("customer"))
    def of(self, row: Posting) -> str:
        return link(row.account.customer)

    @admin.display(description=_("amount"))
    def amount(self, row: Posting) -> str:
        return amount_of(row.amount_minor, row.account.currency)


class BookedPage(ReadOnlyPage):
    """Lists of rows with a cause; what the causes of a page name is read at once."""

    _causes = Told(causes.plain)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found = super().get_changelist_instance(request)
        self._causes = Told(causes.plain, [self.cause_of(row) for row in found.result_list])
        return found

    def cause_of(self, row: Any) -> str:
        raise NotImplementedError

    def told(self, row: Any) -> str:
        return capital(self._causes[self.cause_of(row)])


@admin.register(LedgerTransaction)
class LedgerTransactionPage(BookedPage):
    list_display = ("caused", "at", "invoice_link", "payment_link")
    list_filter = ("at",)
    date_hierarchy = "at"
    ordering = ("-id",)
    search_fields = ("cause", "invoice__number")
    list_select_related = ("invoice", "payment")
    inlines = (Postings,)
    readonly_fields = ("whole_cause", "invoice_link", "payment_link")
    fields = ("whole_cause", "at", "invoice_link", "payment_link")

    def cause_of(self, row: LedgerTransaction) -> str:
        return row.cause

    @admin.display(description=_("cause"), ordering="cause")
    def caused(self, row: LedgerTransaction) -> str:
        return self.told(row)

    @admin.display(description=_("cause"))
    def whole_cause(self, row: LedgerTransaction) -> str:
        return capital(causes.told([row.cause])[row.cause])

    @admin.display(description=_("invoice"))
    def invoice_link(self, row: LedgerTransaction) -> str:
        return link(row.invoice)

    @admin.display(description=_("payment"))
    def payment_link(self, row: LedgerTransaction) -> str:
        return link(row.payment)


@admin.register(LedgerAccount)
class LedgerAccountPage(ReadOnlyPage):
    list_display = ("book", "customer_link", "balance")
    list_filter = ("kind", "currency")
    search_fields = ("name", "customer__name", "customer__company")
    list_select_related = ("customer",)
    ordering = ("kind", "name", "id")
    readonly_fields = ("book", "customer_link", "balance", "postings")
    fields = ("book", "customer_link", "balance", "postings")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        summed: QuerySet[Any] = (
            super().get_queryset(request).annotate(sum_minor=Sum("postings__amount_minor"))
        )
        return summed

    @admin.display(description=_("account"), ordering="kind")
    def book(self, row: LedgerAccount) -> str:
        return str(row)

    @admin.display(description=_("customer"), ordering="customer__name")
    def customer_link(self, row: LedgerAccount) -> str:
        return link(row.customer)

    @admin.display(description=_("balance"), ordering="sum_minor")
    def balance(self, row: Any) -> str:
        return amount_of(row.sum_minor or 0, row.currency)

    @admin.display(description=_("postings"))
    def postings(self, row: LedgerAccount) -> str:
        return counted(row.postings.all(), account__id__exact=row.pk)


@admin.register(Posting)
class PostingPage(BookedPage):
    list_display = ("booking", "book", "customer_link", "booked_at", "amount")
    list_display_links = None
    list_filter = ("account__kind", "account__currency", MoneyMoved)
    date_hierarchy = "transaction__at"
    search_fields = ("transaction__cause", "account__customer__name")
    list_select_related = ("transaction", "account__customer")
    ordering = ("-id",)
    readonly_fields = ("booking", "book", "customer_link", "booked_at", "amount")
    fields = readonly_fields

    def cause_of(self, row: Posting) -> str:
        return row.transaction.cause

    @admin.display(description=_("booking"))
    def booking(self, row: Posting) -> str:
        return link(row.transaction, self.told(row))

    @admin.display(description=_("account"))
    def book(self, row: Posting) -> str:
        return link(row.account)

    @admin.display(description=_("customer"))
    def customer_link(self, row: Posting) -> str:
        return link(row.account.customer)

    @admin.display(description=_("at"), ordering="transaction__at")
    def booked_at(self, row: Posting) -> str:
        return moment(row.transaction.at)

    @admin.display(description=_("amount"), ordering="amount_minor")
    def amount(self, row: Posting) -> str:
        return amount_of(row.amount_minor, row.account.currency)
