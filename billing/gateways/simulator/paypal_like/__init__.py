"""A server shaped like PayPal's documented API, for training, demos and tests. No money moves.

`python -m billing.gateways.simulator.paypal_like`; `PayPalLike` runs it inside a test's process. It
keeps PayPal's rules that matter to a shop: tokens that end, request ids, orders that are approved
on a page and captured by the shop, declined and pending sources, a vault, refunds with a ceiling,
disputes, a transaction search, and webhooks signed with a certificate of its own chain.
"""

from pathlib import Path
from typing import Any

from .books import Thing
from .server import PayPalLikeServer
from .setup import Setup
from .signing import Signer

__all__ = ["PayPalLike", "Setup", "Signer"]


class PayPalLike:
    """A running stand-in. It keeps its memory until `stop`."""

    def __init__(self, server: PayPalLikeServer) -> None:
        self._server = server
        self.url = server.url

    @classmethod
    def start(cls, *, webhook_url: str, roots: Path, **setup: Any) -> "PayPalLike":
        """Run one on a free port; what signs its certificate is written to `roots`."""
        quick = {"retry_seconds": 0.05, "settle_seconds": 0.2} | setup
        server = PayPalLikeServer(Setup(webhook_url=webhook_url, roots=str(roots), **quick))
        server.start()
        return cls(server)

    @property
    def signer(self) -> Signer:
        """What signs its webhooks, and serves the certificate for that."""
        return self._server.machine.signer

    def present(self, signer: Signer) -> None:
        """Serve and sign by another certificate from now on."""
        signer.base = self.url
        self._server.machine.signer = signer

    def foreign(self, word: str, *, days_ago: int = 0) -> str:
        """Let another program be paid at the account, with no order; return the transaction."""
        with self._server.machine.rules() as bank:
            amount = {"currency_code": "EUR", "value": "7.00"}
            at = bank.at - days_ago * 86_400
            made = bank.books.add(
                "capture", at=at, status="COMPLETED", amount=amount, custom_id=word, order=""
            )
            return str(made["id"])

    def stop(self) -> None:
        """End it; nothing is delivered afterwards."""
        self._server.stop()

    def log(self) -> dict[str, list[dict[str, Any]]]:
        """The truth beside the objects: events, deliveries, attempts and calls."""
        return self._server.log()

    def __getitem__(self, kind: str) -> list[Thing]:
        """All objects of a kind (`order`, `capture`, `refund`, …), oldest first."""
        return self._server.machine.books.all(kind)
