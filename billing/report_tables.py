"""The reports of a stretch of months: income, tax, what is open, churn, packages. Reads only."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing import ageing, board, income, recurring
from billing.models import Invoice, LedgerAccount, Posting, Subscription
from packages import countries
from packages.desk.cells import list_url
from packages.desk.tables import Cell, Table
from packages.models import Package
from packages.money import Money
from packages.periods import add_months, start_of_day

HUNDRED = 100
SIGN = "CASE i.kind WHEN 'credit_note' THEN -1 ELSE 1 END"
TAX = f"""
SELECT i.buyer->>'country', t.tax_bp, i.currency, count(DISTINCT i.id),
  sum({SIGN} * t.net_minor)::bigint, sum({SIGN} * t.tax_minor)::bigint
FROM billing_invoice i JOIN billing_invoicetax t ON t.invoice_id = i.id
WHERE i.number IS NOT NULL AND i.issued_on BETWEEN %s AND %s
GROUP BY 1, 2, 3 ORDER BY 3, 1, 2 DESC
"""
PACKAGES = f"""
SELECT COALESCE(o.package_id, s.package_id) AS package, i.currency, count(DISTINCT i.id),
  sum({SIGN} * l.net_minor)::bigint AS net
FROM billing_invoiceline l JOIN billing_invoice i ON i.id = l.invoice_id
LEFT JOIN billing_orderline o ON o.id = l.order_line_id
LEFT JOIN billing_subscription s ON s.id = l.subscription_id
WHERE i.number IS NOT NULL AND i.issued_on BETWEEN %s AND %s
GROUP BY 1, 2 ORDER BY 2, net DESC
"""


@dataclass(frozen=True, slots=True)
class Span:
    """From the first day of a month to the last day of the same or a later one."""

    first_on: date
    last_on: date
    zone: str

    @property
    def months(self) -> list[date]:
        count = (self.last_on.year - self.first_on.year) * 12 + self.last_on.month
        return [add_months(self.first_on, n) for n in range(count - self.first_on.month + 1)]


def all_of(span: Span, *, on: date, at: datetime) -> list[Table]:
    """Return every report; queries by the number of months, not of rows."""
    return [_income(span), _tax(span), _open(on), _churn(span, on=on, at=at), _packages(span)]


def _income(span: Span) -> Table:
    found = income.of(span.first_on, span.last_on, step="month", zone=span.zone)
    rows = [
        [
            Cell(date_format(each.first_on, "F Y")),
            Cell(each.currency),
            _linked(board.earned(each, end_of_month(each.first_on), span.zone)),
            Cell(each.tax, _taxed(each, span.zone)),
            _linked(board.received(each, end_of_month(each.first_on), span.zone)),
        ]
        for each in sorted(found, key=lambda each: (each.first_on, each.currency))
    ]
    head = (_("month"), _("currency"), _("earned, without VAT"), _("VAT"), _("received"))
    return Table("income", _("Income by month"), head, rows)


def _tax(span: Span) -> Table:
    rows = []
    for country, rate_bp, code, count, net, tax in _fetched(TAX, span):
        url = list_url(
            Invoice,
            buyer__country=country,
            taxed=rate_bp,
            currency__exact=code,
            issued_on__gte=span.first_on,
            issued_on__lte=span.last_on,
        )
        rate = Decimal(rate_bp) / HUNDRED
        sums = (Cell(Money(net, code)), Cell(Money(tax, code)))
        rows.append(
            [
                Cell(country, name=countries.name(country)),
                Cell(rate),
                Cell(code),
                Cell(count, url),
                *sums,
            ]
        )
    head = (_("country"), _("rate"), _("currency"), _("invoices"), _("net"), _("VAT"))
    note = _("Invoices less credit notes, by their date and by the buyer's country on them.")
    return Table("tax", _("VAT by country and rate"), head, rows, note)


def _open(on: date) -> Table:
    rows = [
        [Cell(code), Cell(each.name), Cell(each.count, each.url), Cell(each.due)]
        for code, buckets in ageing.of(on).items()
        for each in buckets
    ]
    head = (_("currency"), _("overdue"), _("invoices"), _("still to pay"))
    title, none = _("Open invoices by age"), _("No invoice is open today.")
    return Table("open", title, head, rows, _("As of today."), none)


def _churn(span: Span, *, on: date, at: datetime) -> Table:
    rows = []
    for first_on in span.months:
        if first_on <= on:
            last_on = min(end_of_month(first_on), on)
            then = at if last_on == on else start_of_day(last_on + timedelta(days=1), span.zone)
            found = recurring.moved(first_on, last_on, at=then, zone=span.zone)
            rows += [_churned(first_on, each) for each in found]
    moves = [str(each) for each in recurring.KINDS.values()]
    head = (_("month"), _("currency"), _("MRR before"), *moves, _("MRR after"), _("churn rate"))
    note = _("The churn rate is the MRR of services that ended, of the MRR before the month.")
    return Table("churn", _("Recurring revenue and churn"), head, rows, note)


def _churned(first_on: date, each: recurring.Recurring) -> list[Cell]:
    lost = next(move.amount for move in each.moves if move.kind == "churn")
    rate = Decimal(-lost.minor * HUNDRED) / each.before.minor if each.before else None
    return [
        Cell(date_format(first_on, "F Y")),
        Cell(each.currency),
        Cell(each.before),
        *(Cell(move.amount, _moved(first_on, move.kind, each.currency)) for move in each.moves),
        Cell(each.now, _moved(first_on, recurring.NOW, each.currency)),
        Cell(rate.quantize(Decimal("0.1")) if rate is not None else None),
    ]


def _packages(span: Span) -> Table:
    found = _fetched(PACKAGES, span)
    names = Package.objects.in_bulk([row[0] for row in found if row[0]])
    rows = []
    for package_id, code, count, net in found:
        package = names.get(package_id)
        name = package.text("name") if package else _("credit of a free amount")
        url = list_url(Subscription, package__id__exact=package_id) if package else ""
        rows.append([Cell(name, url), Cell(code), Cell(count), Cell(Money(net, code))])
    head = (_("package"), _("currency"), _("invoices"), _("earned, without VAT"))
    return Table("packages", _("Top packages"), head, rows)


def end_of_month(on: date) -> date:
    return add_months(on.replace(day=1), 1) - timedelta(days=1)


def _linked(figure: board.Figure) -> Cell:
    return Cell(figure.amount, figure.url)


def _taxed(each: income.Income, zone: str) -> str:
    filters = {
        "account__kind__exact": LedgerAccount.Kind.TAX_PAYABLE.value,
        "account__currency__exact": each.currency,
        **board.span("transaction__at", each.first_on, end_of_month(each.first_on), zone),
    }
    return list_url(Posting, **filters)


def _moved(first_on: date, kind: str, code: str) -> str:
    return list_url(Subscription, moved=f"{first_on:%Y-%m}.{kind}", currency__exact=code)


def _fetched(sql: str, span: Span) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [span.first_on, span.last_on])
        return list(cursor.fetchall())
