"""Real processes of the product, started against the test's own database and broker."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.db import connection

from provisioning.models import Heartbeat

# Several may start at once on two busy cores.
START_SECONDS = 60
# As in production, unlike in a test's own process.
ACCOUNTS_AT_ONCE = "8"
ROOT = Path(__file__).resolve().parent.parent


def wait_until(condition: Callable[[], bool], *, seconds: float = 20, what: str = "") -> None:
    """Poll until the condition holds; fail the test when the limit is reached."""
    limit = time.monotonic() + seconds
    pause = 0.02
    while not condition():
        assert time.monotonic() < limit, f"Waited {seconds} s in vain: {what}"
        select.select([], [], [], pause)
        pause = min(0.2, pause * 1.5)


class Worker:
    """A Celery worker in a process group of its own, so that SIGKILL takes its children too."""

    def __init__(self, *options: str, life: str = "worker") -> None:
        """Start it, and wait for the sign of its `life`."""
        self.log = Path(tempfile.mkstemp(prefix="worker-", suffix=".log")[1])
        command = [sys.executable, "-m", "celery", "-A", "config", "worker", "--pool=prefork"]
        queues = "default,provisioning,mail"
        self.process = subprocess.Popen(
            [*command, "-c", "2", "-Q", queues, "-n", f"t{os.getpid()}@%h", *options],
            cwd=ROOT,
            env={**environment(), "ACCOUNTS_AT_ONCE": ACCOUNTS_AT_ONCE},
            stdout=self.log.open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            lives = Heartbeat.objects.filter(process=life).exists
            wait_until(lives, seconds=START_SECONDS, what=f"see {self.log}")
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """End it as a power cut would: nothing is cleaned up."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def finish(self, *, seconds: float = 60) -> None:
        """End it as a deployment does: what it has begun comes to its end."""
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        self.stop()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.kill()
        self.log.unlink(missing_ok=True)


def environment() -> dict[str, str]:
    """Return what a process needs to work in the database and with the servers of this test."""
    database = connection.settings_dict
    address = f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "tests.settings"),
        "DATABASE_URL": f"postgres://{database['USER']}:{database['PASSWORD']}@{address}",
        "REDIS_URL": settings.REDIS_URL,
        "EMAIL_URL": "dummymail://",
        "SIMULATED_GATEWAY_URL": settings.SIMULATED_GATEWAY["url"],
    }
