"""A flood of forged events at the webhooks' door, and what pages feel of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from django.utils import timezone

from billing.models import GatewayEvent
from tests import world
from tests.bench import bars, load, proxy
from tests.bench.durable import durable
from tests.bench.sending import Load, event, press, request
from tests.bench.serving import THREADS, WORKERS, collect_static, gunicorn, product

SECONDS, QUICK_SECONDS, CONNECTIONS = 15.0, 3.0, 50


def report(quick: bool) -> Iterator[str]:
    seconds = QUICK_SECONDS if quick else SECONDS
    collect_static()
    yield "## Flood of forged events"
    with durable(), gunicorn("config.wsgi", env=product()) as port:
        world.settle_in("http://127.0.0.1:9", at=timezone.now())
        # Each worker and thread loads what it needs with its first requests.
        look(port, seconds=4, connections=2 * WORKERS * THREADS)
        yield from _flood(port, [400], seconds=seconds)
        yield ""
        if proxy.NGINX is None:
            yield "The proxy of docs/nginx.conf was not measured: this machine has no nginx."
            return
        with proxy.proxied(port) as front:
            yield "Behind the proxy of docs/nginx.conf, which answers most by itself:"
            yield from _flood(front, [400, 503], seconds=seconds, most=2)


def _flood(
    port: int, answers: list[int], *, seconds: float, most: float | None = None
) -> Iterator[str]:
    """Measure a flood at this port; with `most` how often as long a page may take has a bar."""
    alone = look(port, seconds=seconds)
    meanwhile, came = flooded(port, seconds=seconds)
    yield ""
    yield (
        f"{came.rate:,.0f} forged events a second over {CONNECTIONS} connections, as many as were"
        f" answered: {len(came.latencies):,} in all; somebody opens the package list all the while."
    )
    yield from load.table({"package list alone": [alone], "in the flood": [meanwhile]})
    held = [
        bars.exactly("answers to what is forged", sorted(came.statuses), answers),
        bars.exactly("answers to who looks", sorted(meanwhile.answers), [200]),
        bars.exactly("stored events", GatewayEvent.objects.count(), 0),
    ]
    if most is not None:
        slower = meanwhile.percentile(99) / alone.percentile(99)
        held.append(bars.at_most("the page's p99, of that alone", slower, most, " times"))
    yield from bars.table(held)


def look(port: int, *, seconds: float, connections: int = 1) -> load.Load:
    """Open a page again and again."""
    pages = itertools.repeat(load.request("/packages/"))
    return load.send(port, pages, connections=connections, seconds=seconds)


def flooded(port: int, *, seconds: float) -> tuple[load.Load, Load]:
    """Look while forged events come in as fast as they are answered."""
    forged = request(event("evt_1", "pay_nowhere"), secret="guessed")
    # A process of its own, so that sending delays nobody who measures.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        # It takes a while to start.
        pool.submit(press, port, [forged], connections=1, seconds=1).result()
        sent = itertools.repeat(forged)
        flood = pool.submit(press, port, sent, connections=CONNECTIONS, seconds=seconds + 1)
        return look(port, seconds=seconds), flood.result()
