"""API keys as the server issues them: RS256 tokens with the claims seen in the wild."""

from __future__ import annotations

import base64
import json
import sqlite3
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from provisioning.simulator.outcomes import Unauthorised
from provisioning.simulator.store import keep_setting, setting

LIFETIME_DAYS = 720


def issue(db: sqlite3.Connection, identity: int, *, at: datetime, days: int = LIFETIME_DAYS) -> str:
    """Return a token that acts for the account; negative `days` make one that has ended."""
    begins, ends = min(at, at + timedelta(days=days)), at + timedelta(days=days)
    claims = {
        "iss": None,
        "aud": "ICTBroadcast API Clients",
        "iat": int(begins.timestamp()),
        "nbf": int(begins.timestamp()),
        "exp": int(ends.timestamp()),
        "user_id": str(identity),
    }
    signed = f"{_part({'typ': 'JWT', 'alg': 'RS256'})}.{_part(claims)}"
    signature = _key(db).sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{_encoded(signature)}"


def account_id(db: sqlite3.Connection, token: str, *, at: datetime) -> str:
    """Return whom the token acts for; raise Unauthorised if it is not ours or not valid now."""
    signed, _, signature = token.rpartition(".")
    try:
        public = _key(db).public_key()
        public.verify(_decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        claims = json.loads(_decoded(signed.partition(".")[2]))
        valid = int(claims["nbf"]) <= at.timestamp() < int(claims["exp"])
    except (ValueError, KeyError, InvalidSignature):
        raise Unauthorised("Invalid token") from None
    if not valid:
        raise Unauthorised("Expired token")
    return str(claims["user_id"])


def _key(db: sqlite3.Connection) -> rsa.RSAPrivateKey:
    kept = setting(db, "token_key")
    if kept is None:
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        kept = made.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
        keep_setting(db, "token_key", kept)
    return _loaded(kept)


@lru_cache(maxsize=8)
def _loaded(pem: str) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def _part(value: dict[str, Any]) -> str:
    return _encoded(json.dumps(value, separators=(",", ":")).encode())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
