"""One way to change a state: check the move, save it, and leave a row saying who, when and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.db import DatabaseError, connection, models
from django.utils.translation import gettext_lazy as _

from packages import rows

Moves = Mapping[str, frozenset[str]]
Row = TypeVar("Row", bound="Stateful")
# The same for all rows of a call, or one for each, in their order.
Said = str | Sequence[str]


class IllegalMove(Exception):
    """The table of allowed moves does not contain this one; nothing was changed."""


class StateChange(models.Model):
    """One step in the life of a row; never changed, never deleted (a trigger sees to it)."""

    subject = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    before = models.CharField(max_length=20, blank=True)
    after = models.CharField(max_length=20)
    actor = models.CharField(_("actor"), max_length=80)
    reason = models.CharField(_("reason"), max_length=300)
    at = models.DateTimeField(_("at"))

    class Meta:
        indexes = [
            models.Index(fields=["subject", "subject_id", "id"]),
            models.Index(fields=["at"], name="state_change_by_time"),
        ]
        ordering = ["id"]
        verbose_name = _("step")
        verbose_name_plural = _("audit log")

    def __str__(self) -> str:
        return f"{self.subject} {self.subject_id}: {self.before or 'new'} → {self.after}"


class Stateful(models.Model):
    """A row with a `state` and, beside it, `MOVES`: from each state, the states it may go to."""

    MOVES: Moves = {}

    # Every concrete model declares its own choices over this.
    state = models.CharField(max_length=20)

    class Meta:
        abstract = True

    def move(
        self, state: str, *, at: datetime, actor: str, reason: str, also: tuple[str, ...] = ()
    ) -> None:
        """Move to `state` and save it with the fields named in `also`; raise IllegalMove if not
        allowed.

        Needs an open transaction and the row's lock; writes one StateChange beside it, in one
        statement.
        """
        move([self], state, at=at, actor=actor, reason=reason, also=also)

    def move_if_still(
        self,
        *still: str,
        to: str,
        at: datetime,
        actor: str,
        reason: str,
        also: tuple[str, ...] = (),
    ) -> bool:
        """As `move`, but only while the row is in its state and the fields named in `still` are
        stored as they are here; return whether. Another who changed one of them has taken it over.

        One statement, which is the comparison and its lock: it needs no transaction.
        """
        self.check_move(to)
        before = self.state
        known = {"state": before, **{name: getattr(self, name) for name in still}}
        self.state = to
        updating = rows.updating([self], "state", *also, still=known)
        return bool(_write(updating, self, before, at=at, actor=actor, reason=reason))

    def check_move(self, state: str) -> None:
        """Raise IllegalMove unless the row may go to that state."""
        if state not in self.MOVES.get(self.state, frozenset()):
            raise IllegalMove(f"{self._meta.model_name} {self.pk}: {self.state} → {state}")


def insert(new: Sequence[Row], *, at: datetime, actor: Said, reason: Said) -> list[Row]:
    """Insert rows in their first state, each with its history entry, all in one statement; in two
    where not all entries say the same.
    """
    if not new:
        return []
    who, why = _in_common(actor), _in_common(reason)
    if who is None or why is None:
        added = rows.insert(new)
        record_changes(added, before="", at=at, actor=actor, reason=reason)
        return added
    adding = rows.inserting(type(new[0]), rows.records(new))
    return rows.number(list(new), _write(adding, new[0], "", at=at, actor=who, reason=why))


def insert_unless_known(new: Stateful, *, at: datetime, actor: str, reason: str) -> bool:
    """Insert a row with its history entry, in one statement, unless it meets a unique key; return
    whether. The object is given the row's id, if there is one.
    """
    adding = rows.inserting(type(new), rows.records([new]), unless_known=True)
    ids = _write(adding, new, "", at=at, actor=actor, reason=reason)
    return bool(ids and rows.number([new], ids))


def move(
    moved: Sequence[Stateful],
    state: str,
    *,
    at: datetime,
    actor: Said,
    reason: Said,
    also: tuple[str, ...] = (),
) -> None:
    """Move rows of one kind that are in the same state, as `Stateful.move` does, in one statement;
    in two where not all history entries say the same.

    Needs an open transaction and the rows' locks; raises IllegalMove, and then nothing is changed,
    and DatabaseError when one of them is no more.
    """
    if not moved:
        return
    before = moved[0].state
    for row in moved:
        row.check_move(state)
        assert row.state == before, "All of them come from the same state."
    for row in moved:
        row.state = state
    who, why = _in_common(actor), _in_common(reason)
    if who is None or why is None:
        written = rows.update(moved, "state", *also)
        record_changes(moved, before=before, at=at, actor=actor, reason=reason)
    else:
        updating = rows.updating(moved, "state", *also)
        written = len(_write(updating, moved[0], before, at=at, actor=who, reason=why))
    if written != len(moved):
        raise DatabaseError(f"{len(moved)} rows were to be moved, {written} are there")


def record_change(row: Stateful, *, before: str, at: datetime, actor: str, reason: str) -> None:
    """Leave the row's history entry; `before` is empty for a row's first state."""
    subject = str(row._meta.model_name)
    record(subject, row.pk, before, row.state, at=at, actor=actor, reason=reason)


def record_changes(
    changed: Sequence[Stateful], *, before: str, at: datetime, actor: Said, reason: Said
) -> None:
    """Leave a history entry for each row, all in one statement."""
    actors, reasons = for_each(actor, changed), for_each(reason, changed)
    entries = [
        {**_entry(row, before, at=at, actor=who, reason=why), "subject_id": row.pk}
        for row, who, why in zip(changed, actors, reasons, strict=True)
    ]
    rows.add(StateChange, entries)


def for_each(said: Said, of: Sequence[object]) -> Sequence[str]:
    """Return what is said of each of the rows."""
    return [said] * len(of) if isinstance(said, str) else said


def _in_common(said: Said) -> str | None:
    """Return what is said of all rows, None where it is not the same of each."""
    if isinstance(said, str):
        return said
    return said[0] if len(set(said)) == 1 else None


def record(
    subject: str, subject_id: int, before: str, after: str, *, at: datetime, actor: str, reason: str
) -> None:
    """Leave a history entry for what happened to a row that is not in its `state`."""
    step = _step(subject, before, after, at=at, actor=actor, reason=reason)
    entry = {"subject_id": subject_id, **step}
    marks = ", ".join(["%s"] * len(entry))
    sql = f"INSERT INTO {StateChange._meta.db_table} ({', '.join(entry)}) VALUES ({marks})"
    with connection.cursor() as cursor:
        cursor.execute(sql, list(entry.values()))


def history_of(row: Stateful) -> models.QuerySet[StateChange]:
    return StateChange.objects.filter(subject=row._meta.model_name, subject_id=row.pk)


def _entry(row: Stateful, before: str, *, at: datetime, actor: str, reason: str) -> dict[str, Any]:
    subject = str(row._meta.model_name)
    return _step(subject, before, row.state, at=at, actor=actor, reason=reason)


def _step(
    subject: str, before: str, after: str, *, at: datetime, actor: str, reason: str
) -> dict[str, Any]:
    return {
        "subject": subject,
        "before": before,
        "after": after,
        "actor": actor[:80],
        "reason": reason[:300],
        "at": at,
    }


def _write(
    rest: rows.Statement, first: Stateful, before: str, *, at: datetime, actor: str, reason: str
) -> list[int]:
    """Write rows that all take the first one's step, with their history; return their ids."""
    entry = _entry(first, before, at=at, actor=actor, reason=reason)
    sql = (
        f"WITH written AS ({rest.sql})"
        f" INSERT INTO {StateChange._meta.db_table} (subject_id, {', '.join(entry)})"
        f" SELECT id, {', '.join(['%s'] * len(entry))} FROM written ORDER BY id"
        " RETURNING subject_id"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [*rest.parameters, *entry.values()])
        return [row_id for (row_id,) in cursor.fetchall()]
