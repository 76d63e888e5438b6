"""The product and the floors behind gunicorn, as in production: two processes, the same options."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from tests.bench.load import HOST, request, send
from tests.processes import wait_until

WORKERS = 2


@contextmanager
def served(application: str, *, ready: str) -> Iterator[int]:
    """Serve a WSGI application with the benchmark's database; return the port it listens on."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", application, "--no-control-socket"]
    command += ["--bind", f"{HOST}:{port}", "--workers", f"{WORKERS}", "--log-level", "warning"]
    log = Path(tempfile.mkstemp(prefix="bench-", suffix=".log")[1])
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, env=environment(), stdout=out, stderr=out, start_new_session=True
        )
    try:
        wait_until(lambda: _answers(port, ready), seconds=120, what=f"{application}, see {log}")
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
    log.unlink()


def environment() -> dict[str, str]:
    """Return what the product's processes need to work on the benchmark's database."""
    named = connection.settings_dict
    address = f"{named['HOST']}:{named['PORT']}/{named['NAME']}"
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": f"postgres://{named['USER']}:{named['PASSWORD']}@{address}",
        "REDIS_URL": settings.REDIS_URL,
        "EMAIL_URL": "dummymail://",
        "SIMULATED_GATEWAY_URL": settings.SIMULATED_GATEWAY["url"],
    }


def collect_static() -> None:
    """Collect what pages name, without which production's settings render none."""
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v", "0"]
    subprocess.run(command, env=environment(), check=True)


def free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


def _answers(port: int, path: str) -> bool:
    return send(port, [request(path)], connections=1).answers[200] == 1
