"""The simulated gateway: hosted payment page, API, signed webhooks, and trouble on demand.

A program of its own (`python -m billing.gateways.simulator`) that shares nothing with the shop
but HTTP; `GatewaySimulator` runs the same inside a test's process.
"""

from typing import Any

from .controls import truth
from .server import GatewayServer
from .setup import KeyedSetup
from .signing import signed

__all__ = ["GatewaySimulator", "KeyedSetup", "signed"]


class GatewaySimulator:
    """A running simulated gateway. It keeps its memory until `stop`."""

    def __init__(self, server: GatewayServer) -> None:
        self._server = server
        self.url = server.url

    @classmethod
    def start(cls, *, webhook_url: str, key: str, secret: str, **setup: Any) -> "GatewaySimulator":
        """Run one on a free port; `setup` are the other fields of KeyedSetup."""
        quick = {"retry_seconds": 0.05, "settle_seconds": 0.2} | setup
        server = GatewayServer(KeyedSetup(webhook_url=webhook_url, key=key, secret=secret, **quick))
        server.start()
        return cls(server)

    def stop(self) -> None:
        """End it; nothing is delivered afterwards."""
        self._server.stop()

    def log(self) -> dict[str, list[dict[str, Any]]]:
        """The truth: payments, charges, refunds, events, deliveries, attempts, calls, methods."""
        return truth(self._server.machine)
