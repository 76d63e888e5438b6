"""`python -m tests.chaos.forking`: load the product, then fork a child for each order.

Orders are lines of JSON: `{"fork": {…}}` answers with the child's pid, `{"wait": pid}` with how it
ended. It never connects to anything itself, so that no child shares a connection.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

import time_machine  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402

from config.celery import app  # noqa: E402
from provisioning import circuits  # noqa: E402
from tests.chaos import points, work  # noqa: E402

app.loader.import_default_modules()
PATIENCE_SECONDS = 120
FAULT = 1
NOBODY = "redis://127.0.0.1:9/0"


def main() -> None:
    points.install()
    # As short as the quiet time of these tests; a shop waits half a minute, then longer.
    circuits.FIRST_PAUSE, circuits.LONGEST_PAUSE = timedelta(seconds=3), timedelta(seconds=12)
    for line in sys.stdin:
        order = json.loads(line)
        answer = act(order)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def act(order: dict[str, Any]) -> dict[str, Any]:
    if "fork" in order:
        return {"pid": fork(order["fork"])}
    if "here" in order:
        live(order["here"])
        connections.close_all()
        points.points.seen.clear()
        return {}
    return wait(order)


def fork(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        live(order)
    # The end of a process: it is written to the log, and nothing of the parent's is run.
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
        os._exit(FAULT)
    os._exit(0)


def live(order: dict[str, Any]) -> None:
    """Do the work, leave the points' names and what was returned in the child's files."""
    file = Path(order["file"])
    notes = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    passed = points.points
    passed.at, passed.act = order["act_at"], order["act"]
    passed.note = lambda name: (os.write(notes, f"{name}\n".encode()), None)[1]
    random.seed(order["seed"])
    if not order["broker"]:
        settings.CELERY_BROKER_URL = NOBODY
    with time_machine.travel(datetime.fromisoformat(order["at"]), tick=True) as traveller:
        passed.woken = lambda: oversleep(traveller, file.with_suffix(".at"))
        returned = getattr(work, order["work"])(traveller, *order["arguments"])
    result = {"returned": returned, "unwrapped": points.points.unwrapped}
    file.with_suffix(".json").write_text(json.dumps(result))


def oversleep(traveller: time_machine.Traveller, wakes: Path) -> None:
    """Go on at the later instant that the test has written down, by every clock."""
    at = datetime.fromisoformat(wakes.read_text())
    seconds = (at - datetime.now(UTC)).total_seconds()
    traveller.move_to(at)
    slept = time.monotonic
    time.monotonic = lambda: slept() + seconds


def wait(order: dict[str, Any]) -> dict[str, Any]:
    limit = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < limit:
        pid, status = os.waitpid(order["wait"], os.WNOHANG | os.WUNTRACED)
        if pid and os.WIFSTOPPED(status) and order.get("standing"):
            return {"stopped": True}
        if pid and not os.WIFSTOPPED(status):
            ended = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            return {"stopped": False, "status": ended}
        time.sleep(0.002)
    raise TimeoutError(f"The child {order['wait']} does not end.")


if __name__ == "__main__":
    main()
