"""`python -m billing.gateways.simulator.paypal_like`: the stand-in as a process."""

import os

from ..process import arguments, serve
from .server import PayPalLikeServer
from .setup import Setup


def _setup() -> Setup:
    """Secrets may come from the environment, where a process list does not show them."""
    env = os.environ.get
    webhook_id = (env("PAYPAL_WEBHOOK_IDS", "").split() or [Setup.webhook_id])[0]
    parser = arguments(
        "billing.gateways.simulator.paypal_like",
        Setup,
        url=env("PAYPAL_API_BASE", ""),
        account=env("PAYPAL_ACCOUNT", ""),
    )
    add = parser.add_argument
    add("--roots", default=env("PAYPAL_ROOTS", ""), metavar="FILE", help="written: whom to trust")
    add("--client-id", default=env("PAYPAL_CLIENT_ID", Setup.client_id))
    add("--client-secret", default=env("PAYPAL_CLIENT_SECRET", ""))
    add("--webhook-id", default=webhook_id)
    setup = Setup(**vars(parser.parse_args()))
    if not setup.client_secret or not setup.roots:
        parser.error("a client secret and a file for the root certificate are needed")
    return setup


serve(PayPalLikeServer(_setup()), name="PayPal stand-in")
