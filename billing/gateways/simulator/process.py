"""A gateway's simulation as a process of its own: its command line, and how it ends."""

import signal
import sys
import threading
from argparse import ArgumentParser
from typing import Protocol

from .setup import Setup


class Serving(Protocol):
    """A server that is bound, and answers between `start` and `stop`."""

    url: str

    def start(self) -> None: ...
    def stop(self) -> None: ...


def arguments(prog: str, setup: type[Setup], *, url: str, account: str) -> ArgumentParser:
    """What every simulation may be told; `url` and `account` are used where nothing is said."""
    parser = ArgumentParser(prog=f"python -m {prog}")
    add = parser.add_argument
    add("--port", type=int, required=True)
    add("--data", required=True, metavar="FILE", help="SQLite file")
    add("--webhook-url", required=True, metavar="URL")
    add("--public-url", default=url, help="as browsers reach us")
    add("--host", default=setup.host)
    add("--account", default=account or setup.account)
    add("--merchant", default=setup.merchant, help="shown on the payment page")
    add("--settle-seconds", type=float, default=setup.settle_seconds)
    return parser


def serve(server: Serving, *, name: str) -> None:
    """Serve until SIGTERM or SIGINT; says one line when ready."""
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    server.start()
    sys.stdout.write(f"{name} ready at {server.url}\n")
    sys.stdout.flush()
    done.wait()
    server.stop()
