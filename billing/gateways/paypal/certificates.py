"""The certificates that PayPal signs its webhooks with: from where they may come.

https://developer.paypal.com/api/rest/webhooks/rest/ (read November 2026). A webhook names the
address of its certificate, so whoever sends one would choose it: only PayPal's own addresses are
asked. What comes from there is believed by its chain (chains.py).
"""

import re
import threading
import time
from dataclasses import dataclass
from datetime import datetime

import requests
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from billing.gateways.base import BadWebhook, Unavailable
from billing.gateways.paypal import chains
from billing.gateways.paypal.chains import Trust

ADDRESS = re.compile(r"(https?://[a-z0-9.:-]+)/v1/notifications/certs/[A-Za-z0-9_-]{1,100}")
LIVE_ORIGINS = frozenset({"https://api.paypal.com", "https://api-m.paypal.com"})
TEST_ORIGINS = frozenset({"https://api.sandbox.paypal.com", "https://api-m.sandbox.paypal.com"})
NAME, TEST_NAME = (
    "messageverificationcerts.paypal.com",
    "messageverificationcerts.sandbox.paypal.com",
)
# Who signs PayPal's certificates serves its own here; a leaf that names another issuer is not ours.
ISSUERS = frozenset({"http://cacerts.digicert.com", "https://cacerts.digicert.com"})
LARGEST = 64 * 1024
TIMEOUT_SECONDS = (2, 3)
# There are a few certificates in a year. Asking for more, or again at once, is somebody's game.
MOST_KEPT, MOST_ASKED, WINDOW_SECONDS = 16, 6, 60


@dataclass(frozen=True)
class _Known:
    key: RSAPublicKey
    not_before: datetime
    not_after: datetime


_known: dict[tuple[str, Trust], _Known] = {}
_asked: list[float] = []
_lock, _fetching = threading.Lock(), threading.Lock()


def must_be_allowed(url: str, trust: Trust) -> None:
    """Raise BadWebhook for any other address than those of `trust`; asks nobody."""
    found = ADDRESS.fullmatch(url)
    if found is None or found[1] not in trust.origins:
        raise BadWebhook("certificate")


def key_of(url: str, trust: Trust, *, at: datetime) -> RSAPublicKey:
    """The key in the certificate at an allowed address; fetched once, then kept by this process.

    Raises BadWebhook for a certificate that is not to be believed at that instant, Unavailable when
    it cannot be fetched now.
    """
    must_be_allowed(url, trust)
    if known := _kept(url, trust, at=at):
        return known.key
    # Webhooks come at once, and their certificate is the same: who waits finds it.
    if not _fetching.acquire(timeout=sum(TIMEOUT_SECONDS)):
        raise Unavailable("its certificate is just being fetched")
    try:
        known = _kept(url, trust, at=at) or _keep(url, trust, at=at)
    finally:
        _fetching.release()
    return known.key


def _kept(url: str, trust: Trust, *, at: datetime) -> _Known | None:
    with _lock:
        known = _known.get((url, trust))
    return known if known and known.not_before <= at <= known.not_after else None


def _keep(url: str, trust: Trust, *, at: datetime) -> _Known:
    known = _believed(_fetched(url), trust, at=at)
    with _lock:
        while len(_known) >= MOST_KEPT:
            del _known[next(iter(_known))]
        _known[url, trust] = known
    return known


def forget() -> None:
    """Drop what this process keeps."""
    with _lock:
        _known.clear()
        _asked.clear()
    chains.forget()


def _fetched(url: str) -> bytes:
    _must_be_seldom()
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(url, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True)
            content = answer.raw.read(LARGEST + 1, decode_content=True)
    except (requests.RequestException, OSError) as error:
        raise Unavailable(type(error).__name__) from error
    if answer.status_code != 200:
        # PayPal serves what it signed with: an unknown one is nobody's. Anything else may pass.
        if 400 <= answer.status_code < 500 and answer.status_code != 429:
            raise BadWebhook("certificate")
        raise Unavailable(f"status {answer.status_code} for a certificate")
    return bytes(content)


def _must_be_seldom() -> None:
    """No sender of webhooks decides how often we speak to PayPal."""
    now = time.monotonic()
    with _lock:
        _asked[:] = [then for then in _asked if now - then < WINDOW_SECONDS]
        if len(_asked) >= MOST_ASKED:
            raise Unavailable("too many certificates were asked for")
        _asked.append(now)


def _believed(content: bytes, trust: Trust, *, at: datetime) -> _Known:
    leaf = chains.checked(content[:LARGEST], trust, at=at, fetch=_fetched)
    key = leaf.public_key()
    assert isinstance(key, RSAPublicKey), "Others are not believed."
    return _Known(key, leaf.not_valid_before_utc, leaf.not_valid_after_utc)
