"""How the simulated gateway's webhooks arrive: signed, until accepted, and badly on demand."""

import json
from datetime import UTC, datetime

import pytest

from billing.gateways.simulated import SimulatedGateway
from billing.gateways.simulator import GatewaySimulator
from tests.billing.gateways.world import Receiver, order, payment_request, until


@pytest.fixture
def payment_id(gateway: SimulatedGateway) -> str:
    return gateway.start_payment(payment_request(save_method=True)).external_id


def kinds(receiver: Receiver) -> list[str]:
    return [json.loads(received.body)["type"] for received in receiver.received]


def test_success_is_told_with_a_signature_the_adapter_believes(
    gateway: SimulatedGateway, simulator: GatewaySimulator, payment_id: str, receiver: Receiver
) -> None:
    order(simulator, f"payments/{payment_id}/pay")
    until(lambda: len(receiver.received) == 2)
    assert sorted(kinds(receiver)) == ["method.saved", "payment.succeeded"]
    for received in receiver.received:
        event = gateway.verify_webhook(received.body, received.headers, at=datetime.now(UTC))
        assert event.payment_external_id == payment_id


def test_delivery_is_repeated_until_accepted(
    simulator: GatewaySimulator, payment_id: str, receiver: Receiver
) -> None:
    receiver.answers = [503, 302, 400]
    order(simulator, f"payments/{payment_id}/pay", {"outcome": "cancelled"})
    until(lambda: len(simulator.log()["attempts"]) == 4)
    statuses = [attempt["status"] for attempt in simulator.log()["attempts"]]
    assert statuses == ["503", "302", "400", "200"]
    assert len({received.body for received in receiver.received}) == 1
    assert [each["state"] for each in simulator.log()["deliveries"]] == ["delivered"]


def test_duplicates_come_as_often_as_ordered(
    simulator: GatewaySimulator, payment_id: str, receiver: Receiver
) -> None:
    order(simulator, "webhooks", {"duplicates": 4})
    order(simulator, f"payments/{payment_id}/pay", {"outcome": "cancelled"})
    until(lambda: len(simulator.log()["attempts"]) == 5)
    assert len({received.body for received in receiver.received}) == 1


def test_dropped_event_comes_only_when_sent_again(
    simulator: GatewaySimulator, payment_id: str, receiver: Receiver
) -> None:
    order(simulator, "webhooks", {"drop": True})
    order(simulator, f"payments/{payment_id}/pay", {"outcome": "cancelled"})
    (event,) = simulator.log()["events"]
    assert [each["state"] for each in simulator.log()["deliveries"]] == ["dropped"]
    order(simulator, f"events/{event['id']}/resend", {"times": 2})
    until(lambda: kinds(receiver) == ["payment.cancelled"] * 2)


def test_held_events_are_released_in_reverse(
    simulator: GatewaySimulator, payment_id: str, receiver: Receiver
) -> None:
    order(simulator, "webhooks", {"hold": True})
    order(simulator, f"payments/{payment_id}/pay")
    order(simulator, f"payments/{payment_id}/refund", {"amount_minor": 5_00})
    assert receiver.received == []
    order(simulator, "webhooks", {"release": "reversed"})
    until(lambda: len(receiver.received) == 3)
    assert kinds(receiver) == ["payment.refunded", "payment.succeeded", "method.saved"]


def test_delayed_event_waits(
    simulator: GatewaySimulator, payment_id: str, receiver: Receiver
) -> None:
    order(simulator, "webhooks", {"delay_seconds": 0.3})
    order(simulator, f"payments/{payment_id}/pay", {"outcome": "cancelled"})
    until(lambda: simulator.log()["attempts"])
    (event,), (attempt,) = simulator.log()["events"], simulator.log()["attempts"]
    assert attempt["at"] - event["at"] >= 0.3


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        ("declined", ["payment.failed"]),
        ("failed", ["payment.failed"]),
        ("cancelled", ["payment.cancelled"]),
        ("processing", ["method.saved", "payment.processing", "payment.succeeded"]),
    ],
)
def test_each_outcome_is_told(
    simulator: GatewaySimulator, payment_id: str, outcome: str, told: list[str]
) -> None:
    order(simulator, f"payments/{payment_id}/pay", {"outcome": outcome})
    until(lambda: [event["type"] for event in simulator.log()["events"]] == told)


def test_refund_and_dispute_past_the_shop_are_told(
    simulator: GatewaySimulator, payment_id: str, receiver: Receiver
) -> None:
    order(simulator, f"payments/{payment_id}/pay")
    order(simulator, f"payments/{payment_id}/refund", {"amount_minor": 5_00})
    order(simulator, f"payments/{payment_id}/dispute")
    until(lambda: len(receiver.received) == 4)
    assert {"payment.refunded", "payment.disputed"} <= set(kinds(receiver))
