"""`python -m billing.gateways.simulator.stripe_like`: the stand-in as a process."""

import argparse
import os
import signal
import sys
import threading

from .server import StripeLikeServer
from .setup import Setup


def main() -> None:
    """Serve until SIGTERM or SIGINT; says one line when ready."""
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    server = StripeLikeServer(_setup())
    server.start()
    sys.stdout.write(f"Stripe stand-in ready at {server.url}\n")
    sys.stdout.flush()
    done.wait()
    server.stop()


def _setup() -> Setup:
    """Secrets may come from the environment, where a process list does not show them."""
    env = os.environ.get
    secret = (env("STRIPE_WEBHOOK_SECRETS", "").split() or [""])[0]
    parser = argparse.ArgumentParser(prog="python -m billing.gateways.simulator.stripe_like")
    add = parser.add_argument
    add("--port", type=int, required=True)
    add("--data", required=True, metavar="FILE", help="SQLite file")
    add("--key", default=env("STRIPE_SECRET_KEY", ""), help="the shop's secret key")
    add("--secret", default=secret, help="signs the webhooks")
    add("--webhook-url", required=True, metavar="URL")
    add("--public-url", default=env("STRIPE_API_BASE", ""), help="as browsers reach us")
    add("--host", default=Setup.host)
    add("--account", default=env("STRIPE_ACCOUNT", Setup.account))
    add("--merchant", default=Setup.merchant, help="shown on the payment page")
    add("--settle-seconds", type=float, default=Setup.settle_seconds)
    setup = Setup(**vars(parser.parse_args()))
    if not setup.key or not setup.secret:
        parser.error("a key and a secret are needed")
    return setup


main()
