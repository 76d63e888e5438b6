"""Servers of the benchmark's own, for what is about keeping what was confirmed."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import environ
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

from config.env import VAR_DIR
from config.local import postgres, valkey
from config.local.places import place_for
from config.local.postgres import Postgres
from config.local.valkey import Valkey
from tests import snapshots, world
from tests.processes import wait_until


class Durable:
    """A database and a broker as an operator has them: what is confirmed is on disk."""

    def __init__(self, folder: Path) -> None:
        place = place_for(folder)
        self._pid_file = place.home / "postgres" / "data" / "postmaster.pid"
        self.database = Postgres(place, settings=postgres.DURABLE)
        self.broker = Valkey(place, settings=valkey.DURABLE)

    def restart_database(self) -> None:
        """End the database in the middle of what it does, and start it again at its address."""
        os.kill(int(self._pid_file.read_text().splitlines()[0]), signal.SIGQUIT)
        wait_until(lambda: not self.database.is_running(), what="the database is gone")
        self.database.start()
        connection.close()


@contextmanager
def durable() -> Iterator[Durable]:
    """Start servers of our own and let this process's Django speak to them meanwhile."""
    before = dict(connection.settings_dict)
    VAR_DIR.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=VAR_DIR, prefix="durable-") as folder:
        servers = Durable(Path(folder))
        servers.database.start()
        servers.broker.start()
        try:
            _speak_to(environ.Env.db_url_config(servers.database.url))
            broker = {"REDIS_URL": servers.broker.url, "CELERY_BROKER_URL": servers.broker.url}
            with override_settings(**broker):
                call_command("migrate", verbosity=0)
                snapshots.keep(world.seed)
                yield servers
        finally:
            _speak_to(before)
            servers.broker.stop()
            servers.database.stop()


def _speak_to(address: dict[str, object]) -> None:
    snapshots.end()
    connection.close()
    names = ("HOST", "PORT", "USER", "PASSWORD", "NAME")
    connection.settings_dict.update({name: address[name] for name in names})
