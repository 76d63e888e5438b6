"""The product and the floors behind gunicorn, as in production: two processes, the same options."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from config.env import VAR_DIR
from config.local import ports, processes
from tests.bench.load import request, send
from tests.processes import ROOT, environment, wait_until

WORKERS, THREADS = 2, 4


@contextmanager
def gunicorn(
    application: str,
    *,
    threads: int = THREADS,
    ready: str = "",
    env: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """Serve a WSGI application with the benchmark's database; yield the port it listens on.

    With `ready` only once this page is answered.
    """
    port = ports.remembered(VAR_DIR / "ports.json", application)
    command = [sys.executable, "-m", "gunicorn", application, "--no-control-socket"]
    command += ["--bind", f"{ports.HOST}:{port}", "--workers", f"{WORKERS}"]
    command += ["--threads", f"{threads}", "--graceful-timeout", "2"]
    log = Path(tempfile.mkstemp(prefix="gunicorn-", suffix=".log")[1])
    secrets = " ".join(settings.SIMULATED_GATEWAY["secrets"])
    own = {**environment(), "SIMULATED_GATEWAY_SECRET": secrets, **(env or {})}
    process = processes.spawn(command, cwd=ROOT, env=own, log=log.open("wb", buffering=0))
    try:
        wait_until(lambda: not ports.is_free(port), seconds=60, what=f"see {log}")
        if ready:
            wait_until(lambda: _answers(port, ready), seconds=120, what=f"{ready}, see {log}")
        yield port
    finally:
        processes.stop(process)
        log.unlink()


def product() -> dict[str, str]:
    """Return what makes a process run the shop with the settings that operators have."""
    return {"DJANGO_SETTINGS_MODULE": "config.settings"}


def collect_static() -> None:
    """Collect what pages name, without which production's settings render none."""
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v", "0"]
    subprocess.run(command, cwd=ROOT, env={**environment(), **product()}, check=True)


def _answers(port: int, path: str) -> bool:
    return send(port, [request(path)], connections=1).answers[200] == 1
