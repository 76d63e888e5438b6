"""What a dialler that hangs costs the others: pages, webhooks, and the jobs of another dialler."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from statistics import fmean, quantiles
from threading import Event

from django.db import connection
from django.utils import timezone

from billing import payments
from billing.models import GatewayEvent
from provisioning.models import Circuit, Job, Server
from tests import world
from tests.bench import bars, load
from tests.bench.dialling import PROCESSES, Beat, make, opened, working
from tests.bench.load import Load
from tests.bench.measuring import run
from tests.bench.sending import event, press, request
from tests.bench.serving import collect_static, gunicorn, product
from tests.billing import orders, saved
from tests.processes import wait_until
from tests.story import Gateway

HUNG, QUICK_HUNG, BESIDE, QUICK_BESIDE = 200, 50, 600, 150
PAGE_SECONDS, WEBHOOK_SECONDS, PAGE = 0.05, 0.5, "/packages/"
PATIENCE_SECONDS = 1_200
LEAST_SHARE, MOST_TIMES = 0.8, 1.5
_names = count()


@dataclass(frozen=True)
class Doors:
    """Where pages and webhooks come in, and a payment that these speak of."""

    port: int
    payment: str


@dataclass(frozen=True)
class Measured:
    """While one dialler's jobs were done: how many a second, and what else took how long."""

    jobs_a_second: float
    pages: Load
    # In milliseconds: until a webhook was answered, and until a worker had processed it.
    answered: list[float]
    processed: list[float]


def report(quick: bool) -> Iterator[str]:
    hung, beside = (QUICK_HUNG, QUICK_BESIDE) if quick else (HUNG, BESIDE)
    collect_static()
    with (
        opened() as (shop, _),
        saved.open_gateway() as gateway,
        gunicorn("config.wsgi", env=product()) as port,
    ):
        doors = Doors(port, _paid(gateway))
        _measured(shop.slow, beside, doors)
        alone = _measured(shop.slow, beside, doors)
        make(shop.hung, hung)
        disturbed = _measured(shop.slow, beside, doors)
        state = Circuit.objects.get(server=shop.hung).state
        later = timezone.now() + timedelta(days=1)
        Job.objects.filter(account__server=shop.hung).update(run_at=later)
        again = _measured(shop.slow, beside, doors)
    yield "## Beside a dialler that hangs"
    yield ""
    yield (
        f"gunicorn, a worker with 2 processes and a dialler-worker with {PROCESSES}. Two diallers:"
        f" at one, {beside:,} new accounts are made; the other takes {hung} and never answers."
        " Meanwhile a page is opened twenty times a second, and one webhook after the other is sent"
        " and waited for until a worker has processed it, two a second at most. In the end the hung"
        f" one's circuit is {state}. No machine is always as fast, so the first dialler is alone"
        " before and after; the bars are of the mean."
    )
    yield ""
    yield "| | alone | beside | alone again |"
    yield "|---|---|---|---|"
    all_ = (alone, disturbed, again)
    yield _row("jobs/s", *(f"{each.jobs_a_second:.1f}" for each in all_))
    yield _row("page, ms: p50, p99", *(_of_pages(each.pages) for each in all_))
    for name in ("answered", "processed"):
        cells = (_of(getattr(each, name)) for each in all_)
        yield _row(f"webhook {name}, ms: p50, p99", *cells)
    yield from bars.table(_bars(disturbed, (alone, again)))


def _bars(disturbed: Measured, alone: Sequence[Measured]) -> list[bars.Bar]:
    share = disturbed.jobs_a_second / fmean(each.jobs_a_second for each in alone)
    pages = disturbed.pages.percentile(99) / fmean(each.pages.percentile(99) for each in alone)
    answered = _p99(disturbed.answered) / fmean(_p99(each.answered) for each in alone)
    processed = _p99(disturbed.processed) / fmean(_p99(each.processed) for each in alone)
    return [
        bars.at_least("the other dialler's jobs, of those alone", share, LEAST_SHARE),
        bars.at_most("p99 of a page, of that alone", pages, MOST_TIMES, " times"),
        bars.at_most("p99 of a webhook's answer, of that alone", answered, MOST_TIMES, " times"),
        bars.at_most("p99 until it is processed, of that alone", processed, MOST_TIMES, " times"),
    ]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _of_pages(pages: Load) -> str:
    return f"{pages.percentile(50):.0f}, {pages.percentile(99):.0f}"


def _of(milliseconds: list[float]) -> str:
    return f"{quantiles(milliseconds, n=2)[0]:.0f}, {_p99(milliseconds):.0f}"


def _p99(milliseconds: list[float]) -> float:
    return quantiles(milliseconds, n=100)[98]


def _measured(server: Server, accounts: int, doors: Doors) -> Measured:
    """Let a worker make so many accounts at the server while pages and webhooks come in."""
    make(server, accounts)
    run("VACUUM ANALYZE")
    left = Job.objects.filter(account__server=server).exclude(state=Job.State.DONE)
    jobs, over = left.count(), Event()
    with working(), ThreadPoolExecutor(2) as pool:
        begun, beat = time.perf_counter(), Beat()
        pages = pool.submit(load.send, doors.port, _pages(over), connections=1)
        webhooks = pool.submit(_webhooks, doors, over)

        def done() -> bool:
            beat.tick()
            return not left.exists()

        try:
            wait_until(done, seconds=PATIENCE_SECONDS, what="all jobs are done")
            seconds = time.perf_counter() - begun
        finally:
            over.set()
        answered, processed = webhooks.result()
        return Measured(jobs / seconds, pages.result(), answered, processed)


def _paid(gateway: Gateway) -> str:
    """Let somebody pay, and return the payment's id at the gateway, which tells nobody itself."""
    gateway.webhooks(drop=True)
    at = timezone.now()
    user, customer = world.customer("payer@example.com", at=at)
    invoice = orders.place(user, customer, "business", at=at).invoice
    payment = payments.start(
        invoice, "simulated", return_url="http://shop.test/", at=at, actor="bench"
    )
    gateway.pays(payment)
    return str(payment.external_id)


def _pages(over: Event) -> Iterator[bytes]:
    while not over.wait(PAGE_SECONDS):
        yield load.request(PAGE)


def _webhooks(doors: Doors, over: Event) -> tuple[list[float], list[float]]:
    """Send one after the other; return the milliseconds until each was answered, and processed.

    Never more than two a second: sent the faster the faster they are processed, they would take
    the jobs' processor.
    """
    answered, processed = list[float](), list[float]()
    try:
        while not over.wait(WEBHOOK_SECONDS):
            _webhook(doors, answered, processed)
    finally:
        connection.close()
    return answered, processed


def _webhook(doors: Doors, answered: list[float], processed: list[float]) -> None:
    """Send one that tells nothing new, for it takes the same way: a worker asks the gateway."""
    name = f"evt_{next(_names)}"
    begun = time.perf_counter()
    body = event(name, doors.payment)
    sent = press(doors.port, [request(body)], connections=1, seconds=60)
    assert sent.statuses.keys() == {200}, sent.statuses
    answered.append(1000 * sent.latencies[0])
    waits = GatewayEvent.objects.filter(external_id=name, state=GatewayEvent.State.RECEIVED)
    wait_until(lambda: not waits.exists(), seconds=120, what="the webhook is processed")
    processed.append(1000 * (time.perf_counter() - begun))
