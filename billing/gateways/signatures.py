"""Believing a signed body: size, HMAC over time and raw bytes, age, strict JSON."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NoReturn

from billing.gateways.base import MAX_BODY, BadWebhook

OLDEST_SECONDS = 300
NEWEST_SECONDS = 60


def usable(secrets: Sequence[str]) -> list[bytes]:
    """The signing secrets as bytes. Raises ValueError if there is none or an empty one."""
    if isinstance(secrets, str) or not secrets or not all(secrets):
        raise ValueError("a gateway needs a list of webhook secrets, none of them empty")
    return [secret.encode() for secret in secrets]


def verify(
    body: bytes, header: str, *, secrets: Sequence[bytes], at: datetime, most: int = MAX_BODY
) -> None:
    """Return if `header` (`t=<unix>,v1=<hex>[,v1=…]`) signs `body` with one of `secrets` near `at`.

    `most` is in bytes. Raises BadWebhook: oversized, malformed, forged, stale or future.
    """
    if len(body) > most:
        raise BadWebhook("oversized")
    signed_at, offered = _parsed(header)
    expected = [_hmac(secret, signed_at, body) for secret in secrets]
    # Every pair is compared, so the time taken does not tell which secret nearly matched.
    if not sum(hmac.compare_digest(a, b) for a in expected for b in offered):
        raise BadWebhook("forged")
    age_seconds = at.timestamp() - int(signed_at)
    if age_seconds > OLDEST_SECONDS:
        raise BadWebhook("stale")
    if age_seconds < -NEWEST_SECONDS:
        raise BadWebhook("future")


def sign(body: bytes, *, secret: str, at: datetime) -> str:
    """Return the header with which somebody else can believe a body of ours, as `verify` does."""
    signed_at = str(int(at.timestamp()))
    return f"t={signed_at},v1={_hmac(secret.encode(), signed_at, body).decode()}"


def strict_json(body: bytes) -> dict[str, Any]:
    """The object in `body`. Raises BadWebhook("malformed") for anything but one plain object."""
    try:
        value = json.loads(body.decode(), parse_constant=_refused, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise BadWebhook("malformed") from error
    if not isinstance(value, dict):
        raise BadWebhook("malformed")
    return value


def _parsed(header: str) -> tuple[str, list[bytes]]:
    if len(header) > 1000 or not header.isascii():
        raise BadWebhook("malformed")
    pairs = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    offered = [value.encode() for name, _, value in pairs if name == "v1"]
    if len(times) != 1 or not offered or not times[0].isdigit() or len(times[0]) > 12:
        raise BadWebhook("malformed")
    return times[0], offered


def _hmac(secret: bytes, signed_at: str, body: bytes) -> bytes:
    return hmac.new(secret, signed_at.encode() + b"." + body, hashlib.sha256).hexdigest().encode()


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name appears twice")
    return found
