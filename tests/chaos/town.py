"""A PostgreSQL and a Valkey that a test may end, and real workers and beats on them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection
from django.test import override_settings

from config.local.binaries import postgres_bin
from config.local.places import Place, place_for
from config.local.postgres import Postgres
from config.local.valkey import FAST, Valkey
from provisioning.models import Heartbeat
from tests.processes import ACCOUNTS_AT_ONCE, ROOT, environment, wait_until

# What is answered as committed outlives the server's sudden end, though not the machine's.
SETTINGS = ("fsync=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0")
# The product with short pauses, and as it is.
SHORT, AS_IT_IS = "tests.chaos.worker", "config"
QUEUES = "default,provisioning,mail"


class Process:
    """A worker or a beat in a process group of its own."""

    def __init__(self, *command: str, log: Path, app: str = SHORT, **env: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", app, *command],
            cwd=ROOT,
            env={**environment(), "ACCOUNTS_AT_ONCE": ACCOUNTS_AT_ONCE, **env},
            stdout=log.open("ab"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def send(self, number: int) -> None:
        """Send a signal to it and to its children."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def ends(self) -> int:
        """Ask it to end after what it does, as a deployment does; return its exit code."""
        self._process.terminate()
        return self._process.wait(timeout=30)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self._process.wait(timeout=30)


class Town:
    """Its servers, and the processes that were started in it."""

    def __init__(self, place: Place, postgres: Postgres, valkey: Valkey) -> None:
        self._place = place
        self.postgres = postgres
        self.valkey = valkey
        self.processes: list[Process] = []

    def worker(self, **env: str) -> Process:
        """Start a worker and wait until it shows that it lives."""
        Heartbeat.objects.filter(process="worker").delete()
        name = f"w{len(self.processes)}-{os.getpid()}@%h"
        started = self._start("worker", "-c", "2", "-Q", QUEUES, "-n", name, **env)
        wait_until(Heartbeat.objects.filter(process="worker").exists, seconds=60, what=self.logged)
        return started

    def beat(self, **env: str) -> Process:
        schedule = self._place.var / f"beat-{len(self.processes)}"
        return self._start("beat", "-s", str(schedule), **env)

    def end_postgres(self) -> None:
        """End the database as a crash does, and start it again."""
        pid = int((self._place.home / "postgres/data/postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        wait_until(lambda: not self.postgres.is_running(), what="the database's end")
        self.postgres.start()
        connection.close()

    def end_all(self) -> None:
        for each in self.processes:
            each.send(signal.SIGCONT)
            each.kill()
        self.processes.clear()

    @property
    def logged(self) -> str:
        return str(self._log)

    @property
    def _log(self) -> Path:
        return self._place.var / "processes.log"

    def _start(self, *command: str, **env: str) -> Process:
        process = Process(*command, log=self._log, **env)
        self.processes.append(process)
        return process


@contextmanager
def built() -> Iterator[Town]:
    """Give a town whose database is a copy of this test's; Django works on it meanwhile."""
    with tempfile.TemporaryDirectory(prefix="town-") as folder:
        place = place_for(Path(folder))
        postgres, valkey = Postgres(place, settings=SETTINGS), Valkey(place, settings=FAST)
        postgres.start()
        valkey.start()
        try:
            _copy(place, postgres.url)
            with (
                _elsewhere(postgres.url),
                override_settings(REDIS_URL=valkey.url, CELERY_BROKER_URL=valkey.url),
            ):
                yield Town(place, postgres, valkey)
        finally:
            postgres.stop()
            valkey.stop()


def _copy(place: Place, target: str) -> None:
    binaries, here = postgres_bin(place.account), connection.settings_dict
    source = f"postgres://{here['USER']}:{here['PASSWORD']}@{here['HOST']}:{here['PORT']}"
    dump = [str(binaries / "pg_dump"), "--no-owner", f"{source}/{here['NAME']}"]
    load = [str(binaries / "psql"), "--quiet", "--output=/dev/null", target]
    with subprocess.Popen(dump, stdout=subprocess.PIPE) as dumping:
        subprocess.run(load, stdin=dumping.stdout, check=True)
    assert dumping.returncode == 0


@contextmanager
def _elsewhere(url: str) -> Iterator[None]:
    parts, kept = urlsplit(url), dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(
        HOST=parts.hostname,
        PORT=parts.port,
        USER=parts.username,
        PASSWORD=parts.password,
        NAME=parts.path.strip("/"),
    )
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(kept)


class Hole:
    """A way to a server that can be closed: what is connected stays so, and hears nothing more."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._open = threading.Event()
        self._open.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._open.clear()

    def end(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                there = socket.create_connection(("127.0.0.1", self._target))
                for pair in ((here, there), (there, here)):
                    threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                # Nothing is refused and nothing ends: it only never arrives.
                self._open.wait()
                target.sendall(data)


def through(url: str, hole: Hole) -> str:
    """Return the server's address by way of the hole."""
    return url.replace(f":{urlsplit(url).port}/", f":{hole.port}/")
