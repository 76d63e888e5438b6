"""Calls to Stripe, and whose turn it is when one fails."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import requests
import stripe

from billing.gateways.base import GatewayRefused, PayerGone, Unavailable

# Seconds to connect and to wait for the next byte.
TIMEOUT_SECONDS = (5, 10)
# Far above some days of a large shop: the oldest of a list that is cut would never be read.
MOST_LISTED = 100_000
# These say for certain that nothing was done, and that asking the same again is pointless.
REFUSALS = (stripe.InvalidRequestError, stripe.AuthenticationError, stripe.PermissionError)


def connect(secret_key: str, *, base: str, timeout: tuple[int, int]) -> stripe.StripeClient:
    """A client of our own: no retries behind our back, no telemetry, no proxy of the environment.

    Telemetry is the one thing the package asks a global about; it would also write a file into the
    home directory.
    """
    stripe.enable_telemetry = False
    session = requests.Session()
    session.trust_env = False
    return stripe.StripeClient(
        secret_key,
        base_addresses={"api": base} if base else None,
        max_network_retries=0,
        http_client=stripe.RequestsClient(timeout=timeout, session=session),
    )


@contextmanager
def judged() -> Iterator[None]:
    """Tell refused and unknown apart; a declined card (CardError) is the caller's to read."""
    try:
        yield
    except stripe.CardError:
        raise
    except stripe.IdempotencyError as error:
        # 409: the same key is being worked on just now. 400: it was used for something else.
        if error.http_status == 409:
            raise Unavailable(_told(error)) from error
        raise GatewayRefused(_told(error)) from error
    except REFUSALS as error:
        refused = PayerGone if _is_of_customer(error) else GatewayRefused
        raise refused(_told(error)) from error
    except stripe.StripeError as error:
        raise Unavailable(_told(error)) from error


def read(call: Callable[..., Any], *given: Any) -> dict[str, Any]:
    """One answer as plain values. Raises Unavailable, GatewayRefused."""
    with judged():
        return _plain(call(*given))


def every(call: Callable[..., Any], asked: dict[str, Any]) -> list[dict[str, Any]]:
    """All pages of a list, newest first. Raises Unavailable, GatewayRefused."""
    found: list[dict[str, Any]] = []
    with judged():
        for each in call({"limit": 100, **asked}).auto_paging_iter():
            found.append(_plain(each))
            if len(found) == MOST_LISTED:
                break
    return found


def missing(error: GatewayRefused) -> bool:
    """Whether Stripe knows no such object."""
    cause = error.__cause__
    return isinstance(cause, stripe.InvalidRequestError) and cause.code == "resource_missing"


def too_small(error: GatewayRefused) -> bool:
    """Whether Stripe takes no sum as small, which depends on the currency that it pays out in."""
    cause = error.__cause__
    return isinstance(cause, stripe.InvalidRequestError) and cause.code == "amount_too_small"


def invalid(error: GatewayRefused) -> bool:
    """Whether Stripe says that the object is not in a state for it."""
    return isinstance(error.__cause__, stripe.InvalidRequestError)


def of_error(error: stripe.CardError) -> dict[str, Any]:
    """The `error` of an answer 402, with the PaymentIntent it left behind, if any."""
    body: Any = error.json_body
    return dict(body["error"]) if isinstance(body, dict) and "error" in body else {}


def _is_of_customer(error: stripe.StripeError) -> bool:
    """Whether Stripe knows no such customer any more: deleted in the Dashboard, or by its API."""
    missing = error.code == "resource_missing"
    return missing and getattr(error, "param", None) == "customer"


def _plain(resource: Any) -> dict[str, Any]:
    return dict(resource.to_dict(for_json=True))


def _told(error: stripe.StripeError) -> str:
    """Code and request id: enough to find it in the Dashboard, and no secret."""
    kind = f"{type(error).__name__} {error.http_status or ''}".strip()
    return f"{kind}: {error.code or 'no code'}, {error.request_id or 'no request id'}"
