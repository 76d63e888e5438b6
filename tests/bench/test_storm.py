"""The benchmark's storm of webhooks, as a breeze: that what it looks for would be seen."""

from __future__ import annotations

import psycopg
from django.db import connection
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from billing import tasks
from billing.models import GatewayEvent
from config.local.valkey import Valkey
from tests.bench.storm import Storm, checks, pay, waiting
from tests.billing import saved
from tests.processes import wait_until

PAYMENTS = 4


def test_a_storm_credits_every_payment_once_and_accepts_nothing_that_is_not_stored(
    live_server: LiveServer, broker: Valkey
) -> None:
    with saved.open_gateway() as gateway:
        gateway.webhooks(drop=True)
        storm = Storm(live_server.thread.port, pay(PAYMENTS, at=timezone.now()))
        storm.rage(
            connections=8,
            troubles=[broker.stop, lambda: _without_database(storm), broker.start],
        )
        assert storm.statuses[200] == storm.copies
        assert storm.statuses[503] > 0
        while waiting():
            tasks.sweep_events()
        assert all(bar.holds for bar in checks(storm, PAYMENTS))
        # Had one of them been lost, it would be told.
        GatewayEvent.objects.filter(external_id=min(storm.accepted)).delete()
        storm.look()
        assert storm.lost == {min(storm.accepted)}
        missed = [bar.says for bar in checks(storm, PAYMENTS) if not bar.holds]
        assert missed[:2] == ["accepted and not on disk: 0", "stored events: 16"]


def _without_database(storm: Storm) -> None:
    """Throw everybody out of the database, and let nobody in until it was noticed."""
    named = connection.settings_dict
    address = {"host": named["HOST"], "port": named["PORT"], "user": named["USER"]}
    name = str(named["NAME"])
    with psycopg.connect(
        **address, password=named["PASSWORD"], dbname="postgres", autocommit=True
    ) as elsewhere:
        elsewhere.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'.encode())
        try:
            elsewhere.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
            wait_until(lambda: storm.statuses[503] > 0, what="somebody notices")
        finally:
            elsewhere.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'.encode())
