"""Wait for a client's bytes so long and no longer.

gunicorn's threads read a body without any limit of time, so a handful of clients that send slowly
would hold all of them. A proxy that takes a request in before it passes it on is the remedy for
forms and headers; a door that anybody may knock at has this one as well.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from time import monotonic

LOOK_SECONDS = 1
# What is read from just now, and until when.
_reading: dict[int, tuple[socket.socket, float]] = {}


@contextmanager
def at_most(seconds: int, line: socket.socket | None) -> Iterator[None]:
    """End the line's incoming side if this takes longer: whoever reads gets what came by then.

    An answer can still be sent. Without a line (another server than gunicorn) nothing is limited.
    """
    if line is None:
        yield
        return
    _watcher(os.getpid())
    _reading[id(line)] = line, monotonic() + seconds
    try:
        yield
    finally:
        _reading.pop(id(line), None)


@lru_cache(maxsize=2)
def _watcher(process_id: int) -> threading.Thread:
    """Return this process's watcher; a thread does not outlive a fork."""
    thread = threading.Thread(target=_watch, name="patience", daemon=True)
    thread.start()
    return thread


def _watch() -> None:
    pause = threading.Event()
    while True:
        pause.wait(LOOK_SECONDS)
        for line, until in list(_reading.values()):
            if monotonic() > until:
                with suppress(OSError):
                    line.shutdown(socket.SHUT_RD)
