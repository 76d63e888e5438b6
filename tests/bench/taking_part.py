"""Two schedulers on one day, one of them killed on the way, and a third that cleans up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

from django.db import connection

from billing import invariants
from billing.models import Invoice
from tests.bench import bars
from tests.bench.measuring import EARLIER, open_shop, run

SERVICES, QUICK = 10_000, 1_500
PATIENCE_SECONDS = 600


def report(quick: bool) -> Iterator[str]:
    services = QUICK if quick else SERVICES
    open_shop(services)
    first, second = _scheduler(), _scheduler()
    at_kill = _kill_on_the_way(first, services)
    assert second.wait(PATIENCE_SECONDS) == 0, "The second scheduler ends well."
    assert _scheduler().wait(PATIENCE_SECONDS) == 0, "What a dead one left is done."
    ((count, last, numbers, periods),) = run(
        "SELECT count(*), max(i.sequence), count(DISTINCT i.sequence),"
        " count(DISTINCT (l.subscription_id, l.period_start_on)) FROM billing_invoice i"
        " JOIN billing_invoiceline l ON l.invoice_id = i.id AND l.kind = 'recurring'"
    )
    broken = invariants.violations()
    yield "## Two schedulers, one of them killed"
    yield ""
    yield f"{services:,} services due; one of two was killed when {at_kill:,} invoices were there."
    yield from bars.table(
        [
            bars.exactly("invoices", count - EARLIER, services),
            bars.exactly("periods", periods - EARLIER, services),
            bars.exactly("numbers of as many up to the last one", numbers, last),
            bars.exactly("violated invariants", len(broken), 0),
        ]
    )


def _scheduler() -> subprocess.Popen[bytes]:
    """Start a process of its own that bills the day."""
    named = connection.settings_dict
    url = (
        f"postgres://{named['USER']}:{named['PASSWORD']}@{named['HOST']}:{named['PORT']}"
        f"/{named['NAME']}"
    )
    return subprocess.Popen(
        [sys.executable, "-m", "tests.bench.scheduler"], env={**os.environ, "DATABASE_URL": url}
    )


def _kill_on_the_way(process: subprocess.Popen[bytes], services: int) -> int:
    """Kill the process when a fifth of the invoices is there; return how many there were."""
    end = time.monotonic() + PATIENCE_SECONDS
    while (count := Invoice.objects.count() - EARLIER) < services // 5 and time.monotonic() < end:
        process.poll()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return count
