"""`python -m billing.gateways.simulator`: the simulated gateway as a process."""

import os

from .process import arguments, serve
from .server import GatewayServer
from .setup import KeyedSetup


def _setup() -> KeyedSetup:
    """Secrets may come from the environment, where a process list does not show them."""
    env = os.environ.get
    secret = (env("SIMULATED_GATEWAY_SECRET", "").split() or [""])[0]
    parser = arguments(
        "billing.gateways.simulator",
        KeyedSetup,
        url=env("SIMULATED_GATEWAY_URL", ""),
        account=env("SIMULATED_GATEWAY_ACCOUNT", ""),
    )
    parser.add_argument("--key", default=env("SIMULATED_GATEWAY_KEY", ""), help="the shop's key")
    parser.add_argument("--secret", default=secret, help="signs the webhooks")
    setup = KeyedSetup(**vars(parser.parse_args()))
    if not setup.key or not setup.secret:
        parser.error("a key and a secret are needed")
    return setup


serve(GatewayServer(_setup()), name="Simulated gateway")
