"""Gapless numbers: drawn last, in the transaction that issues, from a locked row.

A series counts by its own code, whatever the brand prints before the number: another prefix goes on
counting, so that no number is ever printed twice.
"""

from datetime import date

from django.db import connection

from billing.models import Brand, Invoice, NumberSeries

# The year of a series that does not begin anew.
ALWAYS = 0


def draw(code: str, year: int, count: int) -> range:
    """Take the next `count` numbers of the series; they are returned only if the caller commits.

    One statement; it locks the series' row until the transaction ends, so call it last.
    """
    table = NumberSeries._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (code, year, last) VALUES (%s, %s, %s) "
            f"ON CONFLICT (code, year) DO UPDATE SET last = {table}.last + EXCLUDED.last "
            "RETURNING last",
            [code, year, count],
        )
        (last,) = cursor.fetchone()
    return range(last - count + 1, last + 1)


def year_of(brand: Brand, on: date) -> int:
    """Return the year that a document of that day is counted in."""
    return on.year if brand.numbers_by_year else ALWAYS


def text(brand: Brand, code: str, year: int, sequence: int) -> str:
    """Return a number as printed, e.g. R-2026-0042, or R-0042 where years do not matter."""
    prefix = brand.credit_prefix if code == Invoice.CREDIT_SERIES else brand.invoice_prefix
    parts = [prefix, str(year) if year != ALWAYS else "", f"{sequence:0{brand.number_digits}d}"]
    return "-".join(filter(None, parts))


def upcoming(brand: Brand, code: str, *, on: date) -> str:
    """Return what the next document of that day will be called; nothing is drawn."""
    year = year_of(brand, on)
    last = NumberSeries.objects.filter(code=code, year=year).values_list("last", flat=True).first()
    return text(brand, code, year, (last or 0) + 1)
