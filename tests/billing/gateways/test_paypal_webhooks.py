"""PayPal's webhooks at our door: what is not believed stores nothing, and asks nobody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings

from billing.gateways.base import MAX_BODY, BadWebhook, Unavailable
from billing.gateways.paypal import certificates
from billing.gateways.paypal.certificates import LIVE_ORIGINS, NAME, TEST_NAME, TEST_ORIGINS
from billing.gateways.paypal.chains import Trust
from billing.gateways.simulator.paypal_like import PayPalLike, Signer
from billing.models import GatewayEvent
from tests import paypals
from tests.billing.gateways.world import Receiver, order
from tests.guards.connections import together
from tests.paypals import WEBHOOK_ID

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[PayPalLike, Path]]:
    with paypals.running() as running:
        yield running


@pytest.fixture
def stand_in(running: tuple[PayPalLike, Path]) -> Iterator[PayPalLike]:
    stand_in, roots = running
    before = stand_in.signer
    before.write_root(str(roots))
    certificates.forget()
    accounts = {"paypal": paypals.account(stand_in.url, roots)}
    with override_settings(GATEWAY_ACCOUNTS=accounts):
        yield stand_in
    stand_in.present(before)
    order(stand_in, "faults", [])


def body(**changes: Any) -> bytes:
    event = {
        "id": "WH-2WR32451HC0233532-67976317FL4543714",
        "event_version": "1.0",
        "create_time": "2026-03-02T09:00:00.000Z",
        "resource_type": "capture",
        "event_type": "PAYMENT.CAPTURE.COMPLETED",
        "resource": {"id": "42311647XV020574X", "payee": {"merchant_id": paypals.MERCHANT}},
    }
    return json.dumps(event | changes).encode()


def now() -> float:
    return datetime.now(UTC).timestamp()


def sent(content: bytes, headers: dict[str, str]) -> int:
    """Post it to our door; the status of the answer."""
    kind = headers.pop("Content-Type", "application/json")
    answer = Client().post("/webhooks/paypal/", content, content_type=kind, headers=headers)
    return answer.status_code


def asked_for_certificates(stand_in: PayPalLike) -> int:
    calls = stand_in.log()["calls"]
    return len([each for each in calls if "/v1/notifications/certs/" in each["path"]])


def asked_for_issuers(stand_in: PayPalLike) -> int:
    calls = stand_in.log()["calls"]
    return len([each for each in calls if each["path"] == stand_in.signer.issuer_path])


def refused(stand_in: PayPalLike, content: bytes, headers: dict[str, str], *, with_: int) -> None:
    assert sent(content, headers) == with_
    assert not GatewayEvent.objects.exists()


def test_a_signed_event_is_stored_once_and_its_certificate_fetched_once(
    stand_in: PayPalLike,
) -> None:
    before = asked_for_certificates(stand_in)
    headers = stand_in.signer.signed(body(), WEBHOOK_ID, now())
    assert sent(body(), dict(headers)) == 200
    # Verbatim again, within its time.
    assert sent(body(), dict(headers)) == 200
    event = GatewayEvent.objects.get()
    assert (event.kind, event.payment_external_id) == (
        "PAYMENT.CAPTURE.COMPLETED",
        "capture:42311647XV020574X",
    )
    assert (event.account, event.livemode) == (paypals.MERCHANT, False)
    assert bytes(event.body) == body()
    assert asked_for_certificates(stand_in) == before + 1
    assert asked_for_issuers(stand_in) == 1


def test_an_issuer_is_asked_for_at_known_addresses_alone(
    stand_in: PayPalLike, running: tuple[PayPalLike, Path], receiver: Receiver
) -> None:
    evil = receiver.url.removesuffix("/webhooks/")
    for address in (f"{evil}/CA.crt", f"{stand_in.url}@{evil}/CA.crt", "ldap://x/CA.crt"):
        other = Signer(issuer_at=address)
        other.write_root(str(running[1]))
        certificates.forget()
        stand_in.present(other)
        refused(stand_in, body(), other.signed(body(), WEBHOOK_ID, now()), with_=400)
    assert receiver.received == []


def test_an_issuer_that_cannot_be_had_now_is_asked_for_again_later(stand_in: PayPalLike) -> None:
    fault = {"path": "/AUTHORITY-*", "method": "GET", "times": 1, "answer": "500"}
    order(stand_in, "faults", [fault])
    headers = stand_in.signer.signed(body(), WEBHOOK_ID, now())
    refused(stand_in, body(), dict(headers), with_=503)
    assert sent(body(), dict(headers)) == 200


def test_a_webhook_of_before_the_rotation_still_counts(stand_in: PayPalLike) -> None:
    assert sent(body(), stand_in.signer.signed(body(), "BEFORETHEROTATION", now())) == 200


@pytest.mark.parametrize(
    ("kind", "resource", "spoken_of"),
    [
        ("CHECKOUT.ORDER.APPROVED", {"id": "5O190127TN364715T"}, "5O190127TN364715T"),
        (
            "PAYMENT.CAPTURE.REFUNDED",
            {"id": "R1", "links": [{"rel": "up", "href": "https://x/v2/payments/captures/C1"}]},
            "capture:C1",
        ),
        (
            "PAYMENT.CAPTURE.REVERSED",
            {"id": "C1", "links": [{"rel": "up", "href": "https://x/v2/checkout/orders/5O1"}]},
            "capture:C1",
        ),
        (
            "PAYMENT.REFUND.FAILED",
            {"id": "R1", "links": [{"rel": "up", "href": "https://x/v2/payments/captures/C1"}]},
            "capture:C1",
        ),
        ("CUSTOMER.DISPUTE.CREATED", {"dispute_id": "PP-D-4012"}, "dispute:PP-D-4012"),
        ("CHECKOUT.PAYMENT-APPROVAL.REVERSED", {"order_id": "5O1"}, "5O1"),
        ("VAULT.PAYMENT-TOKEN.CREATED", {"id": "T1", "metadata": {"order_id": "5O1"}}, "5O1"),
        ("VAULT.PAYMENT-TOKEN.CREATED", {"id": "T1"}, ""),
        ("SOME.NEW.KIND", {"whatever": 1}, ""),
    ],
)
def test_an_event_says_what_to_fetch(
    stand_in: PayPalLike, kind: str, resource: dict[str, Any], spoken_of: str
) -> None:
    content = body(event_type=kind, resource=resource)
    assert sent(content, stand_in.signer.signed(content, WEBHOOK_ID, now())) == 200
    assert GatewayEvent.objects.get().payment_external_id == spoken_of


def test_a_body_changed_by_one_byte_is_refused(stand_in: PayPalLike) -> None:
    headers = stand_in.signer.signed(body(), WEBHOOK_ID, now())
    refused(stand_in, body().replace(b"1.0", b"1.1"), headers, with_=400)


def test_a_signature_by_another_key_is_refused(stand_in: PayPalLike) -> None:
    forged = Signer()
    forged.base, forged.path = stand_in.url, stand_in.signer.path
    refused(stand_in, body(), forged.signed(body(), WEBHOOK_ID, now()), with_=400)


def test_a_genuine_event_of_another_endpoint_or_merchant_is_refused(stand_in: PayPalLike) -> None:
    for theirs in ("5WE12345ANOTHER", "WEBHOOK_ID"):
        refused(stand_in, body(), stand_in.signer.signed(body(), theirs, now()), with_=400)
    content = body(resource={"id": "C1", "payee": {"merchant_id": "SOMEBODYELSE"}})
    refused(stand_in, content, stand_in.signer.signed(content, WEBHOOK_ID, now()), with_=400)


@pytest.mark.parametrize("seconds", [-301, 61], ids=["stale", "future"])
def test_what_is_too_old_or_from_the_future_is_refused_without_asking(
    stand_in: PayPalLike, seconds: int
) -> None:
    before = asked_for_certificates(stand_in)
    headers = stand_in.signer.signed(body(), WEBHOOK_ID, now() + seconds)
    refused(stand_in, body(), headers, with_=400)
    assert asked_for_certificates(stand_in) == before


def test_an_event_of_live_mode_is_refused_by_a_test_account_without_asking(
    stand_in: PayPalLike,
) -> None:
    headers = stand_in.signer.signed(body(), WEBHOOK_ID, now())
    headers["PAYPAL-CERT-URL"] = f"https://api.paypal.com{stand_in.signer.path}"
    refused(stand_in, body(), headers, with_=400)


def test_an_oversized_body_is_refused(stand_in: PayPalLike) -> None:
    content = body(summary="x" * MAX_BODY)
    refused(stand_in, content, stand_in.signer.signed(content, WEBHOOK_ID, now()), with_=413)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"not json", body(id=None), body(create_time="soon"), body(resource=None)]
    + [body(event_type="x" * 61), body().replace(b'"id"', b'"id": "a", "id"', 1)],
)
def test_a_malformed_body_is_refused_also_when_it_is_signed(
    stand_in: PayPalLike, content: bytes
) -> None:
    refused(stand_in, content, stand_in.signer.signed(content, WEBHOOK_ID, now()), with_=400)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("PAYPAL-TRANSMISSION-ID", ""),
        ("PAYPAL-TRANSMISSION-ID", "a|b"),
        ("PAYPAL-TRANSMISSION-TIME", "yesterday"),
        ("PAYPAL-TRANSMISSION-TIME", "2026-03-02T09:00:00"),
        ("PAYPAL-TRANSMISSION-SIG", "not base64!"),
        ("PAYPAL-TRANSMISSION-SIG", "A" * 2000),
        ("PAYPAL-AUTH-ALGO", "SHA1withRSA"),
        ("PAYPAL-AUTH-ALGO", "none"),
        ("PAYPAL-CERT-URL", ""),
    ],
)
def test_malformed_headers_are_refused(stand_in: PayPalLike, header: str, value: str) -> None:
    headers = stand_in.signer.signed(body(), WEBHOOK_ID, now())
    refused(stand_in, body(), headers | {header: value}, with_=400)


def test_a_certificate_from_elsewhere_is_refused_and_nobody_is_asked(
    stand_in: PayPalLike, receiver: Receiver
) -> None:
    evil = receiver.url.removesuffix("/webhooks/")
    host, path = stand_in.url.removeprefix("http://"), stand_in.signer.path
    addresses = [
        f"{evil}{path}",
        f"http://{host}@{evil.removeprefix('http://')}{path}",
        f"{evil}/{stand_in.url}{path}",
        f"https://{host}{path}",
        f"{stand_in.url}:80{path}",
        f"{stand_in.url}{path}?next={evil}",
        f"{stand_in.url}{path}#{evil}",
        f"{stand_in.url}/v1/notifications/certs/../../oauth2/token",
        f"{stand_in.url}/other/{path}",
        f"{stand_in.url}.evil.example{path}",
        f"http://169.254.169.254{path}",
        f"file://{path}",
        "//" + path,
    ]
    before = asked_for_certificates(stand_in)
    for address in addresses:
        headers = stand_in.signer.signed(body(), WEBHOOK_ID, now())
        headers["PAYPAL-CERT-URL"] = address
        refused(stand_in, body(), headers, with_=400)
    assert receiver.received == []
    assert asked_for_certificates(stand_in) == before


@pytest.mark.parametrize(
    "address",
    [
        "http://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
        "https://api.paypal.com:443/v1/notifications/certs/CERT-1",
        "https://API.PAYPAL.COM/v1/notifications/certs/CERT-1",
        "https://api.paypal.com\\@evil.example/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/CERT-1\n",
    ],
)
def test_in_live_mode_only_paypals_own_addresses_count(address: str) -> None:
    live = Trust(LIVE_ORIGINS, (NAME,), "")
    certificates.must_be_allowed("https://api.paypal.com/v1/notifications/certs/CERT-36-fc", live)
    with pytest.raises(BadWebhook):
        certificates.must_be_allowed(address, live)
    sandbox = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1"
    certificates.must_be_allowed(sandbox, Trust(TEST_ORIGINS, (TEST_NAME,), ""))


@pytest.mark.parametrize(
    ("signer", "trusted"),
    [
        ({}, False),
        ({"name": "messageverificationcerts.paypal.com.evil.example"}, True),
        ({"days": -1}, True),
    ],
    ids=["unknown root", "another name", "expired"],
)
def test_a_certificate_that_is_not_to_be_believed_is_refused(
    stand_in: PayPalLike,
    running: tuple[PayPalLike, Path],
    signer: dict[str, Any],
    trusted: bool,
) -> None:
    other = Signer(**signer)
    if trusted:
        other.write_root(str(running[1]))
        certificates.forget()
    stand_in.present(other)
    refused(stand_in, body(), other.signed(body(), WEBHOOK_ID, now()), with_=400)


def test_a_certificate_that_cannot_be_had_now_is_asked_for_again_later(
    stand_in: PayPalLike,
) -> None:
    fault = {"path": stand_in.signer.path, "method": "GET", "times": 1, "answer": "500"}
    order(stand_in, "faults", [fault])
    headers = stand_in.signer.signed(body(), WEBHOOK_ID, now())
    refused(stand_in, body(), dict(headers), with_=503)
    assert sent(body(), dict(headers)) == 200


def test_nobody_can_make_us_ask_for_certificates_without_end(stand_in: PayPalLike) -> None:
    before = asked_for_certificates(stand_in)
    statuses = []
    for number in range(20):
        headers = stand_in.signer.signed(body(), WEBHOOK_ID, now())
        headers["PAYPAL-CERT-URL"] = f"{stand_in.url}/v1/notifications/certs/CERT-{number}"
        statuses.append(sent(body(), headers))
    assert asked_for_certificates(stand_in) - before <= certificates.MOST_ASKED
    assert set(statuses) == {400, 503}
    assert not GatewayEvent.objects.exists()


def test_webhooks_that_come_at_once_share_one_asking(stand_in: PayPalLike) -> None:
    own = frozenset({stand_in.url})
    trust, at = Trust(own, (TEST_NAME,), _roots_of(stand_in), own), datetime.now(UTC)
    url, before = stand_in.signer.base + stand_in.signer.path, asked_for_certificates(stand_in)
    keys = together(lambda _: certificates.key_of(url, trust, at=at).key_size, 8)
    assert keys == [2048] * 8
    assert asked_for_certificates(stand_in) == before + 1


def test_a_known_certificate_ends_with_its_time(stand_in: PayPalLike) -> None:
    own = frozenset({stand_in.url})
    trust = Trust(own, (TEST_NAME,), _roots_of(stand_in), own)
    url = stand_in.signer.base + stand_in.signer.path
    assert certificates.key_of(url, trust, at=datetime.now(UTC)).key_size == 2048
    with pytest.raises(BadWebhook):
        certificates.key_of(url, trust, at=datetime.now(UTC) + timedelta(days=4000))


def test_a_redirected_certificate_is_not_followed(stand_in: PayPalLike, receiver: Receiver) -> None:
    receiver.answers = [302]
    trust = Trust(frozenset({receiver.url.removesuffix("/webhooks/")}), (TEST_NAME,), "")
    address = f"{receiver.url.removesuffix('/webhooks/')}/v1/notifications/certs/CERT-1"
    with pytest.raises(Unavailable):
        certificates.key_of(address, trust, at=AT)


def _roots_of(stand_in: PayPalLike) -> str:
    from django.conf import settings

    return str(settings.GATEWAY_ACCOUNTS["paypal"]["roots"])
