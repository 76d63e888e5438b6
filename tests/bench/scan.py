"""Choosing what is due today: rows read by the plan, as the shop grows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from billing import locks
from tests.bench import bars
from tests.bench.measuring import ON, open_shop, run

TOTALS, QUICK = (10_000, 100_000, 1_000_000), (2_000, 10_000)
DUE = 1_000
CHUNK = 500


def report(quick: bool) -> Iterator[str]:
    yield "## What is due today"
    yield ""
    yield f"{DUE:,} of all services are due; {CHUNK} are chosen and locked (EXPLAIN ANALYZE)."
    yield ""
    yield "| services | due | rows read of the table | buffers | ms | by |"
    yield "|---|---|---|---|---|---|"
    open_shop(DUE)
    have = DUE
    for total in QUICK if quick else TOTALS:
        _add(total - have)
        have = total
        run("VACUUM ANALYZE billing_subscription")
        read, row = _row(total)
        yield row
    yield from bars.table([bars.at_most(f"{total:,}: rows read for {CHUNK}", read, DUE)])


def _add(count: int) -> None:
    """Add services that are due some day later, all like the first one."""
    with connection.cursor() as cursor:
        table = connection.introspection.get_table_description(cursor, "billing_subscription")
    later = ON + timedelta(days=1)
    own = {
        "id": "nextval(pg_get_serial_sequence('billing_subscription', 'id'))",
        "public_id": "gen_random_uuid()",
        "account_id": "NULL",
        "next_invoice_on": f"date '{later}' + n % 365",
    }
    names = [column.name for column in table]
    with transaction.atomic():
        run("SET LOCAL session_replication_role = replica")
        run(
            f"INSERT INTO billing_subscription ({', '.join(names)})"
            f" SELECT {', '.join(own.get(name, name) for name in names)}"
            f" FROM (SELECT * FROM billing_subscription LIMIT 1) s, generate_series(1, {count}) n"
        )


def _row(total: int) -> tuple[int, str]:
    with transaction.atomic():
        plan = _explained()
    (scan,) = [each for each in _nodes(plan["Plan"]) if each.get("Alias") == "billing_subscription"]
    read = scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0)
    buffers = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
    by = scan.get("Index Name", scan["Node Type"])
    cells = (
        f"{total:,}",
        f"{DUE:,}",
        f"{read:,.0f}",
        f"{buffers:,}",
        f"{plan['Execution Time']:.1f}",
        by,
    )
    return read, f"| {' | '.join(cells)} |"


def _explained() -> dict[str, Any]:
    """Return the plan of the very statement that the run uses."""
    asked: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        locks.take_due(ON, limit=CHUNK)
    # The packages are read after it.
    (plans,) = _explain(*asked[0])
    found: dict[str, Any] = plans if isinstance(plans, dict) else json.loads(plans)
    return found


def _explain(sql: str, params: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
        ((answer,),) = cursor.fetchall()
    return list(answer if isinstance(answer, list) else json.loads(answer))


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", []):
        yield from _nodes(each)
