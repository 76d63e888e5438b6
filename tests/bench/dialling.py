"""Jobs at the dialler: how many a second one worker with eight processes does."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from billing import subscriptions
from config.celery import BEAT
from packages.money import Money
from provisioning import accounts, jobs, pools, tasks
from provisioning.models import Account, Heartbeat, Job, Server
from provisioning.simulator.simulator import Simulator
from tests import world
from tests.bench import bars
from tests.bench.measuring import empty, run
from tests.bench.processors import PARTS, processor_seconds
from tests.processes import Worker, wait_until

ACCOUNTS, QUICK = 2_000, 100
PROCESSES, PLACES, LATENCY_SECONDS, SWEEP_SECONDS = 8, 32, 0.2, 15.0
MOST_SECONDS, QUICK_SECONDS = 60, 20
LEAST_JOBS = 25
CREDIT = Money(20_00, "EUR")
MORE = "bench-more-"


@dataclass(frozen=True)
class Shop:
    """A dialler that takes its time, and one that never answers."""

    slow: Server
    hung: Server


@dataclass(frozen=True)
class Done:
    """Jobs that a worker has done: how many a second, with how many requests each, and the
    processor's seconds by whose they are.
    """

    jobs: int
    seconds: float
    requests: int
    processor: dict[str, float]

    @property
    def rate(self) -> float:
        return self.jobs / self.seconds


def report(quick: bool) -> Iterator[str]:
    accounts, most = (QUICK, QUICK_SECONDS) if quick else (ACCOUNTS, MOST_SECONDS)
    with opened() as (shop, dialler):
        make(shop.slow, accounts)
        made = _done(Job.objects.filter(account__server=shop.slow), dialler, most)
        credited = _done(_credit(shop.slow), dialler, most)
    yield "## Jobs at the dialler"
    yield ""
    yield (
        f"A dialler that takes {LATENCY_SECONDS * 1000:.0f} ms for every call and bears {PLACES}"
        f" jobs at once, where {accounts:,} accounts wait; one dialler-worker with {PROCESSES}"
        f" processes, swept every {SWEEP_SECONDS:.0f} s, from its start on for at most {most} s; a"
        " worker with 2 sends the mails. A new account is three jobs (create, limits, credit)."
        " The dialler runs on the same processors."
    )
    yield ""
    yield f"| asked for | jobs | jobs/s | requests a job | {' | '.join(PARTS)}, ms a job |"
    yield f"|---|---|---|---|{'---|' * len(PARTS)}"
    yield _row("new accounts", made)
    yield _row("credit", credited)
    yield from bars.table(
        [
            bars.at_least("jobs a second, new accounts", made.rate, LEAST_JOBS),
            bars.at_least("jobs a second, credit", credited.rate, LEAST_JOBS),
        ]
    )


def _row(what: str, done: Done) -> str:
    parts = " | ".join(f"{1000 * done.processor[part] / done.jobs:.1f}" for part in PARTS)
    requests = f"{done.requests / done.jobs:.1f}"
    return f"| {what} | {done.jobs:,} | {done.rate:,.1f} | {requests} | {parts} |"


@contextmanager
def opened() -> Iterator[tuple[Shop, Simulator]]:
    """Open an empty shop. The dialler that hangs has the places and the patience that a server has
    before anybody looks after it.
    """
    empty()
    slow, hung = Simulator.start(), Simulator.start()
    slow.faults.add("*", times=-1, answer=f"hang:{LATENCY_SECONDS}", apply="yes")
    hung.faults.add("*", times=-1, answer="hang:600")
    try:
        world.settle_in(slow.url, at=timezone.now())
        Server.objects.update(connect_timeout_seconds=3, read_timeout_seconds=15)
        shop = Shop(Server.objects.get(currency="EUR"), Server.objects.get(currency="USD"))
        shop.slow.runs_at_once = PLACES
        shop.hung.base_url = hung.base_url("legacy")
        for server in (shop.slow, shop.hung):
            server.save(update_fields=["runs_at_once", "base_url"])
        yield shop, slow
    finally:
        slow.close()
        hung.close()


def make(server: Server, count: int) -> None:
    """Ask for so many new accounts with credit, each the service of a customer."""
    at, have = timezone.now(), Account.objects.count()
    price = world.price("business", currency=server.currency)
    with transaction.atomic():
        for number in range(have, have + count):
            _, customer = world.customer(f"customer-{number}@example.com", at=at)
            service = subscriptions.plan(customer, price, zone="UTC", at=at, actor="bench")
            service.account = accounts.plan(
                subscriptions.person_of(customer),
                service.terms,
                pools.of(service.package),
                currency=service.currency,
                at=at,
                actor="bench",
            )
            service.save(update_fields=["account"])
            credit = Money(CREDIT.minor, server.currency)
            cause = f"bench-{service.pk}"
            jobs.create_account(service.account, cause=cause, credit=credit, at=at, actor="bench")


def _credit(server: Server) -> QuerySet[Job]:
    """Ask for more credit on every account that is finished, as a billing run does; return the
    jobs. Nothing else is due.
    """
    others = Job.objects.filter(account__server=server, state__in=Job.UNFINISHED)
    others.update(run_at=timezone.now() + timedelta(days=1))
    finished = Account.objects.filter(server=server).exclude(jobs__in=others)
    wishes = [
        jobs.credit_wish(each, CREDIT, cause=f"{MORE}{each.pk}")
        for each in finished.select_related("server")
    ]
    with transaction.atomic():
        jobs.add(wishes, at=timezone.now(), actor="bench")
    return Job.objects.filter(cause__startswith=MORE)


def _done(asked_for: QuerySet[Job], dialler: Simulator, most: float) -> Done:
    """Let a worker do these jobs, for so many seconds at most."""
    left = asked_for.exclude(state=Job.State.DONE)
    count, asked = left.count(), len(dialler.log()["requests"])
    run("VACUUM ANALYZE")
    with working():
        before, begun, beat = processor_seconds(), time.perf_counter(), Beat()

        def over() -> bool:
            beat.tick()
            return time.perf_counter() - begun > most or not left.exists()

        wait_until(over, seconds=2 * most, what="all jobs are done")
        seconds, after = time.perf_counter() - begun, processor_seconds()
        count -= left.count()
    used = {part: after[part] - before[part] for part in PARTS}
    return Done(count, seconds, len(dialler.log()["requests"]) - asked, used)


class Beat:
    """Shows life and sweeps for jobs as beat does, whenever it is asked and the time has come."""

    def __init__(self) -> None:
        self._swept_at = -SWEEP_SECONDS

    def tick(self) -> None:
        if time.perf_counter() - self._swept_at > SWEEP_SECONDS:
            self._swept_at = time.perf_counter()
            tasks.beat_heartbeat()
            tasks.sweep_jobs()


@contextmanager
def working() -> Iterator[None]:
    """Run workers as an operator does: eight processes ask diallers, two others do the rest. Beat
    has just rung for everything.
    """
    Heartbeat.objects.all().delete()
    now = timezone.now()
    Heartbeat.objects.bulk_create([Heartbeat(process=name, at=now) for name in ("beat", *BEAT)])
    with ExitStack() as workers:
        for name, queues, processes in (
            ("worker", "default,mail", 2),
            ("dialler-worker", "provisioning", PROCESSES),
        ):
            node = f"{name}-{os.getpid()}@%h"
            started = Worker("-Q", queues, "-c", f"{processes}", "-n", node, life=name)
            workers.callback(started.finish)
        yield
