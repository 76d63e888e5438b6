"""A bank statement of a busy shop: read, judged, stored and booked, each line once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from billing import matched_entries, renewals, statement_files
from billing.models import BankEntry, Invoice, StatementFile
from packages.periods import business_day
from tests import world
from tests.bench import bars
from tests.bench.measuring import counted
from tests.billing import renewing
from tests.billing.bank import statements

LINES, QUICK_LINES = 10_000, 1_000
MOST_SECONDS, MOST_BOOKED = 20, 60


def report(quick: bool) -> Iterator[str]:
    count = QUICK_LINES if quick else LINES
    content = statements.one(*quoting(count))
    with counted() as asked:
        begun = time.monotonic()
        steps = handed_in(content)
        seconds = time.monotonic() - begun
    again = time.monotonic()
    handed_in(content)
    known = time.monotonic() - again
    matched = _in_state(BankEntry.State.MATCHED)
    with counted() as asked_to_book:
        begun = time.monotonic()
        matched_entries.book(at=timezone.now())
        booking = time.monotonic() - begun
    yield "## Bank statement"
    yield ""
    yield (
        f"- CAMT.053, {count:,} entries, {len(content) / 2**20:.1f} MiB, each quotes an open"
        f" invoice: stored in {seconds:.1f} s by {asked():,} statements; the page's bar moved"
        f" {steps} times"
    )
    yield f"- the same file again, all of it known: {known:.1f} s"
    yield (
        f"- booked afterwards, {matched_entries.CHUNK} at a time: {booking:.1f} s,"
        f" {1000 * booking / count:.2f} ms an entry, by {asked_to_book():,} statements"
    )
    yield from bars.table(
        [
            bars.exactly("entries", BankEntry.objects.count(), count),
            bars.exactly("of them to be booked", matched, count),
            bars.exactly("of them booked", _in_state(BankEntry.State.BOOKED), count),
            bars.at_most(f"seconds for {count:,} lines", seconds, MOST_SECONDS, " s"),
            bars.at_most("seconds with their booking", seconds + booking, MOST_BOOKED, " s"),
            bars.at_most("statements a line", asked() / count, 0.1),
            bars.at_most("statements an entry booked", asked_to_book() / count, 0.5),
        ]
    )


def quoting(count: int) -> Iterator[statements.Entry]:
    """Open a shop with so many open invoices; yield a transfer for each."""
    at = timezone.now()
    world.settle_in("http://127.0.0.1:9", at=at)
    on = business_day(at, world.brand().zone)
    renewing.many(count, paid_until=on + timedelta(days=7), at=at)
    renewals.bill(on, at=at)
    for number, invoice in enumerate(Invoice.objects.filter(state=Invoice.State.OPEN)):
        text = f"Rechnung {invoice.number} vielen Dank"
        yield statements.paid(f"{invoice.due.minor / 100:.2f}", text, reference=f"B{number}")


def _in_state(state: BankEntry.State) -> int:
    return BankEntry.objects.filter(state=state).count()


def handed_in(content: bytes) -> int:
    """Keep and read a file as a worker does; return how often its progress was told."""
    told: list[StatementFile] = []
    at = timezone.now()
    file = statement_files.keep("a.xml", content, layout=None, at=at, actor="test")
    statement_files.read(file.pk, now=timezone.now, told=told.append)
    return len(told)
