"""The desk's first page: money, recurring revenue, debts, health, tonight, latest orders."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing import ageing, income, recurring, tonight, vitals
from billing.income import Income
from billing.models import (
    LedgerAccount,
    Order,
    Posting,
    Subscription,
    current_brand,
)
from packages.desk import charts
from packages.desk.cells import amount, list_url
from packages.money import Money
from packages.periods import business_day, start_of_day

DAYS = 30
MONTHS = 12
ORDERS = 8


@dataclass(frozen=True, slots=True)
class Figure:
    """One amount and the list of the rows that it is the sum of."""

    amount: Money
    url: str


@dataclass(frozen=True, slots=True)
class Series:
    """A currency's bars, the same figures for a table, and their rows."""

    currency: str
    chart: charts.Bars | None
    rows: list[tuple[str, Figure]]

    @property
    def first(self) -> str:
        return self.rows[0][0]

    @property
    def last(self) -> str:
        return self.rows[-1][0]


def of(may: Callable[[str], bool], *, at: datetime) -> dict[str, Any]:
    """Return the parts that a person with these rights may see; a bounded number of queries."""
    zone = current_brand().zone
    on = business_day(at, zone)
    board: dict[str, Any] = {}
    if may("billing.view_posting"):
        board |= _money(on, zone)
    if may("billing.view_subscription"):
        board |= _recurring(on, at=at, zone=zone)
    if may("billing.view_invoice"):
        board["ageing"] = ageing.of(on)
        board["tonight"] = tonight.of(on + timedelta(days=1))
        board["tonight_on"] = on + timedelta(days=1)
    if may("provisioning.view_server"):
        board["diallers"] = vitals.diallers()
    if may("billing.view_payment"):
        board["gateways"] = vitals.takers(at=at)
    if may("billing.view_order"):
        rows = Order.objects.select_related("customer", "invoice").order_by("-pk")
        board["orders"] = rows[:ORDERS]
    return board


def _money(on: date, zone: str) -> dict[str, Any]:
    days = [on - timedelta(days=back) for back in reversed(range(DAYS))]
    found = income.of(days[0], on, step="day", zone=zone)
    by_currency: dict[str, dict[date, Income]] = {}
    for each in found:
        by_currency.setdefault(each.currency, {})[each.first_on] = each
    return {
        "earned": [earned(each, on, zone) for each in _todays(found, on)],
        "received": [received(each, on, zone) for each in _todays(found, on)],
        "days": [_series(code, rows, days, zone) for code, rows in by_currency.items()],
    }


def _todays(found: Sequence[Income], on: date) -> list[Income]:
    """Return today's income of every currency that moved lately, also where it is nothing."""
    today = {each.currency: each for each in found if each.first_on == on}
    codes = dict.fromkeys(each.currency for each in found)
    return [today.get(code) or _nothing(code, on) for code in codes]


def _nothing(code: str, on: date) -> Income:
    return Income(on, Money.zero(code), Money.zero(code), Money.zero(code))


def earned(each: Income, last_on: date, zone: str) -> Figure:
    """Return what was earned from `first_on` to `last_on`, with its postings."""
    filters = {
        "account__kind__exact": LedgerAccount.Kind.REVENUE.value,
        "account__currency__exact": each.currency,
        **span("transaction__at", each.first_on, last_on, zone),
    }
    return Figure(each.earned, list_url(Posting, **filters))


def received(each: Income, last_on: date, zone: str) -> Figure:
    """Return what was received from `first_on` to `last_on`, with its postings."""
    filters = {
        "moved": "yes",
        "account__currency__exact": each.currency,
        **span("transaction__at", each.first_on, last_on, zone),
    }
    return Figure(each.received, list_url(Posting, **filters))


def span(field: str, first_on: date, last_on: date, zone: str) -> dict[str, str]:
    until = start_of_day(last_on + timedelta(days=1), zone)
    since = start_of_day(first_on, zone)
    return {f"{field}__gte": since.isoformat(), f"{field}__lt": until.isoformat()}


def _series(code: str, rows: dict[date, Income], days: Sequence[date], zone: str) -> Series:
    figures = [
        (
            date_format(day, "MONTH_DAY_FORMAT"),
            earned(rows.get(day) or _nothing(code, day), day, zone),
        )
        for day in days
    ]
    return _drawn(code, figures)


def _drawn(code: str, figures: list[tuple[str, Figure]]) -> Series:
    bars = charts.bars(
        [(f"{name}: {amount(each.amount)}", each.amount.minor) for name, each in figures]
    )
    return Series(code, bars, figures)


def _recurring(on: date, *, at: datetime, zone: str) -> dict[str, Any]:
    first_on = on.replace(day=1)
    now = recurring.moved(first_on, on, at=at, zone=zone)
    months = recurring.last_months(on, MONTHS)
    past = recurring.history(months, zone=zone)
    return {
        "recurring": [_shown(each, past, months) for each in now],
        "month": date_format(first_on, "F Y"),
    }


def _shown(
    each: recurring.Recurring, past: Sequence[tuple[date, Money]], months: Sequence[date]
) -> dict[str, Any]:
    then = {on: money for on, money in past if money.currency == each.currency}
    figures = [
        (
            date_format(on - timedelta(days=1), "M Y"),
            Figure(then.get(on, Money.zero(each.currency)), ""),
        )
        for on in months
    ]
    counted = {"currency__exact": each.currency}
    rows = [
        (recurring.KINDS[move.kind], move, _moves_url(move.kind, counted)) for move in each.moves
    ]
    last = (_("today"), Figure(each.now, _moves_url(recurring.NOW, counted)))
    return {
        "now": last[1],
        "arr": each.arr,
        "before": each.before,
        "count": each.count,
        "moves": rows,
        "series": _drawn(each.currency, [*figures, last]),
    }


def _moves_url(kind: str, filters: dict[str, str]) -> str:
    return list_url(Subscription, moved=kind, **filters)
