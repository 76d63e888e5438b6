"""One way to change a state: check the move, save it, and leave a row saying who, when and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import models

from packages.rows import insert

Moves = Mapping[str, frozenset[str]]


class IllegalMove(Exception):
    """The table of allowed moves does not contain this one; nothing was changed."""


class StateChange(models.Model):
    """One step in the life of a row; never changed, never deleted (a trigger sees to it)."""

    subject = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    before = models.CharField(max_length=20, blank=True)
    after = models.CharField(max_length=20)
    actor = models.CharField(max_length=80)
    reason = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["subject", "subject_id", "id"])]
        ordering = ["id"]

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

        Needs an open transaction and the row's lock; writes one StateChange beside it.
        """
        before = self.state
        if state not in self.MOVES.get(before, frozenset()):
            raise IllegalMove(f"{self._meta.model_name} {self.pk}: {before} → {state}")
        self.state = state
        self.save(update_fields=["state", *also])
        record_change(self, before=before, at=at, actor=actor, reason=reason)


def record_change(row: Stateful, *, before: str, at: datetime, actor: str, reason: str) -> None:
    """Leave the row's history entry; `before` is empty for a row's first state."""
    record_changes([row], before=before, at=at, actor=actor, reason=reason)


def record_changes(
    rows: Sequence[Stateful], *, before: str, at: datetime, actor: str, reason: str
) -> None:
    """Leave a history entry for each row, all in one statement."""
    insert(
        StateChange(
            subject=row._meta.model_name or "",
            subject_id=row.pk,
            before=before,
            after=row.state,
            actor=actor[:80],
            reason=reason[:300],
            at=at,
        )
        for row in rows
    )


def history_of(row: Stateful) -> models.QuerySet[StateChange]:
    return StateChange.objects.filter(subject=row._meta.model_name, subject_id=row.pk)
