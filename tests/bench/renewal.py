"""The billing run: so many services due on one day, beside the floor of the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from billing import renewals
from billing.models import Invoice
from tests.bench.floor import Floor
from tests.bench.measuring import AT, ON, Measured, measure, open_shop

# How many services, and how often measured.
SIZES = ((1_000, 5), (10_000, 3), (50_000, 1))
QUICK = ((100, 2), (500, 1))
CHUNK = renewals.CHUNK

Round = tuple[Measured, Measured]


def report(quick: bool) -> Iterator[str]:
    yield "## Billing run"
    yield ""
    yield (
        "Two lines (a period, a discount), tax, ledger, number, next day, state rows and the mail's"
        " row for each. The floor is the same rows by set-based SQL, in turns with the run."
    )
    yield ""
    yield (
        "| services | rounds | seconds | invoices/s | ms per invoice | of it processor"
        " | floor, invoices/s | times the floor | statements per 500 | memory, MiB |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    each: dict[int, float] = {}
    for services, rounds in QUICK if quick else SIZES:
        measured = [_round(services) for _ in range(rounds)]
        each[services] = median(ours.seconds for ours, _ in measured) / services
        yield _row(services, measured)
    first, *others = each
    yield ""
    for size in others:
        change = 100 * (each[size] / each[first] - 1)
        yield f"An invoice of {size:,} takes {change:+.0f} % against one of {first:,}."


def _round(services: int) -> Round:
    open_shop(services)
    floor = Floor()
    ours = measure(lambda: renewals.bill(ON, at=AT))
    assert Invoice.objects.count() == services, "Every service has its invoice."
    floor.take_away()
    return ours, measure(floor.write)


def _row(services: int, rounds: list[Round]) -> str:
    seconds = median(ours.seconds for ours, _ in rounds)
    processor = median(ours.processor for ours, _ in rounds)
    ratio = median(ours.seconds / floor.seconds for ours, floor in rounds)
    floor = median(floor.seconds for _, floor in rounds)
    statements = max(ours.statements for ours, _ in rounds)
    memory = max(ours.memory_mib for ours, _ in rounds)
    cells = (
        f"{services:,}",
        f"{len(rounds)}",
        f"{seconds:.2f}",
        f"{services / seconds:,.0f}",
        f"{1000 * seconds / services:.2f}",
        f"{1000 * processor / services:.2f}",
        f"{services / floor:,.0f}",
        f"{ratio:.1f}",
        f"{statements * CHUNK / services:.1f}",
        f"{memory:.0f}",
    )
    return f"| {' | '.join(cells)} |"
