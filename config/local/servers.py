"""Both servers of one VAR_DIR, unless the operator already has them elsewhere."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.local import postgres, valkey
from config.local.places import place_for
from config.local.postgres import Postgres
from config.local.steps import say
from config.local.valkey import Valkey


class InUse(Exception):
    """Another process holds this VAR_DIR."""


class Servers:
    """What was started, by the name of the variable that holds its address."""

    def __init__(self) -> None:
        self._running: dict[str, Postgres | Valkey] = {}
        self._lines: list[str] = []

    @property
    def urls(self) -> dict[str, str]:
        return {name: server.url for name, server in self._running.items()}

    def start(self, variable: str, server: Postgres | Valkey) -> None:
        """Start the server unless the environment names one; stop() ends it, even a half start."""
        title = type(server).__name__
        if os.environ.get(variable):
            self._lines.append(f"{title:<18} as {variable} says")
            return
        begun = time.monotonic()
        self._running[variable] = server
        server.start()
        seconds = time.monotonic() - begun
        self._lines.append(f"{title:<18} 127.0.0.1:{server.port:<16} {seconds:11.1f} s")

    def report(self) -> list[str]:
        return self._lines

    def look_after(self) -> None:
        """Start a server that died again, at the same address."""
        for server in self._running.values():
            if not server.is_running():
                say(f"{type(server).__name__} ended by itself; starting it again")
                server.start()

    def stop(self) -> None:
        for server in reversed(self._running.values()):
            server.stop()


@contextmanager
def test_servers(var: Path) -> Iterator[dict[str, str]]:
    """Run servers for tests: quick, and free to forget everything in a power cut.

    Starts those that DATABASE_URL and REDIS_URL do not name and yields their addresses. Raises
    InUse when another process runs servers in `var`.
    """
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        yield {}
        return
    with only_one(var), _servers(var, postgres.FAST, valkey.FAST) as servers:
        yield servers.urls


@contextmanager
def durable_servers(var: Path) -> Iterator[Servers]:
    """Run servers that keep what they confirmed; the caller holds `only_one`."""
    with _servers(var, postgres.DURABLE, valkey.DURABLE) as servers:
        yield servers


@contextmanager
def only_one(var: Path) -> Iterator[None]:
    """Hold `var` for this process; the system lets go of it when we die.

    Raises InUse when another process holds it.
    """
    var.mkdir(parents=True, exist_ok=True)
    with (var / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise InUse(f"{var} is in use by process {lock.read() or '?'}") from None
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextmanager
def _servers(
    var: Path, for_postgres: tuple[str, ...], for_valkey: tuple[str, ...]
) -> Iterator[Servers]:
    place = place_for(var)
    servers = Servers()
    try:
        servers.start("DATABASE_URL", Postgres(place, settings=for_postgres))
        servers.start("REDIS_URL", Valkey(place, settings=for_valkey))
        yield servers
    finally:
        servers.stop()
