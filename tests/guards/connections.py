"""Further real connections to the test database: what another process would be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any, TypeVar

from django.db import connection, connections

T = TypeVar("T")


@contextmanager
def beside() -> Iterator[Any]:
    """Open a transaction on a second connection and give its cursor; roll back in the end."""
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            yield cursor
        other.rollback()
    finally:
        other.close()


def together(work: Callable[[int], T], count: int) -> Sequence[T | Exception]:
    """Call `work(0)` … `work(count - 1)` at the same moment, each on a connection of its own.

    Returns what each call returned or raised, in order.
    """
    gate = Barrier(count)

    def one(index: int) -> T | Exception:
        try:
            # The connection exists before the start, so that all really begin together.
            connection.ensure_connection()
            gate.wait(timeout=20)
            return work(index)
        # The tests assert on what was raised, whatever it is.
        except Exception as error:  # noqa: BLE001
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=count) as pool:
        return list(pool.map(one, range(count)))


@contextmanager
def impatient() -> Iterator[None]:
    """Give up waiting for a lock after 150 milliseconds instead of five seconds."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 150")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")


def said(call: Callable[[], object]) -> str:
    """Call it; return what it raised, empty if nothing."""
    try:
        call()
    # Whatever it is: the test asks only whether it was made to wait.
    except Exception as error:  # noqa: BLE001
        return str(error)
    return ""
