"""How Stripe signs. Apart from the adapter's check, so that each tests the other."""

import hashlib
import hmac


def signed(body: bytes, secret: str, at: float) -> dict[str, str]:
    """The headers of a webhook with `body`, signed with `secret` at the unix time `at`."""
    stamp = str(int(at))
    mac = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256)
    return {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": f"t={stamp},v1={mac.hexdigest()}",
    }
