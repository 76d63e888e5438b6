"""The API token (JWT) of the bearer variant, read only to warn before it ends."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime


def token_expires_at(token: str) -> datetime | None:
    """Return when the token ends, None if it does not say so or is not a JWT. Verifies nothing."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = json.loads(base64.urlsafe_b64decode(padded))
        return datetime.fromtimestamp(int(claims["exp"]), UTC)
    except (ValueError, KeyError, TypeError, OverflowError, OSError):
        return None
