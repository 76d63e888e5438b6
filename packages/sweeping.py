"""Do something for each row that waits; one that fails must not hold up the others."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TypeVar

import structlog
from django.db import transaction
from django.db.models import Model, QuerySet

log = structlog.get_logger()
Row = TypeVar("Row")
Stored = TypeVar("Stored", bound=Model)


def each(rows: Iterable[Row], do: Callable[[Row], object]) -> None:
    """Call `do` with every row; log what goes wrong, and raise the first of it at the end."""
    first: Exception | None = None
    for row in rows:
        try:
            do(row)
        # The edge of a sweep: the fault is logged here and raised when the others are done.
        except Exception as error:  # noqa: BLE001
            log.exception("sweep.fault", row=str(getattr(row, "pk", row)))
            first = first or error
    if first is not None:
        raise first


def waiting(rows: QuerySet[Stored]) -> list[Stored]:
    """Return the rows, after asking whether there are any.

    Most days bring none, and Django takes several times longer to name all columns of a query than
    to ask that question.
    """
    return list(rows) if rows.exists() else []


def within(rows: Iterable[Row], *, seconds: float) -> Iterator[Row]:
    """Yield the rows until so many seconds have passed; what is left waits for the next sweep."""
    limit = time.monotonic() + seconds
    for row in rows:
        yield row
        if time.monotonic() > limit:
            log.warning("sweep.cut_short", after=str(getattr(row, "pk", row)))
            return


@dataclass(slots=True)
class Quarantine:
    """Keeps the items of a run that failed, so that the others go on; staff read `faults`."""

    faults: list[dict[str, str]] = field(default_factory=list)

    @contextmanager
    def item(self, name: str) -> Iterator[None]:
        """Contain what goes wrong inside; it is logged and kept under the item's name.

        Inside of a transaction (a preview) the item is a savepoint, so that the rest goes on.
        """
        inside = transaction.get_connection().in_atomic_block
        try:
            with transaction.atomic() if inside else nullcontext():
                yield
        # The edge of a run: the fault is logged and stored with the run, and tried again later.
        except Exception as error:  # noqa: BLE001
            log.exception("run.fault", item=name)
            self.faults.append({"item": name, "error": f"{type(error).__name__}: {error}"[:300]})


def contained(quarantine: Quarantine | None, name: str) -> AbstractContextManager[None]:
    """Contain what goes wrong with the item where there is a quarantine; else it raises."""
    return quarantine.item(name) if quarantine is not None else nullcontext()
