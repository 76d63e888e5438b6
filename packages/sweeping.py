"""Do something for each row that waits; one that fails must not hold up the others."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import structlog

log = structlog.get_logger()
Row = TypeVar("Row")


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
