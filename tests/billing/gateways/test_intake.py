"""What a webhook costs the database: one statement that is believed, nothing that is not."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.gateways.simulator import signed
from billing.models import GatewayEvent

pytestmark = pytest.mark.django_db(transaction=True)


def sent(name: str, *, secret: str = "") -> int:
    """Post an event to our door as the simulated gateway would; the status of the answer."""
    at = datetime.now(UTC).timestamp()
    event = {
        "id": name,
        "type": "payment.succeeded",
        "created": int(at),
        "livemode": False,
        "account": settings.SIMULATED_GATEWAY["account"],
        "data": {"payment": {"id": "pay_nowhere"}},
    }
    body = json.dumps(event).encode()
    headers = signed(body, secret or settings.SIMULATED_GATEWAY["secrets"][0], at)
    kind = headers.pop("Content-Type")
    answer = Client().post("/webhooks/simulated/", body, content_type=kind, headers=headers)
    assert int(answer["Content-Length"]) == len(answer.content)
    return answer.status_code


def test_an_event_is_one_statement_that_commits_by_itself_new_or_known() -> None:
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            assert sent("evt_1") == 200
        (statement,) = asked.captured_queries
        assert statement["sql"].startswith("INSERT INTO billing_gatewayevent")
    assert GatewayEvent.objects.get().external_id == "evt_1"


def test_a_forged_event_does_not_even_connect_to_the_database() -> None:
    connection.close()
    assert sent("evt_1", secret="guessed") == 400
    assert connection.connection is None
    assert not GatewayEvent.objects.exists()


def test_an_event_is_stored_once_although_the_database_has_ended_the_connection() -> None:
    named = connection.settings_dict
    GatewayEvent.objects.count()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (ours,) = cursor.fetchone()
    with psycopg.connect(
        host=named["HOST"],
        port=named["PORT"],
        user=named["USER"],
        password=named["PASSWORD"],
        dbname=named["NAME"],
        autocommit=True,
    ) as elsewhere:
        elsewhere.execute("SELECT pg_terminate_backend(%s, 5000)", [ours])
    assert sent("evt_1") == 200
    assert GatewayEvent.objects.count() == 1
