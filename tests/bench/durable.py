"""What the benchmark of the webhooks' door runs: durable servers of its own, and gunicorn."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import environ
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

from config.env import VAR_DIR
from config.local import ports, postgres, processes, valkey
from config.local.places import place_for
from config.local.postgres import Postgres
from config.local.valkey import Valkey
from tests import snapshots, world
from tests.processes import ROOT, environment, wait_until

WORKERS, THREADS = 2, 4


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
    connection.close()
    names = ("HOST", "PORT", "USER", "PASSWORD", "NAME")
    connection.settings_dict.update({name: address[name] for name in names})


@contextmanager
def gunicorn(application: str, **env: str) -> Iterator[int]:
    """Run an application as `make run` does, two workers with four threads; yield its port."""
    port = ports.remembered(VAR_DIR / "ports.json", application)
    command = [sys.executable, "-m", "gunicorn", application, "--no-control-socket"]
    command += ["--bind", f"{ports.HOST}:{port}", "--workers", f"{WORKERS}"]
    command += ["--threads", f"{THREADS}", "--graceful-timeout", "2"]
    log = Path(tempfile.mkstemp(prefix="gunicorn-", suffix=".log")[1])
    secrets = " ".join(settings.SIMULATED_GATEWAY["secrets"])
    env = {**environment(), "SIMULATED_GATEWAY_SECRET": secrets, **env}
    process = processes.spawn(command, cwd=ROOT, env=env, log=log.open("wb", buffering=0))
    try:
        wait_until(lambda: not ports.is_free(port), what=f"see {log}")
        yield port
    finally:
        processes.stop(process)
        log.unlink()


def product() -> dict[str, str]:
    """Return what makes gunicorn run the shop with the settings that operators have."""
    return {"DJANGO_SETTINGS_MODULE": "config.settings"}
