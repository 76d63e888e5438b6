"""Recurring revenue (MRR, ARR) and how it moved in a month, by invoices and the services' history.

A service counts from its first paid period until it has ended, also while it is suspended; a trial
does not. It is worth the price that its latest period was invoiced at, without tax and after
discounts, or that its package was exchanged for since (prices, since the nets of an invoice's lines
share out its rounding). Sums are of two years, which every cycle divides, so that
nothing is rounded before it is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from packages.money import Money
from packages.periods import add_months, start_of_day

MONTHS = 24
KINDS: dict[str, str | Promise] = {
    "new": _("new"),
    "back": _("brought back"),
    "expansion": _("expansion"),
    "contraction": _("contraction"),
    "churn": _("churn"),
}
NOW = "now"
# What each service is worth from a day on, and the instants between which it lives.
WORTH = """
WITH charge AS (
  SELECT l.subscription_id, p.on_day, 0 AS nth,
    round(CASE s.cycle WHEN 'monthly' THEN 24 WHEN 'quarterly' THEN 8
      WHEN 'half_yearly' THEN 4 WHEN 'yearly' THEN 2 ELSE 1 END
    * sum(l.unit_minor * l.quantity
      * CASE WHEN i.prices_include_tax THEN 10000.0 / (10000 + l.tax_bp) ELSE 1 END)) AS minor
  FROM billing_invoiceline l
  JOIN billing_invoice i ON i.id = l.invoice_id AND i.number IS NOT NULL
  JOIN billing_subscription s ON s.id = l.subscription_id
  -- What is ordered begins when it is paid; its line does not know that day.
  CROSS JOIN LATERAL (SELECT COALESCE(l.period_start_on, (
    SELECT min(o.start_on) FROM billing_subscriptionperiod o
    WHERE o.subscription_id = l.subscription_id AND o.index >= 0 AND o.start_on >= i.issued_on
  )) AS on_day) p
  WHERE l.kind IN ('recurring', 'discount') AND p.on_day IS NOT NULL
    AND l.corrects_id IS NULL AND s.cycle <> 'one_time'
  GROUP BY l.subscription_id, p.on_day, s.cycle
), change AS (
  SELECT e.subscription_id, e.on AS on_day, 1 AS nth, round(
    e.amount_minor * CASE e.cycle WHEN 'monthly' THEN 24 WHEN 'quarterly' THEN 8
      WHEN 'half_yearly' THEN 4 WHEN 'yearly' THEN 2 ELSE 1 END
    * CASE WHEN i.prices_include_tax THEN 10000.0 / (10000 + l.tax_bp) ELSE 1 END) AS minor
  FROM billing_exchange e
  CROSS JOIN LATERAL (SELECT x.invoice_id, x.tax_bp FROM billing_invoiceline x
    WHERE x.subscription_id = e.subscription_id AND x.kind = 'recurring'
      AND x.corrects_id IS NULL AND COALESCE(x.period_start_on, e.on) <= e.on
    ORDER BY x.id DESC LIMIT 1) l
  JOIN billing_invoice i ON i.id = l.invoice_id
  WHERE e.mode = 'now' AND e.state = 'done'
), worth AS (
  SELECT subscription_id, minor, on_day,
    lead(on_day, 1, 'infinity') OVER w AS until_day, min(on_day) OVER w AS first_day
  FROM (SELECT * FROM charge UNION ALL SELECT * FROM change) each
  WINDOW w AS (PARTITION BY subscription_id ORDER BY on_day, nth)
), life AS (
  SELECT subject_id, after, at, lead(at, 1, 'infinity') OVER (PARTITION BY subject_id ORDER BY id)
    AS until FROM packages_statechange WHERE subject = 'subscription'
), moment AS (
  SELECT * FROM unnest(%(days)s::date[], %(instants)s::timestamptz[]) AS m (on_day, at)
), value AS (
  SELECT w.subscription_id, m.on_day, w.first_day, w.minor
  FROM moment m
  JOIN worth w ON w.on_day <= m.on_day AND w.until_day > m.on_day
  JOIN life ON life.subject_id = w.subscription_id AND life.at < m.at AND life.until >= m.at
    AND life.after IN ('active', 'suspended')
)
"""
MOVED = (
    WORTH
    + """, pair AS (
  SELECT subscription_id, min(first_day) AS first_day,
    COALESCE(sum(minor) FILTER (WHERE on_day = %(then)s), 0) AS before,
    COALESCE(sum(minor) FILTER (WHERE on_day = %(now)s), 0) AS after
  FROM value GROUP BY subscription_id
), moved AS (
  SELECT subscription_id, before, after, after - before AS minor,
    CASE WHEN after = before THEN 'same' WHEN after = 0 THEN 'churn'
      WHEN before = 0 AND first_day > %(then)s THEN 'new' WHEN before = 0 THEN 'back'
      WHEN after > before THEN 'expansion' ELSE 'contraction' END AS kind
  FROM pair WHERE before <> 0 OR after <> 0
)
"""
)


@dataclass(frozen=True, slots=True)
class Move:
    """What services of one kind of change did to a month's recurring revenue."""

    kind: str
    count: int
    amount: Money


@dataclass(frozen=True, slots=True)
class Recurring:
    """A currency's recurring revenue a month: before the month, now, and what lies between."""

    before: Money
    now: Money
    arr: Money
    count: int
    moves: list[Move]

    @property
    def currency(self) -> str:
        return self.now.currency


def moved(first_on: date, on: date, *, at: datetime, zone: str) -> list[Recurring]:
    """Return each currency's recurring revenue at the instant `at` of the day `on`, and how it has
    moved since the day before `first_on` was over. One query.
    """
    sql = (
        MOVED
        + """SELECT s.currency, kind, count(*), count(*) FILTER (WHERE after <> 0),
          sum(before)::bigint, sum(after)::bigint, sum(moved.minor)::bigint
        FROM moved JOIN billing_subscription s ON s.id = moved.subscription_id
        GROUP BY 1, 2 ORDER BY 1, 2"""
    )
    found: dict[str, list[tuple[Any, ...]]] = {}
    for code, *rest in _rows(sql, _between(first_on, on, at=at, zone=zone)):
        found.setdefault(code, []).append(tuple(rest))
    return [_recurring(code, rows) for code, rows in found.items()]


def who(kind: str, first_on: date, on: date, *, at: datetime, zone: str) -> list[int]:
    """Return the ids of the subscriptions that made a move; of all that count, for `now`."""
    held = "after <> 0" if kind == NOW else "kind = %(kind)s"
    sql = MOVED + f"SELECT subscription_id FROM moved WHERE {held}"
    given = {**_between(first_on, on, at=at, zone=zone), "kind": kind}
    return [row[0] for row in _rows(sql, given)]


def history(months: Sequence[date], *, zone: str) -> list[tuple[date, Money]]:
    """Return what recurred a month at the end of the day before each of these days; one query."""
    sql = (
        WORTH
        + """SELECT on_day, s.currency, sum(minor)::bigint
        FROM value JOIN billing_subscription s ON s.id = value.subscription_id
        GROUP BY 1, 2 ORDER BY 2, 1"""
    )
    eves = {each - timedelta(days=1): each for each in months}
    given = {"days": list(eves), "instants": [start_of_day(each, zone) for each in months]}
    return [(eves[on], _monthly(minor, code)) for on, code, minor in _rows(sql, given)]


def last_months(on: date, count: int) -> list[date]:
    """Return the first days of the month of `on` and of those before it, the oldest first."""
    first_on = on.replace(day=1)
    return [add_months(first_on, -back) for back in reversed(range(count))]


def _between(first_on: date, on: date, *, at: datetime, zone: str) -> dict[str, Any]:
    """Both moments: the last instant before the month, and now."""
    then = first_on - timedelta(days=1)
    return {
        "days": [then, on],
        "instants": [start_of_day(first_on, zone), at],
        "then": then,
        "now": on,
    }


def _recurring(code: str, rows: Sequence[tuple[Any, ...]]) -> Recurring:
    moves = {
        kind: Move(kind, count, _monthly(minor, code))
        for kind, count, _living, _before, _after, minor in rows
    }
    after = sum(row[4] for row in rows)
    return Recurring(
        _monthly(sum(row[3] for row in rows), code),
        _monthly(after, code),
        Money(after, code).fraction(12, MONTHS),
        sum(row[2] for row in rows),
        [moves[kind] if kind in moves else Move(kind, 0, Money.zero(code)) for kind in KINDS],
    )


def _monthly(minor: int, code: str) -> Money:
    return Money(minor, code).fraction(1, MONTHS)


def _rows(sql: str, given: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return list(cursor.fetchall())
