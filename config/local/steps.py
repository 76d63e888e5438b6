"""What the operator sees while things come up: one line per step with its time."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def step(title: str) -> Iterator[None]:
    """Say what is being done, and how long it took once it is done."""
    begun = time.monotonic()
    if sys.stdout.isatty():
        print(f"    {title} ...", end="\r", flush=True)
    yield
    say(f"{title:<44} {time.monotonic() - begun:5.1f} s")


def say(line: str) -> None:
    """Print one line at once, even into a pipe."""
    print(f"    {line}", flush=True)
