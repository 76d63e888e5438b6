"""`python -m billing.gateways.simulator.stripe_like`: the stand-in as a process."""

import os

from ..process import arguments, serve
from .server import StripeLikeServer
from .setup import Setup


def _setup() -> Setup:
    """Secrets may come from the environment, where a process list does not show them."""
    env = os.environ.get
    secret = (env("STRIPE_WEBHOOK_SECRETS", "").split() or [""])[0]
    parser = arguments(
        "billing.gateways.simulator.stripe_like",
        Setup,
        url=env("STRIPE_API_BASE", ""),
        account=env("STRIPE_ACCOUNT", ""),
    )
    parser.add_argument("--key", default=env("STRIPE_SECRET_KEY", ""), help="the shop's secret key")
    parser.add_argument("--secret", default=secret, help="signs the webhooks")
    setup = Setup(**vars(parser.parse_args()))
    if not setup.key or not setup.secret:
        parser.error("a key and a secret are needed")
    return setup


serve(StripeLikeServer(_setup()), name="Stripe stand-in")
