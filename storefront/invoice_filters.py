"""Which invoices of a list are shown: by what became of them, and by year. The address says it."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.models import Invoice
from storefront.overview import being_confirmed


class Show(StrEnum):
    """What became of an invoice, as customers ask for it."""

    ALL = ""
    OPEN = "open"
    OVERDUE = "overdue"
    PAID = "paid"
    CREDIT = "credit"

    @property
    def label(self) -> Promise:
        return LABELS[self]


LABELS = {
    Show.ALL: _("All"),
    Show.OPEN: _("Open"),
    Show.OVERDUE: _("Overdue"),
    Show.PAID: _("Paid"),
    Show.CREDIT: _("Credit notes"),
}


@dataclass(frozen=True, slots=True)
class InvoiceFilter:
    """What a reader wants to see; a word or a year that we do not know means all."""

    show: Show
    year: int | None
    years: list[int]

    @property
    def is_on(self) -> bool:
        return self.show != Show.ALL or self.year is not None

    @property
    def shows(self) -> list[Show]:
        return list(Show)

    def of(self, invoices: QuerySet[Invoice], *, on: date) -> QuerySet[Invoice]:
        if self.year is not None:
            invoices = invoices.filter(issued_on__year=self.year)
        return invoices.filter(_condition(self.show, on=on))


def read(query: QueryDict, invoices: QuerySet[Invoice]) -> InvoiceFilter:
    """Read the filter from an address; `invoices` are all there are to choose from."""
    years = [day.year for day in invoices.order_by().dates("issued_on", "year", order="DESC")]
    show, year = query.get("show", ""), query.get("year", "")
    return InvoiceFilter(
        show=Show(show) if show in set(Show) else Show.ALL,
        year=int(year) if year in {str(each) for each in years} else None,
        years=years,
    )


def _condition(show: Show, *, on: date) -> Q:
    return {
        Show.ALL: Q(),
        Show.OPEN: Q(state=Invoice.State.OPEN),
        Show.OVERDUE: Q(~being_confirmed(), state=Invoice.State.OPEN, due_on__lt=on),
        Show.PAID: Q(state=Invoice.State.PAID),
        Show.CREDIT: Q(kind=Invoice.Kind.CREDIT_NOTE),
    }[show]
