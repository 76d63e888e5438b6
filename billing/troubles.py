"""What is wrong in billing, as rows tell it, beside what is wrong at the diallers. Reads only."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.db.models import Q
from django.urls import reverse

from billing import credit_checks, failed_refunds, invariants
from billing.models import GatewayEvent, Refund, Run
from packages.desk.cells import list_url, row_url
from provisioning import troubles
from provisioning.troubles import Trouble

# An event is processed within seconds, or tried again for some minutes.
STUCK_AFTER = timedelta(minutes=15)


def find(
    expected: Mapping[str, timedelta], *, since: datetime, at: datetime, now: datetime
) -> Iterator[Trouble]:
    """Yield all that is wrong but the invariants; the signs of life as in `troubles.missing`."""
    yield from troubles.find(at=at)
    yield from troubles.missing(expected, since=since, now=now)
    yield from _events(at)
    yield from _refunds()
    yield from _stopped()
    yield from _surplus()


def violated() -> Iterator[Trouble]:
    """Run every invariant, and yield those that are violated. Takes its time in a large shop."""
    for finding in invariants.violations():
        code = finding.invariant.code
        facts = {"code": code, "rule": finding.invariant.rule, "count": len(finding.rows)}
        yield Trouble("invariant", f"invariant-{code}", reverse("admin:index"), facts)


def _events(at: datetime) -> Iterator[Trouble]:
    waits = Q(state=GatewayEvent.State.RECEIVED, received_at__lte=at - STUCK_AFTER)
    stuck = GatewayEvent.objects.filter(waits | Q(state=GatewayEvent.State.PARKED)).count()
    if stuck:
        path = list_url(GatewayEvent, state__in="parked,received")
        yield Trouble("events", "gateway-events", path, {"count": stuck})


def _refunds() -> Iterator[Trouble]:
    count = failed_refunds.in_need().count()
    if count:
        path = list_url(Refund, needs="staff")
        yield Trouble("refunds", "refunds", path, {"count": count})


def _stopped() -> Iterator[Trouble]:
    for run in Run.objects.filter(state=Run.State.STOPPED):
        yield Trouble("run", f"run-{run.on}", row_url(run), {"day": run.on.isoformat()})


def _surplus() -> Iterator[Trouble]:
    for account in credit_checks.with_surplus()[:50]:
        facts = {"account": account.username, "server": account.server.name}
        yield Trouble("surplus", f"surplus-{account.pk}", row_url(account), facts)
