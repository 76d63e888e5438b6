"""A server shaped like Stripe's documented API, for training, demos and tests. No money moves.

`python -m billing.gateways.simulator.stripe_like`; `StripeLike` runs it inside a test's process. It
keeps Stripe's rules that matter to a shop: idempotency keys (also of a 500), expiring pages, cards
that decline or ask, debits that take days, refunds with a ceiling, disputes, the balance and its
fees, and webhooks signed, repeated and out of order. Parameters that the official package does not
know are refused, so it cannot drift away from the API it stands in for.
"""

from typing import Any

from .server import StripeLikeServer
from .setup import Setup
from .signing import signed

__all__ = ["Setup", "StripeLike", "signed"]


class StripeLike:
    """A running stand-in. It keeps its memory until `stop`."""

    def __init__(self, server: StripeLikeServer) -> None:
        self._server = server
        self.url = server.url

    @classmethod
    def start(cls, *, webhook_url: str, key: str, secret: str, **setup: Any) -> "StripeLike":
        """Run one on a free port; `setup` are the other fields of Setup."""
        quick = {"retry_seconds": 0.05, "settle_seconds": 0.2} | setup
        server = StripeLikeServer(Setup(webhook_url=webhook_url, key=key, secret=secret, **quick))
        server.start()
        return cls(server)

    def stop(self) -> None:
        """End it; nothing is delivered afterwards."""
        self._server.stop()

    def log(self) -> dict[str, list[dict[str, Any]]]:
        """The truth: every object by its kind, the deliveries, attempts and calls."""
        return self._server.log()

    def __getitem__(self, kind: str) -> list[dict[str, Any]]:
        """All objects of a kind (`charge`, `refund`, …), oldest first."""
        return self._server.machine.books.all(kind)
