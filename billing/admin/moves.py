"""Filters of lists by which figures of the first page lead to exactly their rows."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from billing import recurring
from billing.models import LedgerAccount, current_brand
from packages import clock
from packages.periods import business_day


class RecurringMove(admin.SimpleListFilter):
    """Subscriptions by what they did to this month's recurring revenue."""

    title = _("recurring revenue this month")
    parameter_name = "moved"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [(recurring.NOW, _("counts now")), *recurring.KINDS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        kind = self.value()
        if kind is None:
            return queryset
        at, zone = clock.now(), current_brand().zone
        on = business_day(at, zone)
        return queryset.filter(pk__in=recurring.who(kind, on.replace(day=1), on, at=at, zone=zone))


class MoneyMoved(admin.SimpleListFilter):
    """Postings by which customers' money came or was given back, at a gateway or the bank."""

    title = _("customers' money")
    parameter_name = "moved"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [("yes", _("received or given back"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        caused = Q(transaction__payment__isnull=False) | Q(transaction__refund__isnull=False)
        return queryset.filter(caused, account__kind=LedgerAccount.Kind.CLEARING)
