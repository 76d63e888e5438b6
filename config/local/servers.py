"""Both servers of one VAR_DIR, unless the operator already has them elsewhere."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from config.local import postgres, valkey
from config.local.places import place_for
from config.local.postgres import Postgres
from config.local.valkey import Valkey


class InUse(Exception):
    """Another process holds this VAR_DIR."""


@contextmanager
def test_servers(var: Path) -> Iterator[dict[str, str]]:
    """Run servers for tests: quick, and free to forget everything in a power cut."""
    with _servers(var, postgres_settings=postgres.FAST, valkey_settings=valkey.FAST) as urls:
        yield urls


@contextmanager
def durable_servers(var: Path) -> Iterator[dict[str, str]]:
    """Run servers that keep what they confirmed."""
    with _servers(var, postgres_settings=postgres.DURABLE, valkey_settings=valkey.DURABLE) as urls:
        yield urls


@contextmanager
def _servers(
    var: Path, *, postgres_settings: tuple[str, ...], valkey_settings: tuple[str, ...]
) -> Iterator[dict[str, str]]:
    """Start what DATABASE_URL and REDIS_URL do not name and yield the addresses of what was started.

    Both are stopped at the end. Raises InUse when another process runs servers in `var`.
    """
    with ExitStack() as stack:
        urls: dict[str, str] = {}
        if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
            yield urls
            return
        stack.enter_context(only_one(var))
        place = place_for(var)
        if not os.environ.get("DATABASE_URL"):
            database = Postgres(place, settings=postgres_settings)
            stack.callback(database.stop)
            database.start()
            urls["DATABASE_URL"] = database.url
        if not os.environ.get("REDIS_URL"):
            broker = Valkey(place, settings=valkey_settings)
            stack.callback(broker.stop)
            broker.start()
            urls["REDIS_URL"] = broker.url
        yield urls


@contextmanager
def only_one(var: Path) -> Iterator[None]:
    """Hold `var` for this process; the system lets go of it when we die."""
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
