"""The billing run: invoices a second, statements and memory, beside the same rows by plain SQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from billing import renewals
from billing.models import Invoice, Subscription
from tests.bench import bars
from tests.bench.floor import Floor
from tests.bench.measuring import AT, ON, PAID_UNTIL, Measured, measure, open_shop, run
from tests.billing import renewing

SIZES, UNPAID, ROUNDS = (1_000, 10_000, 50_000), 10_000, 3
QUICK, QUICK_UNPAID = (200, 500, 1_000), 500
PER = 500
HEAD = (
    "| services | seconds | invoices/s | ms per invoice | of it our processor | the database's"
    " | floor, ms | times the floor | in processor time | statements per 500 | memory, MiB |"
)

Round = tuple[Measured, Measured]


def report(quick: bool) -> Iterator[str]:
    sizes, unpaid = (QUICK, QUICK_UNPAID) if quick else (SIZES, UNPAID)
    open_shop(max(sizes))
    owing = _rounds([unpaid])
    renewing.prepay(services(max(sizes)), at=AT)
    run("VACUUM ANALYZE")
    paid = _rounds(sizes)
    yield "## Billing run"
    yield ""
    yield (
        "Each invoice has two lines (a period, a discount), tax, ledger, number, state rows, and is"
        " paid at once by its customer's balance: allocation, booking, the next period, the"
        " included credit as a job for the dialler, the receipt's row. In a shop of"
        f" {max(sizes):,} services; the floor is the same rows by set-based SQL, in turns with the"
        f" run; medians of {ROUNDS} rounds."
    )
    yield from _table(paid)
    yield from bars.table([*_bars(paid), _growth(paid)])
    yield ""
    yield "## Billing run of who pays later"
    yield ""
    yield "The same without what the payment brings: the mail's row announces the invoice."
    yield from _table(owing)
    yield from bars.table(_bars(owing))


def services(count: int) -> list[Subscription]:
    """Return those that are made due together, the first ones of the day."""
    rows = Subscription.objects.filter(anchor_on=renewing.anchor_of(PAID_UNTIL))
    return list(rows.order_by("pk").select_related("customer")[:count])


def _rounds(sizes: Sequence[int]) -> dict[int, list[Round]]:
    """Measure all sizes in turns, so that what else the machine does falls on each of them."""
    found: dict[int, list[Round]] = {size: [] for size in sizes}
    for _ in range(ROUNDS):
        for size in sizes:
            found[size].append(_round(size))
    return found


def _round(count: int) -> Round:
    _make_due(count)
    have, floor = Invoice.objects.count(), Floor()
    ours = measure(lambda: renewals.bill(ON, at=AT))
    assert Invoice.objects.count() - have == count, "Every service has its invoice."
    floor.take_away()
    theirs = measure(floor.write)
    floor.take_away()
    return ours, theirs


def _make_due(count: int) -> None:
    """Let the first so many be as they were before the run, and the others be due some day."""
    ids = [each.pk for each in services(count)]
    run(
        "UPDATE billing_subscription SET paid_until = %s,"
        " next_invoice_on = CASE WHEN id <= %s THEN %s::date ELSE %s::date + 30 END"
        " WHERE anchor_on = %s",
        *map(str, (PAID_UNTIL, ids[-1], ON, ON, renewing.anchor_of(PAID_UNTIL))),
    )
    run("VACUUM ANALYZE billing_subscription")


def _bars(found: Mapping[int, Sequence[Round]]) -> list[bars.Bar]:
    """Return what must hold of the size in the middle, and of all sizes' memory."""
    size = sorted(found)[len(found) // 2]
    statements = max(ours.statements for ours, _ in found[size]) * PER / size
    memory = max(ours.memory_mib for rounds in found.values() for ours, _ in rounds)
    return [
        bars.at_most(f"{size:,}: statements per {PER} invoices", statements, 20),
        bars.at_most(f"{size:,}: times the floor", _ratio(found[size]), 6),
        bars.at_most("memory beside what was there before", memory, 200, " MiB"),
    ]


def _growth(found: Mapping[int, Sequence[Round]]) -> bars.Bar:
    first, last = min(found), max(found)
    per = {size: median(ours.seconds for ours, _ in found[size]) / size for size in (first, last)}
    more = 100 * (per[last] / per[first] - 1)
    return bars.at_most(f"an invoice of {last:,} against one of {first:,}, more", more, 15, " %")


def _ratio(rounds: Sequence[Round]) -> float:
    return median(ours.seconds / floor.seconds for ours, floor in rounds)


def _table(found: Mapping[int, Sequence[Round]]) -> Iterator[str]:
    yield ""
    yield HEAD
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for size, rounds in found.items():
        yield _row(size, rounds)


def _row(count: int, rounds: Sequence[Round]) -> str:
    seconds = median(ours.seconds for ours, _ in rounds)
    per = 1000 / count
    cells = (
        f"{count:,}",
        f"{seconds:.2f}",
        f"{count / seconds:,.0f}",
        f"{per * seconds:.2f}",
        f"{per * median(ours.own for ours, _ in rounds):.2f}",
        f"{per * median(ours.server for ours, _ in rounds):.2f}",
        f"{per * median(floor.seconds for _, floor in rounds):.2f}",
        f"{_ratio(rounds):.1f}",
        f"{median(ours.processor / floor.processor for ours, floor in rounds):.1f}",
        f"{max(ours.statements for ours, _ in rounds) * PER / count:.1f}",
        f"{max(ours.memory_mib for ours, _ in rounds):.0f}",
    )
    return f"| {' | '.join(cells)} |"
