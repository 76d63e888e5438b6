"""What the shop earned and received by the books, a day or a month each, in each currency."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from django.db import connection

from packages.money import Money
from packages.periods import start_of_day

Step = Literal["day", "month"]
# Earned is what was invoiced, without tax, less what was credited. Received is what gateways and
# bank confirmed, less what was given back; fees and payouts are neither.
SQL = """
SELECT date_trunc(%(step)s, t.at AT TIME ZONE %(zone)s)::date AS first_on, a.currency,
  COALESCE(-sum(o.amount_minor) FILTER (WHERE a.kind = 'revenue'), 0)::bigint,
  COALESCE(-sum(o.amount_minor) FILTER (WHERE a.kind = 'tax_payable'), 0)::bigint,
  COALESCE(sum(o.amount_minor) FILTER (WHERE a.kind = 'clearing'), 0)::bigint
FROM billing_ledgertransaction t
JOIN billing_posting o ON o.transaction_id = t.id
JOIN billing_ledgeraccount a ON a.id = o.account_id
WHERE t.at >= %(since)s AND t.at < %(until)s
  AND (a.kind IN ('revenue', 'tax_payable')
    OR a.kind = 'clearing' AND (t.payment_id IS NOT NULL OR t.refund_id IS NOT NULL))
GROUP BY 1, 2 ORDER BY 2, 1
"""


@dataclass(frozen=True, slots=True)
class Income:
    """Of one currency, in the day or month that begins on `first_on`."""

    first_on: date
    earned: Money
    tax: Money
    received: Money

    @property
    def currency(self) -> str:
        return self.earned.currency


def of(first_on: date, last_on: date, *, step: Step, zone: str) -> list[Income]:
    """Return the income of each day or month in which something was booked; one query."""
    given: dict[str, str | datetime] = {
        "step": step,
        "zone": zone,
        "since": start_of_day(first_on, zone),
        "until": start_of_day(last_on + timedelta(days=1), zone),
    }
    with connection.cursor() as cursor:
        cursor.execute(SQL, given)
        return [
            Income(on, Money(earned, code), Money(tax, code), Money(received, code))
            for on, code, earned, tax, received in cursor.fetchall()
        ]
