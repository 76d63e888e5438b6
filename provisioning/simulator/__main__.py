"""The simulator as a process: one line when ready, a clean end on SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading

from provisioning.simulator.simulator import Simulator


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    simulator = Simulator.start(
        profile=options.profile,
        password=options.password,
        host=options.host,
        port=options.port,
        data=options.data,
        currency=options.currency,
    )
    sys.stdout.write(f"Dialler simulator ready at {simulator.url} (admin login: admin)\n")
    sys.stdout.flush()
    ended.wait()
    simulator.close()
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m provisioning.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--data", default=":memory:", help="SQLite file, or :memory:")
    parser.add_argument("--profile", choices=("legacy", "current", "both"), default="both")
    parser.add_argument("--currency", default="EUR", help="the one currency of all balances")
    parser.add_argument(
        "--password",
        default=os.environ.get("SIMULATOR_PASSWORD", "simulator"),
        help="of the user admin; SIMULATOR_PASSWORD sets it too, unseen in the process list",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
