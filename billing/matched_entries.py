"""Bank entries that name their invoices exactly: booked by themselves, many at once.

The entries' rows are locked before anything they pay, and count what of them is booked: so neither
two workers nor a worker and staff book one line twice.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from django.db import OperationalError, transaction
from django.db.models import QuerySet

from billing import bank_entries, matching, transfers
from billing.locks import Held, take_entries
from billing.models import BankEntry, Payment
from packages.states import move
from packages.sweeping import any_of, each
from provisioning.pools import NoServer

log = structlog.get_logger()

State, Clue = BankEntry.State, BankEntry.Clue
Decided = tuple[BankEntry, matching.Decision]
ACTOR = "system:statement"
# Well below a second, for whoever waits for the same rows.
CHUNK = 250


def book(
    *, at: datetime, file_id: int | None = None, told: Callable[[], object] = lambda: None
) -> None:
    """Book every entry that names its invoice, the oldest first, in chunks of 250; `told` is called
    after each.

    What another worker just books is passed by, and what cannot be had now waits for the next call.
    What turns out not to be clear goes to staff, and so does what fails; raises the first such
    fault when the others of its chunk are done.
    """
    if not _any_is_matched():
        return
    waiting = matched().order_by("booked_on", "pk").values_list("pk", flat=True)
    if file_id is not None:
        waiting = waiting.filter(file=file_id)
    ids = list(waiting)
    for start in range(0, len(ids), CHUNK):
        _book_chunk(ids[start : start + CHUNK], at=at)
        told()


def matched() -> QuerySet[BankEntry]:
    """Return the entries that name their invoice and are not booked."""
    return BankEntry.objects.filter(state=State.MATCHED)


_any_is_matched = any_of(matched)


def _book_chunk(ids: Sequence[int], *, at: datetime) -> None:
    """Book entries together, as many as that is possible for at once; what is left, alone."""
    try:
        while len(ids) > 1:
            ids = _book(ids, at=at)
    # Nothing of them was booked then: one by one, where each fault is told and recorded.
    except Exception as error:  # noqa: BLE001
        log.warning("bank_entries.one_by_one", count=len(ids), error=type(error).__name__)
    each(ids, lambda entry_id: _book_alone(entry_id, at=at))


def _book_alone(entry_id: int, *, at: datetime) -> None:
    try:
        _book([entry_id], at=at)
    except (NoServer, OperationalError) as error:
        # Nothing is booked by then; the sweep comes back to it when a dialler takes orders again,
        # or nobody holds its rows any more.
        log.error("bank_entry.not_now", entry=entry_id, error=type(error).__name__)
    except Exception:
        # A fault of ours must not hold up the other lines, nor be tried for ever.
        with transaction.atomic():
            entries = take_entries([entry_id])
            _leave([(row, Clue.FAULT) for row in entries if row.state == State.MATCHED], at=at)
        raise


def _book(ids: Sequence[int], *, at: datetime) -> list[int]:
    """Do with these entries what is decided, in one transaction; return those that are left.

    Of what concerns one customer only the first is done, and the next is judged anew after it. So
    the entries of one transaction share no rows, and it is as if each had one of its own.
    """
    with transaction.atomic():
        entries = [row for row in take_entries(ids, pass_by=True) if row.state == State.MATCHED]
        now, later = _apart(entries, matching.decide(entries))
        named = [invoice for _, decision in now for invoice in decision.named]
        by_hand = [decision.booked.pk for _, decision in now if decision.booked is not None]
        held = transfers.held_for(named, payments=by_hand)
        now, stale = _as_decided(now, held)
        _carry_out(now, held, at=at)
    left = {row.pk for row in (*later, *stale)}
    return [row.pk for row in entries if row.pk in left]


def _apart(
    entries: Sequence[BankEntry], decisions: Sequence[matching.Decision]
) -> tuple[list[Decided], list[BankEntry]]:
    """Return what is decided for the first entry of each customer, and the other entries."""
    first, others, seen = list[Decided](), list[BankEntry](), set[int]()
    for entry, decision in zip(entries, decisions, strict=True):
        customers = {invoice.customer_id for invoice in decision.named}
        if customers & seen:
            others.append(entry)
        else:
            first.append((entry, decision))
        seen |= customers
    return first, others


def _as_decided(decided: Sequence[Decided], held: Held) -> tuple[list[Decided], list[BankEntry]]:
    """Return what still is as it was judged, now that it is locked, and the other entries."""

    def same(decision: matching.Decision) -> bool:
        locked = [(each, held.invoices[each.pk]) for each in decision.named]
        return all((one.state, one.due) == (now.state, now.due) for one, now in locked)

    good = [(entry, decision) for entry, decision in decided if same(decision)]
    return good, [entry for entry, decision in decided if not same(decision)]


def _carry_out(decided: Sequence[Decided], held: Held, *, at: datetime) -> None:
    """Do what was decided; all that it concerns is locked."""
    parts = [(entry, decision.parts) for entry, decision in decided if decision.parts]
    bank_entries.book(parts, held, at=at, actor=ACTOR)
    clues = [(entry, decision.clue) for entry, decision in decided if decision.clue]
    for entry, decision in decided:
        if decision.booked is None:
            continue
        # Nobody else was told the same meanwhile: its invoice is locked.
        free = Payment.objects.filter(pk=decision.booked.pk, bank_entry__isnull=True)
        if free.update(bank_entry=entry):
            counted = (entry, entry.rest, "was confirmed by hand")
            bank_entries.count([counted], at=at, actor=ACTOR)
        else:
            clues.append((entry, Clue.NOT_OPEN))
    _leave(clues, at=at)


def _leave(left: Sequence[tuple[BankEntry, str]], *, at: datetime) -> None:
    """Leave entries to staff, each with its clue."""
    for entry, clue in left:
        entry.clue = clue
    reasons = [str(Clue(clue).value) for _, clue in left]
    move([row for row, _ in left], State.OPEN, at=at, actor=ACTOR, reason=reasons, also=("clue",))
