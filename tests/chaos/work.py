"""What a forked process does: the product's own sweeps, at a time that the test sets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from django.db import connection, transaction
from django.db.models import Case, Exists, F, Min, Q, When
from django.test import Client

from billing import credits, demo_days, locks, subscriptions
from billing import tasks as billing
from billing.models import GatewayEvent, Mail, Subscription
from packages.money import Money
from packages.sweeping import each
from provisioning import circuits, jobs
from provisioning.dialler.base import Limits
from provisioning.models import Account, Job

SOON = timedelta(minutes=15)
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(milliseconds=200), timedelta(seconds=2)
ACTOR = "staff:1"
SMALL = Limits(tariff="standard", channels=3, services=("voice",), units=(("voice", 10),))


def ask(clock: time_machine.Traveller, wish: str, account_id: int, cause: str) -> None:
    """Ask for something as staff do, once for the cause, and let a worker do what it can."""
    with transaction.atomic():
        wishes[wish](Account.objects.get(pk=account_id), cause, now())
    work(clock)


def work(clock: time_machine.Traveller) -> None:
    """Do what is due now, as workers do it; a fault is logged, and the next thing done."""
    each((demo_days.work,), _carefully)


def post(
    clock: time_machine.Traveller, path: str, data: Any, headers: dict[str, str], session: str
) -> int:
    """Be the web process that answers one request; return the status."""
    browser = Client(headers={"host": "localhost", **headers})
    browser.cookies["session"] = session
    if isinstance(data, str):
        return int(browser.post(path, data, content_type="application/json").status_code)
    return int(browser.post(path, data).status_code)


def bill(clock: time_machine.Traveller) -> None:
    """Do the day's run of the calendar, and what follows from it."""
    billing.bill_due()
    work(clock)


def heal(clock: time_machine.Traveller, seconds: int) -> float | None:
    """Sweep whenever something is due, until nothing is; return after how many seconds that was.

    None: something was still due in the end.
    """
    begin, before, pause = now(), None, SHORTEST_PAUSE
    while (at := next_due()) is not None:
        if at > begin + timedelta(seconds=seconds):
            return None
        # What is due may find all places at its server taken, by who was killed there, so time must
        # go on in any case: the longer they stay taken the faster, as nobody sweeps so often.
        pause = min(pause * 2, LONGEST_PAUSE) if at == before else SHORTEST_PAUSE
        clock.move_to(max(at, now() + pause))
        work(clock)
        before = at
    return (now() - begin).total_seconds()


def next_due() -> datetime | None:
    """Return when the next row is to be looked at, None when nothing waits for a machine."""
    horizon = now() + SOON
    job = jobs_due().filter(due__lte=horizon).aggregate(at=Min("due"))["at"]
    waiting = GatewayEvent.objects.filter(state=GatewayEvent.State.RECEIVED)
    events = [each or now() for each in waiting.values_list("next_attempt_at", flat=True)]
    probe = circuits.shut_out().aggregate(at=Min("probe_at"))["at"]
    mail = Mail.objects.aggregate(at=Min("next_attempt_at"))["at"]
    found = [each for each in (job, probe, mail, *events) if each is not None and each <= horizon]
    return min(found, default=None)


def jobs_due() -> Any:
    """Return the first job of each account if it waits for a machine, and from when it may run."""
    due = Case(When(state=Job.State.RUNNING, then=F("claimed_until")), default=F("run_at"))
    waiting = (Job.State.WAITING, Job.State.RUNNING)
    asked = ~Q(account__server__in=circuits.shut_out().values("server_id"))
    return Job.objects.filter(asked, ~Exists(Job.ahead()), state__in=waiting).annotate(due=due)


def _carefully(step: Callable[[], None]) -> None:
    try:
        step()
    finally:
        # As a worker's task ends: its connection is good, or it is given up.
        connection.close_if_unusable_or_obsolete()


def now() -> datetime:
    return datetime.now(UTC)


def _credit(account: Account, cause: str, at: datetime) -> None:
    amount, cause = Money(5_00, "EUR"), f"gift-{cause}"
    credits.gift(account, amount, expires_on=None, cause=cause, reason="sorry", at=at, actor=ACTOR)


def _suspend(account: Account, cause: str, at: datetime) -> None:
    jobs.suspend(account, cause=cause, at=at, actor=ACTOR)


def _suspend_at_once(account: Account, cause: str, at: datetime) -> None:
    jobs.suspend(account, cause=cause, at=at, actor=ACTOR, at_once=True)


def _unsuspend(account: Account, cause: str, at: datetime) -> None:
    jobs.unsuspend(account, cause=cause, at=at, actor=ACTOR)


def _limit(account: Account, cause: str, at: datetime) -> None:
    jobs.set_limits(account, SMALL, cause=cause, at=at, actor=ACTOR)


def _password(account: Account, cause: str, at: datetime) -> None:
    jobs.change_password(account, "Another-Secret-1", cause=cause, at=at, actor=ACTOR)


def _terminate(account: Account, cause: str, at: datetime) -> None:
    """End the service as of so long ago that its account is to be deleted now."""
    row = account.subscription.pk
    service = locks.take(subscriptions=[row]).subscriptions[row]
    if service.state != Subscription.State.ENDED:
        ended_at = at - subscriptions.KEPT_FOR
        subscriptions.end(service, cause=cause, reason="test", at=ended_at, actor=ACTOR)


wishes: dict[str, Callable[[Account, str, datetime], None]] = {
    "credit": _credit,
    "suspend": _suspend,
    "suspend_at_once": _suspend_at_once,
    "unsuspend": _unsuspend,
    "limit": _limit,
    "password": _password,
    "terminate": _terminate,
}
