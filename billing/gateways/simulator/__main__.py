"""`python -m billing.gateways.simulator`: the simulated gateway as a process."""

import argparse
import signal
import sys
import threading

from .options import Options
from .server import GatewayServer


def main() -> None:
    """Serve until SIGTERM or SIGINT; says one line when ready."""
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    server = GatewayServer(_options())
    server.start()
    sys.stdout.write(f"Simulated gateway ready at {server.url}\n")
    sys.stdout.flush()
    done.wait()
    server.stop()


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m billing.gateways.simulator")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", required=True, metavar="FILE", help="SQLite file")
    parser.add_argument("--key", required=True, help="the shop's bearer key")
    parser.add_argument("--secret", required=True, help="signs the webhooks")
    parser.add_argument("--webhook-url", required=True, metavar="URL")
    parser.add_argument("--public-url", default="", metavar="URL", help="as browsers reach us")
    parser.add_argument("--host", default=Options.host)
    parser.add_argument("--account", default=Options.account)
    parser.add_argument("--merchant", default=Options.merchant, help="shown on the payment page")
    parser.add_argument("--settle-seconds", type=float, default=Options.settle_seconds)
    return Options(**vars(parser.parse_args()))


main()
