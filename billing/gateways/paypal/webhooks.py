"""Believing a webhook of PayPal by our own check, which its documentation prefers.

Signed are transmission id, time, the id of *our* webhook, and the CRC32 of the raw body, joined by
`|`, with RSA and SHA-256. So a genuine event of another merchant, of another endpoint, or of the
webhook simulator (whose webhook id is the literal WEBHOOK_ID) is none of ours.
"""

import base64
import binascii
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from billing.gateways.base import MAX_BODY, BadWebhook
from billing.gateways.paypal import certificates
from billing.gateways.paypal.chains import Trust
from billing.gateways.signatures import NEWEST_SECONDS, OLDEST_SECONDS

ALGORITHM = "SHA256withRSA"
LONGEST_HEADER = 1000
SIMULATOR = "WEBHOOK_ID"


@dataclass(frozen=True)
class _Transmission:
    id: str
    time: str
    certificate: str
    signature: bytes


def verify(
    body: bytes,
    headers: Mapping[str, str],
    *,
    webhook_ids: Sequence[str],
    trust: Trust,
    at: datetime,
) -> None:
    """Return if the body was signed by PayPal for one of our webhooks near `at`.

    Everything that needs no certificate is checked first, so that nothing is asked for a forgery.
    Raises BadWebhook: oversized, malformed, stale, future, certificate, forged; Unavailable when
    the certificate is not known and cannot be fetched now.
    """
    if len(body) > MAX_BODY:
        raise BadWebhook("oversized")
    sent = _transmission({name.lower(): value for name, value in headers.items()})
    _must_be_fresh(sent.time, at)
    certificates.must_be_allowed(sent.certificate, trust)
    key = certificates.key_of(sent.certificate, trust, at=at)
    crc = zlib.crc32(body)
    signed = [f"{sent.id}|{sent.time}|{webhook_id}|{crc}" for webhook_id in webhook_ids]
    if not any(_signs(key, sent.signature, each.encode()) for each in signed):
        raise BadWebhook("forged")


def _transmission(headers: Mapping[str, str]) -> _Transmission:
    names = ("id", "time", "sig")
    found = [headers.get(f"paypal-transmission-{name}", "") for name in names]
    found += [headers.get("paypal-cert-url", ""), headers.get("paypal-auth-algo", "")]
    if not all(each and each.isascii() and len(each) <= LONGEST_HEADER for each in found):
        raise BadWebhook("malformed")
    transmission_id, time, signature, certificate, algorithm = found
    if algorithm != ALGORITHM or "|" in transmission_id + time:
        raise BadWebhook("malformed")
    try:
        raw = base64.b64decode(signature, validate=True)
    except binascii.Error as error:
        raise BadWebhook("malformed") from error
    return _Transmission(transmission_id, time, certificate, raw)


def _must_be_fresh(time: str, at: datetime) -> None:
    try:
        sent_at = datetime.fromisoformat(time.replace("Z", "+00:00"))
        age_seconds = (at - sent_at).total_seconds()
    except (ValueError, TypeError) as error:
        raise BadWebhook("malformed") from error
    if age_seconds > OLDEST_SECONDS:
        raise BadWebhook("stale")
    if age_seconds < -NEWEST_SECONDS:
        raise BadWebhook("future")


def _signs(key: RSAPublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True
