"""Filters of lists by which figures of the first page lead to exactly their rows."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from billing import recurring
from billing.models import InvoiceTax, LedgerAccount, current_brand
from packages import clock
from packages.desk.cells import percent
from packages.periods import add_months, business_day, start_of_day


class RecurringMove(admin.SimpleListFilter):
    """Subscriptions by what they did to recurring revenue: this month, or in `2026-03.churn`."""

    title = _("recurring revenue this month")
    parameter_name = "moved"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        known = [(recurring.NOW, _("counts now")), *recurring.KINDS.items()]
        return [(code, capfirst(str(name))) for code, name in known]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        at, zone = clock.now(), current_brand().zone
        on = business_day(at, zone)
        month, _dot, kind = str(self.value()).rpartition(".")
        first_on = _first_of(month) or on.replace(day=1)
        last_on = add_months(first_on, 1) - timedelta(days=1)
        if last_on < on:
            on, at = last_on, start_of_day(last_on + timedelta(days=1), zone)
        return queryset.filter(pk__in=recurring.who(kind, first_on, on, at=at, zone=zone))


class TaxedAt(admin.SimpleListFilter):
    """Invoices with a sum at that rate of tax."""

    title = _("rate of VAT")
    parameter_name = "taxed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        rates = InvoiceTax.objects.order_by("tax_bp").values_list("tax_bp", flat=True).distinct()
        return [(str(rate), percent(rate)) for rate in rates]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rate = str(self.value() or "")
        return queryset.filter(taxes__tax_bp=int(rate)) if rate.isdecimal() else queryset


class MoneyMoved(admin.SimpleListFilter):
    """Postings by which customers' money came or was given back, at a gateway or the bank."""

    title = _("customers' money")
    parameter_name = "moved"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [("yes", capfirst(str(_("received or given back"))))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        caused = Q(transaction__payment__isnull=False) | Q(transaction__refund__isnull=False)
        return queryset.filter(caused, account__kind=LedgerAccount.Kind.CLEARING)


def _first_of(month: str) -> date | None:
    try:
        return date.fromisoformat(f"{month}-01")
    except ValueError:
        return None
