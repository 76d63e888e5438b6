"""Which webhooks are believed. Each refusal names its reason and nothing else of the body."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing.gateways.base import MAX_BODY, BadWebhook
from billing.gateways.simulated import SimulatedGateway
from billing.gateways.simulator import signed
from tests.billing.gateways.world import KEY, SECRET

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
OLD_SECRET = "secret-before-rotation"


def endpoint(*secrets: str) -> SimulatedGateway:
    config = {"url": "http://gateway.example", "key": KEY, "account": "demo"}
    return SimulatedGateway(config | {"secrets": list(secrets or [SECRET])})


def body(**changes: Any) -> bytes:
    event = {
        "id": "evt_1",
        "type": "payment.succeeded",
        "created": int(AT.timestamp()),
        "livemode": False,
        "account": "demo",
        "data": {"payment": {"id": "pay_1"}},
    }
    return json.dumps(event | changes).encode()


def reason(content: bytes, headers: dict[str, str], *, at: datetime = AT) -> str:
    with pytest.raises(BadWebhook) as refused:
        endpoint().verify_webhook(content, headers, at=at)
    return refused.value.reason


def test_signed_event_is_believed() -> None:
    content = body()
    event = endpoint().verify_webhook(content, signed(content, SECRET, AT.timestamp()), at=AT)
    assert (event.external_id, event.kind) == ("evt_1", "payment.succeeded")
    assert (event.payment_external_id, event.account) == ("pay_1", "demo")
    assert (event.created_at, event.body, event.livemode) == (AT, content, False)


def test_header_names_match_in_any_case() -> None:
    headers = signed(body(), SECRET, AT.timestamp())
    upper = {name.upper(): value for name, value in headers.items()}
    assert endpoint().verify_webhook(body(), upper, at=AT).external_id == "evt_1"


def test_event_of_unknown_kind_without_payment_is_believed() -> None:
    content = body(type="balance.changed", data={})
    event = endpoint().verify_webhook(content, signed(content, SECRET, AT.timestamp()), at=AT)
    assert event.payment_external_id is None


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_both_secrets_count_during_rotation(secret: str) -> None:
    headers = signed(body(), secret, AT.timestamp())
    event = endpoint(SECRET, OLD_SECRET).verify_webhook(body(), headers, at=AT)
    assert event.external_id == "evt_1"


def test_wrong_secret_is_forged() -> None:
    assert reason(body(), signed(body(), "guessed", AT.timestamp())) == "forged"


def test_one_changed_byte_is_forged() -> None:
    assert reason(body() + b" ", signed(body(), SECRET, AT.timestamp())) == "forged"


def test_changed_time_is_forged() -> None:
    headers = signed(body(), SECRET, AT.timestamp())
    headers["Simulated-Signature"] = headers["Simulated-Signature"].replace("t=1", "t=2", 1)
    assert reason(body(), headers) == "forged"


@pytest.mark.parametrize(
    ("age_seconds", "verdict"), [(301, "stale"), (86_400 * 365, "stale"), (-61, "future")]
)
def test_event_out_of_its_time_is_refused(age_seconds: int, verdict: str) -> None:
    headers = signed(body(), SECRET, AT.timestamp())
    assert reason(body(), headers, at=AT + timedelta(seconds=age_seconds)) == verdict


@pytest.mark.parametrize("age_seconds", [300, 0, -60])
def test_event_within_tolerance_is_believed(age_seconds: int) -> None:
    headers = signed(body(), SECRET, AT.timestamp())
    event = endpoint().verify_webhook(body(), headers, at=AT + timedelta(seconds=age_seconds))
    assert event.external_id == "evt_1"


def test_oversized_body_is_refused_although_signed() -> None:
    content = body(padding="x" * MAX_BODY)
    assert reason(content, signed(content, SECRET, AT.timestamp())) == "oversized"


@pytest.mark.parametrize(
    ("changes", "verdict"), [({"account": "another"}, "account"), ({"livemode": True}, "mode")]
)
def test_event_for_another_endpoint_is_refused(changes: dict[str, Any], verdict: str) -> None:
    content = body(**changes)
    assert reason(content, signed(content, SECRET, AT.timestamp())) == verdict


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[1]",
        b"\xff\xfe",
        b"{" * 100_000,
        b"[" * 100_000,
        b'{"id": NaN}',
        b'{"id": "a", "id": "b"}',
        body(id=7),
        body(id=""),
        body(id="nul\x00"),
        body(id="x" * 256),
        body(type=None),
        body(data=[]),
        body(data={"payment": {}}),
        body(created="yesterday"),
        body(created=10**30),
        body(livemode="false"),
        body(account=None),
    ],
)
def test_signed_nonsense_is_malformed(content: bytes) -> None:
    assert reason(content, signed(content, SECRET, AT.timestamp())) == "malformed"


@pytest.mark.parametrize(
    "header",
    ["", "t=1", "v1=abc", "t=1,t=2,v1=abc", "t=-5,v1=abc", "t=²,v1=abc", "t=" + "9" * 13 + ",v1=a"],
)
def test_nonsense_signature_is_malformed(header: str) -> None:
    assert reason(body(), {"Simulated-Signature": header}) == "malformed"


def test_missing_signature_is_malformed() -> None:
    assert reason(body(), {}) == "malformed"


@pytest.mark.parametrize("secrets", [[], [""], [SECRET, ""], SECRET])
def test_endpoint_without_usable_secret_does_not_start(secrets: Any) -> None:
    config = {"url": "http://gateway.example", "key": KEY, "account": "demo", "secrets": secrets}
    with pytest.raises(ValueError, match="webhook secrets"):
        SimulatedGateway(config)
