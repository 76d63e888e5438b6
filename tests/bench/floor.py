"""The floor: the very rows that a run has written, written again by set-based SQL alone.

It computes nothing and makes no Python object; what it takes is what the tables, their keys,
checks and triggers take.
"""

from __future__ import annotations

from django.db import connection, transaction

from tests.bench.measuring import run

KEPT = "floor"


class Floor:
    """Knows which rows are new since it was made, takes them away and writes them again."""

    def __init__(self) -> None:
        names = [n for n in connection.introspection.table_names() if n != "django_migrations"]
        self._tables = [name for name in names if self._has_id(name)]
        self._last = {name: self._last_id(name) for name in self._tables}

    def take_away(self) -> int:
        """Keep the new rows beside the tables and remove them; return how many there were."""
        run(f"DROP SCHEMA IF EXISTS {KEPT} CASCADE")
        run(f"CREATE SCHEMA {KEPT}")
        count = 0
        with transaction.atomic():
            run("SET LOCAL session_replication_role = replica")
            for name in self._tables:
                new = f"FROM {name} WHERE id > {self._last[name]}"
                (((rows,),)) = run(f"SELECT count(*) {new}")
                if rows:
                    run(f"CREATE TABLE {KEPT}.{name} AS SELECT * {new} ORDER BY id")
                    run(f"DELETE {new}")
                    count += rows
            run(
                f"CREATE TABLE {KEPT}.due AS SELECT id, next_invoice_on, paid_until"
                " FROM billing_subscription"
                f" WHERE id IN (SELECT subscription_id FROM {KEPT}.billing_invoiceline)"
            )
        run("VACUUM ANALYZE")
        return count

    def write(self) -> None:
        """Write all of them in one transaction: invoices as drafts, their parts, the numbers."""
        with transaction.atomic():
            kept = [
                name
                for (name,) in run(f"SELECT tablename FROM pg_tables WHERE schemaname = '{KEPT}'")
            ]
            run(self._drafts())
            for name in kept:
                if name not in ("due", "billing_invoice"):
                    run(f"INSERT INTO {name} TABLE {KEPT}.{name}")
            run(
                "UPDATE billing_invoice i SET series = k.series, year = k.year,"
                " sequence = k.sequence, number = k.number, state = k.state"
                f" FROM {KEPT}.billing_invoice k WHERE k.id = i.id"
            )
            run(
                "UPDATE billing_subscription s"
                " SET next_invoice_on = k.next_invoice_on, paid_until = k.paid_until"
                f" FROM {KEPT}.due k WHERE k.id = s.id"
            )
            run("SET CONSTRAINTS ALL IMMEDIATE")

    def _drafts(self) -> str:
        """Only a draft takes lines (a trigger), so an invoice gets its number last."""
        own = {
            "series": "''",
            "year": "NULL",
            "sequence": "NULL",
            "number": "NULL",
            "state": "'draft'",
        }
        columns = self._columns("billing_invoice")
        values = ", ".join(own.get(name, name) for name in columns)
        return (
            f"INSERT INTO billing_invoice ({', '.join(columns)})"
            f" SELECT {values} FROM {KEPT}.billing_invoice"
        )

    def _has_id(self, table: str) -> bool:
        return "id" in self._columns(table) and table != "django_session"

    def _columns(self, table: str) -> list[str]:
        with connection.cursor() as cursor:
            return [
                each.name for each in connection.introspection.get_table_description(cursor, table)
            ]

    def _last_id(self, table: str) -> int:
        ((last,),) = run(f"SELECT coalesce(max(id), 0) FROM {table}")
        return int(last)
