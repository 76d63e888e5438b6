"""The stand-in for Stripe, and a shop that has an account there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.test import override_settings

from billing.gateways.simulator.stripe_like import StripeLike
from billing.models import PaymentMethod
from provisioning import vault
from tests.story import Gateway

KEY, SECRET, OLDER = "sk_test_castfront", "whsec_of_the_endpoint", "whsec_before_the_rotation"
NOWHERE = "http://127.0.0.1:9/"


def account(url: str, **changes: Any) -> dict[str, Any]:
    """The settings of an account whose API is at `url`."""
    return {
        "kind": "stripe",
        "secret_key": KEY,
        "webhook_secrets": [SECRET, OLDER],
        "account": "acct_stripelike",
        "label": "",
        "currencies": None,
        "method_configuration": "",
        "api_base": url,
        "page_origin": url,
        **changes,
    }


@contextmanager
def running(webhook_url: str = NOWHERE, **setup: Any) -> Iterator[StripeLike]:
    stand_in = StripeLike.start(webhook_url=webhook_url, key=KEY, secret=SECRET, **setup)
    yield stand_in
    stand_in.stop()


@contextmanager
def offered(webhook_url: str = NOWHERE, **setup: Any) -> Iterator[Stripe]:
    """Run the stand-in and let the shop offer it under the code `stripe`."""
    with running(webhook_url, **setup) as stand_in:
        accounts = {"stripe": account(stand_in.url)}
        with override_settings(GATEWAY_ACCOUNTS=accounts):
            yield Stripe(stand_in)


class Stripe(Gateway):
    """Its hidden levers, named as those of the simulated gateway are."""

    simulator: StripeLike  # type: ignore[assignment]

    def __init__(self, stand_in: StripeLike) -> None:
        super().__init__(stand_in)  # type: ignore[arg-type]

    def charged(self) -> list[int]:
        """The sums that money really moved by, in the order it did."""
        return [each["amount"] for each in self.simulator["charge"] if each["paid"]]

    def later(self, method: PaymentMethod, code: str | None) -> None:
        """Let the next charges of a kept method be declined so."""
        token = vault.unseal(method.token_sealed, purpose=method.purpose)
        self.control(f"methods/{token}", later=code)
