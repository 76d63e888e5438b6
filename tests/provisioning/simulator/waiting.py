"""Waiting for something to become true, with a limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


def eventually(condition: Callable[[], bool], *, within_seconds: float = 5.0) -> bool:
    """Return whether the condition came true in time."""
    pause, ends_at = threading.Event(), time.monotonic() + within_seconds
    while not condition():
        if time.monotonic() > ends_at:
            return False
        pause.wait(0.01)
    return True
