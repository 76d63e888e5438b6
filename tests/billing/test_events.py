"""What an event costs from its row to the booked payment: one answer of the gateway serves all that
came by then about the same payment.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import events, gateways, inbox, invariants
from billing.gateways.simulator import signed
from billing.models import Allocation, GatewayEvent, Payment
from tests.bench.sending import event
from tests.bench.storm import KINDS, pay
from tests.billing import saved
from tests.story import Gateway

pytestmark = pytest.mark.django_db(transaction=True)

AT = datetime.now(UTC)
# Of a renewal: its period, credit, job, bookings and mail included.
MOST_STATEMENTS = 52
State = GatewayEvent.State


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with saved.open_gateway() as gateway:
        gateway.webhooks(drop=True)
        yield gateway


def stored(body: bytes) -> int:
    """Store an event as the webhooks' door does."""
    headers = signed(body, settings.SIMULATED_GATEWAY["secrets"][0], AT.timestamp())
    incoming = gateways.get("simulated").verify_webhook(body, headers, at=AT)
    event_id = inbox.store(incoming, "simulated", at=AT)
    assert event_id is not None
    return event_id


def asked(gateway: Gateway) -> int:
    calls = gateway.simulator.log()["calls"]
    return len([each for each in calls if each["method"] == "GET"])


def states() -> list[str]:
    return list(GatewayEvent.objects.order_by("pk").values_list("state", flat=True))


def test_all_that_came_about_a_payment_is_done_by_one_question(gateway: Gateway) -> None:
    first, *others = [stored(body) for body in pay(1, at=AT)]
    with CaptureQueriesContext(connection) as statements:
        events.process(first, at=AT)
    assert len(statements) <= MOST_STATEMENTS
    assert states() == [State.PROCESSED] * len(KINDS)
    assert asked(gateway) == 1
    for each in others:
        with CaptureQueriesContext(connection) as statements:
            events.process(each, at=AT)
        assert len(statements) == 1
    assert asked(gateway) == 1
    assert Allocation.objects.count() == 1
    assert invariants.violations() == []


def test_what_comes_later_is_asked_about_and_locks_nothing(gateway: Gateway) -> None:
    first, later, *_ = pay(1, at=AT)
    events.process(stored(first), at=AT)
    with CaptureQueriesContext(connection) as statements:
        events.process(stored(later), at=AT)
    assert asked(gateway) == 2
    assert not [each for each in statements if "FOR UPDATE" in each["sql"]]
    assert states() == [State.PROCESSED] * 2


def test_what_staff_must_see_and_other_payments_wait_for_their_own_turn(gateway: Gateway) -> None:
    bodies = pay(2, at=AT)
    first, second = bodies[0], bodies[len(KINDS)]
    payment = Payment.objects.order_by("pk")[0]
    disputed = event("evt_d", str(payment.external_id), "payment.disputed")
    ids = [stored(body) for body in (first, disputed, second)]
    events.process(ids[0], at=AT)
    assert states() == [State.PROCESSED, State.RECEIVED, State.RECEIVED]
    events.process(ids[1], at=AT)
    assert states() == [State.PROCESSED, State.PARKED, State.RECEIVED]
