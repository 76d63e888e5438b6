"""The stand-in for PayPal, and a shop that has an account there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.test import override_settings

from billing.gateways.paypal import certificates
from billing.gateways.paypal.client import Client
from billing.gateways.simulator.paypal_like import PayPalLike, Setup
from billing.models import PaymentMethod
from provisioning import vault
from tests.story import Gateway

NOWHERE = "http://127.0.0.1:9/"
WEBHOOK_ID, MERCHANT = Setup.webhook_id, Setup.account


def account(url: str, roots: Path | str = "", **changes: Any) -> dict[str, Any]:
    """The settings of an account whose API is at `url`."""
    return {
        "kind": "paypal",
        "environment": "sandbox",
        "client_id": Setup.client_id,
        "client_secret": "secret-of-the-client",
        "webhook_ids": [WEBHOOK_ID, "BEFORETHEROTATION"],
        "account": MERCHANT,
        "label": "",
        "currencies": None,
        "api_base": url,
        "roots": str(roots),
        "page_origin": url,
        **changes,
    }


@contextmanager
def running(webhook_url: str = NOWHERE, **setup: Any) -> Iterator[tuple[PayPalLike, Path]]:
    """Run the stand-in; yield it and where its root certificate is."""
    with tempfile.TemporaryDirectory() as folder:
        roots = Path(folder) / "roots.pem"
        stand_in = PayPalLike.start(webhook_url=webhook_url, roots=roots, **setup)
        certificates.forget()
        Client.forget_tokens()
        yield stand_in, roots
        stand_in.stop()


@contextmanager
def offered(webhook_url: str = NOWHERE, **setup: Any) -> Iterator[PayPal]:
    """Run the stand-in and let the shop offer it under the code `paypal`."""
    with running(webhook_url, **setup) as (stand_in, roots):
        accounts = {"paypal": account(stand_in.url, roots)}
        with override_settings(GATEWAY_ACCOUNTS=accounts):
            yield PayPal(stand_in)


class PayPal(Gateway):
    """Its hidden levers, named as those of the simulated gateway are."""

    simulator: PayPalLike  # type: ignore[assignment]

    def __init__(self, stand_in: PayPalLike) -> None:
        super().__init__(stand_in)  # type: ignore[arg-type]

    def captured(self) -> list[str]:
        """The sums that money really moved by, in the order it did."""
        return [each["amount"]["value"] for each in self.simulator["capture"]]

    def later(self, method: PaymentMethod, issue: str) -> None:
        """Let the next charges of a kept method be declined so."""
        token = vault.unseal(method.token_sealed, purpose=method.purpose)
        self.control(f"methods/{token}", later=issue)
