"""The gateways' inbox: what is believed is stored before anything is done about it."""

from datetime import datetime
from typing import Any

from django.db import InterfaceError, OperationalError, connection

from billing.gateways.base import IncomingEvent
from billing.models import GatewayEvent

COLUMNS = (
    "gateway, account, livemode, external_id, kind, payment_external_id, body, created_at,"
    " received_at, state, attempts, note"
)
INSERT = (
    f"INSERT INTO {GatewayEvent._meta.db_table} ({COLUMNS})"
    f" VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, '{GatewayEvent.State.RECEIVED.value}', 0, '')"
    " ON CONFLICT (gateway, account, livemode, external_id) DO NOTHING RETURNING id"
)


def store(incoming: IncomingEvent, gateway_code: str, *, at: datetime) -> int | None:
    """Insert the event and commit; return its id, or None if it was stored before.

    One statement: the unique key on (gateway, account, mode, id) decides, not a look beforehand.
    A kept connection is not tried before it is used: where the database has ended it, the event is
    inserted by a new one, and the key makes it one row also if the first INSERT was heard.
    """
    row = [
        gateway_code,
        incoming.account,
        incoming.livemode,
        incoming.external_id,
        incoming.kind,
        incoming.payment_external_id or "",
        incoming.body,
        incoming.created_at,
        at,
    ]
    kept = connection.connection is not None and not connection.in_atomic_block
    # Django would ask "SELECT 1" on a kept connection, as long a way as the INSERT itself.
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        return _insert(row)
    except (OperationalError, InterfaceError):
        if not kept:
            raise
        connection.close()
        return _insert(row)


def _insert(row: list[Any]) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(INSERT, row)
        stored = cursor.fetchone()
    return stored[0] if stored else None
