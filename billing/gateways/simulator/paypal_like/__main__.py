"""`python -m billing.gateways.simulator.paypal_like`: the stand-in as a process."""

import argparse
import os
import signal
import sys
import threading

from .server import PayPalLikeServer
from .setup import Setup


def main() -> None:
    """Serve until SIGTERM or SIGINT; says one line when ready."""
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    server = PayPalLikeServer(_setup())
    server.start()
    sys.stdout.write(f"PayPal stand-in ready at {server.url}\n")
    sys.stdout.flush()
    done.wait()
    server.stop()


def _setup() -> Setup:
    """Secrets may come from the environment, where a process list does not show them."""
    env = os.environ.get
    webhook_id = (env("PAYPAL_WEBHOOK_IDS", "").split() or [Setup.webhook_id])[0]
    parser = argparse.ArgumentParser(prog="python -m billing.gateways.simulator.paypal_like")
    add = parser.add_argument
    add("--port", type=int, required=True)
    add("--data", required=True, metavar="FILE", help="SQLite file")
    add("--roots", default=env("PAYPAL_ROOTS", ""), metavar="FILE", help="written: whom to trust")
    add("--client-id", default=env("PAYPAL_CLIENT_ID", Setup.client_id))
    add("--client-secret", default=env("PAYPAL_CLIENT_SECRET", ""))
    add("--webhook-id", default=webhook_id)
    add("--webhook-url", required=True, metavar="URL")
    add("--public-url", default=env("PAYPAL_API_BASE", ""), help="as browsers reach us")
    add("--host", default=Setup.host)
    add("--account", default=env("PAYPAL_ACCOUNT", Setup.account))
    add("--merchant", default=Setup.merchant, help="shown on the payment page")
    add("--settle-seconds", type=float, default=Setup.settle_seconds)
    setup = Setup(**vars(parser.parse_args()))
    if not setup.client_secret or not setup.roots:
        parser.error("a client secret and a file for the root certificate are needed")
    return setup


main()
