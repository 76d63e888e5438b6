"""A signed event of our own to our own webhook: it goes the whole way, and is about nothing."""

import uuid
from datetime import datetime

import requests

from billing.gateways.base import Rehearsal
from billing.models import GatewayEvent

TIMEOUT_SECONDS = 5


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """Return the status that the address answers. Speaks HTTP; raises requests' exceptions."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            url, data=body, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
    return answer.status_code


def arrives(gateway: Rehearsal, url: str, *, at: datetime) -> bool:
    """Send a signed event about no payment, and say whether it was taken and stored.

    Speaks HTTP; raises requests' exceptions. The worker ignores it: no money moves, no order.
    """
    event_id = f"evt_test_{uuid.uuid4().hex}"
    body, headers = gateway.signed_test(event_id, at=at)
    status = post(url, body, headers)
    stored = GatewayEvent.objects.filter(gateway=gateway.code, external_id=event_id)
    return status == 200 and stored.exists()
