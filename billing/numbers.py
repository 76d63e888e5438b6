"""Gapless numbers: drawn last, in the transaction that issues, from a locked row."""

from django.db import connection

from billing.models import NumberSeries


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


def text(code: str, year: int, sequence: int) -> str:
    """Return a number as printed, e.g. R-2026-0042."""
    return f"{code}-{year}-{sequence:04d}"
