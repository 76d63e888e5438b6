"""Statement files: kept as they came, then read by a worker, line by line, each line once.

Reading again, or an overlapping file, changes nothing: the key of a line is unique. So a worker
that dies in the middle costs time, and the next one begins the file anew.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta

from celery import shared_task
from django.db import transaction
from django.db.models import F, Q, QuerySet

from billing import matched_entries, matching
from billing.bank import files, table
from billing.bank.lines import Line, Statement, Unreadable, iban, keyed
from billing.models import BankEntry, StatementFile, StatementLayout, current_brand
from packages import clock, rows
from packages.doorbell import ring
from packages.states import record_change, record_changes
from packages.sweeping import each, written_once

State, Clue = StatementFile.State, BankEntry.Clue
LEASE = timedelta(minutes=5)
MAX_ATTEMPTS = 3
CHUNK = 500
ACTOR = "system:statement"
# A line with its key, and the kind of file it is from.
Found = tuple[str, str, Line]
# Account, day and sum of an entry; and the kinds of files from which such entries are.
Place = tuple[str, date, int]
Twins = dict[Place, set[str]]
MEANINGS = (
    *("booked", "valued", "amount", "credit", "debit", "currency", "account", "name", "iban"),
    *("text", "reference", "kind", "status"),
)


class TooLarge(Exception):
    """The file is larger than any that is read."""


@shared_task
def read_statement_file(file_id: int) -> None:
    """Read one file that waits, and book what is clear in it."""
    read(file_id, now=clock.now)
    matched_entries.book(at=clock.now(), file_id=file_id)


def keep(
    name: str, content: bytes, *, layout: StatementLayout | None, at: datetime, actor: str
) -> StatementFile:
    """Store a file for a worker to read. The layout is for CSV; without one it is recognised.

    Raises TooLarge.
    """
    if len(content) > files.MAX_FILE:
        raise TooLarge
    with transaction.atomic():
        file = StatementFile.objects.create(
            name=name[-150:],
            content=content,
            layout=layout,
            handed_in_at=at,
            handed_in_by=actor[:80],
            again_at=at,
        )
        record_change(file, before="", at=at, actor=actor, reason="handed in")
        ring(read_statement_file, file.pk)
    return file


def read(
    file_id: int,
    *,
    now: Callable[[], datetime],
    told: Callable[[StatementFile], None] = lambda file: None,
) -> StatementFile:
    """Store the lines of a file that waits, 500 at a time; return it as it is afterwards.

    `told` is called after each step. Does nothing while another worker has it. A file that cannot
    be read completely fails with a reason, and nothing of it is stored.
    """
    file = _claim(file_id, at=now())
    if file is None:
        return StatementFile.objects.get(pk=file_id)
    try:
        lines = _lines_of(file)
    except Unreadable as error:
        _finish(file, State.FAILED, str(error), at=now())
    else:
        _progress(file, total=len(lines), at=now())
        for chunk in _chunks(lines):
            _store(file, chunk, at=now())
            told(file)
        _finish(file, State.READ, "", at=now())
    told(file)
    return file


def read_again(
    file: StatementFile, layout: StatementLayout | None, *, at: datetime, actor: str
) -> None:
    """Let a file that failed be read once more, perhaps by another layout."""
    with transaction.atomic():
        held = StatementFile.objects.select_for_update(of=("self",)).get(pk=file.pk)
        held.layout, held.again_at, held.note, held.attempts = layout, at, "", 0
        also = ("layout", "again_at", "note", "attempts")
        held.move(State.WAITING, at=at, actor=actor, reason="read again", also=also)
        ring(read_statement_file, held.pk)


def sweep(*, now: Callable[[], datetime]) -> None:
    """Read the files that nobody rang for or whose worker died, and book what is left to book."""
    each(_waiting(now()), lambda pk: read(pk, now=now))
    matched_entries.book(at=now())


@written_once
def _waiting(at: datetime) -> QuerySet[StatementFile, int]:
    return due(at).order_by("pk").values_list("pk", flat=True)


def due(at: datetime) -> QuerySet[StatementFile]:
    """Return the files that wait, and those whose worker died."""
    return StatementFile.objects.filter(again_at__lte=at, state__in=StatementFile.UNFINISHED)


def layout_of(row: StatementLayout) -> table.Layout:
    """Return the row as the plain value that the reader takes."""
    named = {meaning: getattr(row, f"{meaning}_column") for meaning in MEANINGS}
    # Read another way, a line has another key: then it counts as from another kind of file.
    print_of = hashlib.sha256(repr(sorted(named.items())).encode()).hexdigest()
    return table.Layout(
        source=f"csv-{print_of[:12]}",
        name=row.name,
        delimiter=row.delimiter,
        encoding=row.encoding,
        decimal=row.decimal,
        dates=row.dates,
        currency=row.currency,
        columns={meaning: _words(names) for meaning, names in named.items() if names},
        pending=frozenset(word.casefold() for word in _words(row.pending_words)),
    )


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split("|") if word.strip()]


def _claim(file_id: int, *, at: datetime) -> StatementFile | None:
    """Take a file by one conditional UPDATE; a worker that died loses it after the lease."""
    with transaction.atomic():
        free = StatementFile.objects.filter(
            Q(again_at__lte=at), pk=file_id, state__in=StatementFile.UNFINISHED
        )
        if free.update(again_at=at + LEASE, attempts=F("attempts") + 1) != 1:
            return None
        file = StatementFile.objects.select_related("layout").get(pk=file_id)
        if file.state == State.WAITING:
            file.move(State.READING, at=at, actor=ACTOR, reason="begun")
        elif file.attempts > MAX_ATTEMPTS:
            _finish(file, State.FAILED, "reading it failed several times", at=at)
            return None
        file.lines_done = 0
    return file


def _lines_of(file: StatementFile) -> list[Found]:
    """Return source, key and line of all that is in the file, each key once."""
    found = [file.layout] if file.layout else list(StatementLayout.objects.all())
    own = iban(current_brand().iban)
    statements = files.read(bytes(file.content), [layout_of(row) for row in found], account=own)
    return list(_distinct(statements))


def _distinct(statements: Sequence[Statement]) -> Iterator[Found]:
    """A ZIP may hold a day's statement and the month's: what both list is one line."""
    seen = set[str]()
    for statement in statements:
        for key, line in keyed(statement):
            if key not in seen:
                seen.add(key)
                yield statement.source, key, line


def _chunks(lines: Sequence[Found]) -> Iterator[Sequence[Found]]:
    for start in range(0, len(lines), CHUNK):
        yield lines[start : start + CHUNK]


def _store(file: StatementFile, chunk: Sequence[Found], *, at: datetime) -> None:
    """Insert what is new of these lines, judged, and count; a handful of statements."""
    with transaction.atomic():
        keys = [key for _source, key, _line in chunk]
        known = set(BankEntry.objects.filter(key__in=keys).values_list("key", flat=True))
        new = [each for each in chunk if each[1] not in known]
        twins = _twins([line for _source, _key, line in new])
        clues = matching.foresee([f"{line.text} {line.end_to_end}" for _s, _k, line in new])
        rows.add(
            BankEntry,
            (
                _record(file, source, key, line, *_judged(source, line, clue, twins))
                for (source, key, line), clue in zip(new, clues, strict=True)
            ),
            unless_known=True,
        )
        _begin_histories(file, [key for _source, key, _line in new], at=at)
        _progress(file, done=len(chunk), at=at)


def _begin_histories(file: StatementFile, keys: Sequence[str], *, at: datetime) -> None:
    stored = list(file.entries.filter(key__in=keys).order_by("pk"))
    record_changes(stored, before="", at=at, actor=ACTOR, reason=f"listed in {file.name}")


def _twins(lines: Sequence[Line]) -> Twins:
    """Return where entries are that may be these lines, from whatever kind of file."""
    found = BankEntry.objects.filter(
        account__in={line.account for line in lines},
        booked_on__in={line.booked_on for line in lines},
        amount_minor__in={line.amount.minor for line in lines},
    )
    twins: Twins = {}
    for row in found.only("account", "booked_on", "amount_minor", "source"):
        place = (row.account, row.booked_on, row.amount_minor)
        twins.setdefault(place, set()).add(row.source)
    return twins


def _place(line: Line) -> Place:
    return line.account, line.booked_on, line.amount.minor


def _record(
    file: StatementFile,
    source: str,
    key: str,
    line: Line,
    state: BankEntry.State,
    clue: str,
) -> rows.Record:
    return {
        "file_id": file.pk,
        "key": key,
        "source": source,
        "account": line.account,
        "booked_on": line.booked_on,
        "valued_on": line.valued_on,
        "amount_minor": line.amount.minor,
        "currency": line.amount.currency,
        "name": line.name,
        "iban": line.iban,
        "text": line.text,
        "kind": line.kind,
        "bank_reference": line.bank_reference,
        "end_to_end": line.end_to_end,
        "returned": line.returned,
        "state": state,
        "clue": clue,
    }


def _judged(source: str, line: Line, clue: str, twins: Twins) -> tuple[BankEntry.State, str]:
    """Say what becomes of a new line; `clue` is what its text alone says against booking it."""
    if line.returned:
        return BankEntry.State.OPEN, Clue.RETURNED
    if line.amount.minor < 0:
        return BankEntry.State.OUTGOING, ""
    if line.collective:
        return BankEntry.State.OPEN, Clue.COLLECTIVE
    if twins.get(_place(line), set()) - {source}:
        return BankEntry.State.OPEN, Clue.TWIN
    return (BankEntry.State.OPEN if clue else BankEntry.State.MATCHED), clue


def _progress(
    file: StatementFile, *, at: datetime, total: int | None = None, done: int = 0
) -> None:
    """Count what was read, and keep the file for as long again."""
    if total is not None:
        file.lines_total = total
    file.lines_done += done
    # Counted anew: a worker that died may have stored some before us.
    file.lines_new = file.entries.count()
    file.again_at = at + LEASE
    file.save(update_fields=["lines_total", "lines_done", "lines_new", "again_at"])


def _finish(file: StatementFile, state: StatementFile.State, note: str, *, at: datetime) -> None:
    with transaction.atomic():
        held = StatementFile.objects.select_for_update(of=("self",)).get(pk=file.pk)
        if held.state != State.READING or held.attempts != file.attempts:
            return
        file.finished_at, file.again_at, file.note = at, None, note[:300]
        reason = note or f"{file.lines_new} of {file.lines_done} lines are new"
        also = ("finished_at", "again_at", "note")
        file.move(state, at=at, actor=ACTOR, reason=reason, also=also)
