"""The webhooks' door beside a bare one: signed events at gunicorn, in turns with its floor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from statistics import median

from billing.models import GatewayEvent
from tests.bench import bare_door, bars
from tests.bench.durable import durable
from tests.bench.measuring import run
from tests.bench.sending import Load, event, press, request
from tests.bench.serving import THREADS, WORKERS, gunicorn, product

CONNECTIONS, SECONDS, ROUNDS, WARM = 8, 5.0, 5, 4.0
QUICK_SECONDS, QUICK_ROUNDS = 1.0, 2
MOST_A_SECOND = 4_000
LEAST_RATE, MOST_P99 = 0.7, 2.0
_names = count()


@dataclass(frozen=True)
class Round:
    floor: Load
    new: Load
    known: Load
    forged: Load


def report(quick: bool) -> Iterator[str]:
    seconds, rounds = (QUICK_SECONDS, QUICK_ROUNDS) if quick else (SECONDS, ROUNDS)
    with durable(), gunicorn("config.wsgi", env=product()) as ours:
        run(bare_door.CREATE)
        with gunicorn("tests.bench.bare_door", env={"BARE": "1"}) as floor:
            for port in (ours, floor):
                # Each worker and thread loads what it needs with its first requests.
                press(port, _requests(WARM), connections=4 * CONNECTIONS, seconds=WARM)
            measured = [_round(ours, floor, seconds) for _ in range(rounds)]
        stored = GatewayEvent.objects.count()
    accepted = sum(each.new.statuses[200] for each in measured)
    yield from _table(measured, seconds)
    yield from _bars(measured, lost=max(0, accepted - stored))


def _table(measured: list[Round], seconds: float) -> Iterator[str]:
    yield "## Webhook intake"
    yield ""
    yield (
        f"gunicorn, {WORKERS} workers with {THREADS} threads each, {CONNECTIONS} connections,"
        f" {len(measured)} rounds of {seconds:.0f} s in turns; a durable database. The floor is a"
        " bare Django view that verifies an HMAC and inserts one row."
    )
    yield ""
    yield "| requests | answered | requests/s | to the floor | p50 ms | p99 ms | to the floor |"
    yield "|---|---|---|---|---|---|---|"
    for name in ("floor", "new", "known", "forged"):
        yield _row(name, [(getattr(each, name), each.floor) for each in measured])


def _bars(measured: list[Round], *, lost: int) -> Iterator[str]:
    rate = median(each.new.rate / each.floor.rate for each in measured)
    late = median(each.new.percentile(99) / each.floor.percentile(99) for each in measured)
    refused = Counter[int]()
    for each in measured:
        refused += each.forged.statuses
    yield from bars.table(
        [
            bars.at_least("the rate of the floor", rate, LEAST_RATE, " times"),
            bars.at_most("the floor's p99", late, MOST_P99, " times"),
            bars.exactly("answers to what is forged", sorted(refused), [400]),
            bars.at_most("accepted and not stored", lost, 0),
        ]
    )


def _round(ours: int, floor: int, seconds: float) -> Round:
    known = list(_requests(0.1))
    return Round(
        floor=press(floor, _requests(seconds), connections=CONNECTIONS, seconds=seconds),
        new=press(ours, _requests(seconds), connections=CONNECTIONS, seconds=seconds),
        known=press(
            ours,
            (each for _ in range(1000) for each in known),
            connections=CONNECTIONS,
            seconds=seconds,
        ),
        forged=press(
            ours,
            _requests(seconds, secret="guessed"),
            connections=CONNECTIONS,
            seconds=seconds,
        ),
    )


def _requests(seconds: float, *, secret: str = "") -> list[bytes]:
    """Sign more events than can be sent in the time, none of them seen before."""
    numbers = islice(_names, int(seconds * MOST_A_SECOND))
    return [request(event(f"evt_{each}", "pay_nowhere"), secret=secret) for each in numbers]


def _row(name: str, loads: list[tuple[Load, Load]]) -> str:
    statuses = sorted({status for ours, _ in loads for status in ours.statuses})
    cells = (
        name,
        ", ".join(str(each) for each in statuses),
        f"{median(ours.rate for ours, _ in loads):,.0f}",
        f"{median(ours.rate / floor.rate for ours, floor in loads):.2f}",
        f"{median(ours.percentile(50) for ours, _ in loads):.1f}",
        f"{median(ours.percentile(99) for ours, _ in loads):.1f}",
        f"{median(ours.percentile(99) / floor.percentile(99) for ours, floor in loads):.2f}",
    )
    return f"| {' | '.join(cells)} |"
