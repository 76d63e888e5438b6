"""`python -m billing.gateways.simulator`: the simulated gateway as a process."""

import argparse
import os
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
    """Secrets may come from the environment, where a process list does not show them."""
    env = os.environ.get
    secret = (env("SIMULATED_GATEWAY_SECRET", "").split() or [""])[0]
    parser = argparse.ArgumentParser(prog="python -m billing.gateways.simulator")
    add = parser.add_argument
    add("--port", type=int, required=True)
    add("--data", required=True, metavar="FILE", help="SQLite file")
    add("--key", default=env("SIMULATED_GATEWAY_KEY", ""), help="the shop's bearer key")
    add("--secret", default=secret, help="signs the webhooks")
    add("--webhook-url", required=True, metavar="URL")
    add("--public-url", default=env("SIMULATED_GATEWAY_URL", ""), help="as browsers reach us")
    add("--host", default=Options.host)
    add("--account", default=env("SIMULATED_GATEWAY_ACCOUNT", Options.account))
    add("--merchant", default=Options.merchant, help="shown on the payment page")
    add("--settle-seconds", type=float, default=Options.settle_seconds)
    options = Options(**vars(parser.parse_args()))
    if not options.key or not options.secret:
        parser.error("a key and a secret are needed")
    return options


main()
