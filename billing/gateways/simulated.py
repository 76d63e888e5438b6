"""The adapter to the simulated gateway (billing/gateways/simulator, a process of its own)."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import requests
from django.conf import settings
from django.utils.translation import gettext_lazy

from billing.gateways import failures, signatures
from billing.gateways import simulated_wire as wire
from billing.gateways.base import (
    BadWebhook,
    Declined,
    GatewayRefused,
    IncomingEvent,
    NotConfigured,
    PaymentRequest,
    PaymentSnapshot,
    PaymentStart,
    RefundSnapshot,
    Unavailable,
)
from packages import clock
from packages.money import Money


class SimulatedGateway:
    """Speaks HTTP to `settings.SIMULATED_GATEWAY["url"]`. Raises NotConfigured without it."""

    code = "simulated"
    livemode = False
    keeps_methods = True
    lag = timedelta(0)
    currencies = None

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        config = config or getattr(settings, "SIMULATED_GATEWAY", None)
        if not config or not config["url"]:
            raise NotConfigured("settings.SIMULATED_GATEWAY has no url")
        self._url: str = config["url"].rstrip("/")
        self._key: str = config["key"]
        self.account: str = config["account"]
        self._timeout_seconds: float = config.get("timeout_seconds", 10)
        self._secrets = signatures.usable(config["secrets"])

    @cached_property
    def name(self) -> str:
        """What customers read, in their language."""
        return str(gettext_lazy("Card (test)"))

    def start_payment(self, request: PaymentRequest) -> PaymentStart:
        """Open a payment on the hosted page; the same key and request give the same one again."""
        answer = self._post("/v1/payments", wire.request(request), key=request.key)
        if wire.payment(answer).key != request.key:
            raise Unavailable("answer about another payment")
        return wire.start(answer)

    def fetch_payment(self, external_id: str) -> PaymentSnapshot:
        """Read one payment."""
        snapshot = _dated(wire.payment(self._get(f"/v1/payments/{_segment(external_id)}")))
        if snapshot.external_id != external_id:
            raise Unavailable("answer about another payment")
        return snapshot

    def charge_saved(self, request: PaymentRequest, method_token: str) -> PaymentSnapshot:
        """Charge a saved card; a decline comes back as a `failed` snapshot with its code."""
        asked = wire.request(request) | {"method": method_token}
        snapshot = _dated(wire.payment(self._post("/v1/charges", asked, key=request.key)))
        if snapshot.key != request.key:
            raise Unavailable("answer about another payment")
        return snapshot

    def refund(self, external_id: str, amount: Money, *, key: str) -> RefundSnapshot:
        """Give back `amount`; the gateway refuses more than was paid."""
        path = f"/v1/payments/{_segment(external_id)}/refunds"
        return wire.refund(self._post(path, {"amount": wire.amount(amount)}, key=key))

    def list_payments(self, since: datetime) -> list[PaymentSnapshot]:
        """Read every page of the list, oldest first."""
        # The gateway lives by the machine's time, of which a demo's shop may be ahead.
        since -= timedelta(days=clock.days_ahead())
        found: list[PaymentSnapshot] = []
        after: int | None = 0
        while after is not None:
            page = self._get("/v1/payments", since=since.timestamp(), after=after)
            found += [_dated(each) for each in wire.payments(page)]
            after = wire.next_page(page, after=after)
        return found

    def verify_webhook(
        self, body: bytes, headers: Mapping[str, str], *, at: datetime
    ) -> IncomingEvent:
        """Check size, signature, age, form, account and mode, in this order."""
        lower = {name.lower(): value for name, value in headers.items()}
        signatures.verify(body, lower.get("simulated-signature", ""), secrets=self._secrets, at=at)
        incoming = wire.event(body)
        if incoming.account != self.account:
            raise BadWebhook("account")
        if incoming.livemode:
            raise BadWebhook("mode")
        return incoming

    def signed_test(self, event_id: str, *, at: datetime) -> tuple[bytes, dict[str, str]]:
        """Sign an event without a payment, as the gateway would, by the machine's time."""
        signed_at = at - timedelta(days=clock.days_ahead())
        event = {
            "id": event_id,
            "type": "test.webhook",
            "created": int(signed_at.timestamp()),
            "livemode": self.livemode,
            "account": self.account,
            "data": {},
        }
        body = json.dumps(event).encode()
        signature = signatures.sign(body, secret=self._secrets[0].decode(), at=signed_at)
        headers = {"Content-Type": "application/json", "Simulated-Signature": signature}
        return body, headers

    def _get(self, path: str, **params: float) -> dict[str, Any]:
        return self._call("GET", path, params=params)

    def _post(self, path: str, asked: dict[str, Any], *, key: str) -> dict[str, Any]:
        return self._call("POST", path, json=asked, headers={"Idempotency-Key": key})

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._key}"} | options.pop("headers", {})
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.request(
                    method,
                    self._url + path,
                    headers=headers,
                    timeout=self._timeout_seconds,
                    allow_redirects=False,
                    **options,
                )
            content = answer.json()
        except (requests.RequestException, RecursionError) as error:
            raise Unavailable(type(error).__name__) from error
        return _judged(answer.status_code, content)


def _dated(told: PaymentSnapshot) -> PaymentSnapshot:
    """Date a payment by the shop's calendar; the gateway's own is the machine's. The two are the
    same but in a demo whose date was moved.
    """
    if told.succeeded_at is None:
        return told
    ahead = timedelta(days=clock.days_ahead())
    return replace(told, succeeded_at=told.succeeded_at + ahead)


def _judged(status: int, content: Any) -> dict[str, Any]:
    """Tell yes, declined and refused apart; whatever is none of them leaves the outcome unknown."""
    if not isinstance(content, dict):
        raise Unavailable(f"status {status} without an object")
    if status in {200, 201} or (status == 402 and "payment" in content):
        return content
    error = content.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    if status == 402 and isinstance(code, str):
        raise Declined(failures.known(code) or "", failures.message(code) or "")
    if status in {400, 401, 403, 404, 409} and isinstance(code, str):
        raise GatewayRefused(f"status {status}: {code}")
    raise Unavailable(f"status {status}")


def _segment(external_id: str) -> str:
    """An id may only ever be one segment of a path, whoever handed it to us."""
    if not external_id.replace("_", "").isalnum() or not external_id.isascii():
        raise GatewayRefused("not an id of this gateway")
    return external_id
