"""Parked gateway events and mails that did not go out."""

from __future__ import annotations

import pytest
from django.test import Client

from billing.models import GatewayEvent, Mail, Payment
from provisioning.models import Account
from tests.clock import Clock
from tests.desk import pages
from tests.desk.events import parked_event
from tests.desk.mails import left


def test_an_event_is_fetched_again_and_processed(
    staff: Client, transfer: Payment, clock: Clock
) -> None:
    event = parked_event(transfer.key.hex, at=clock.now())
    response = pages.press(staff, event, "fetch")
    assert "The event is now: processed." in pages.text(response)
    event.refresh_from_db()
    assert event.state == GatewayEvent.State.PROCESSED
    assert pages.offered(staff, event) == []


def test_an_event_that_stays_undecided_is_parked_again_with_its_note(
    staff: Client, shop: object, clock: Clock
) -> None:
    event = parked_event("nobody-knows", at=clock.now())
    response = pages.press(staff, event, "fetch")
    assert "the shop knows no such payment" in pages.text(response)
    event.refresh_from_db()
    assert event.state == GatewayEvent.State.PARKED


def test_a_dispute_settled_elsewhere_is_put_aside(
    staff: Client, shop: object, clock: Clock
) -> None:
    event = parked_event("", at=clock.now())
    pages.press(staff, event, "close", reason="Settled with the bank")
    event.refresh_from_db()
    assert (event.state, event.note) == ("ignored", "Settled with the bank")
    assert pages.last_change(event).reason == "Settled with the bank"


@pytest.mark.parametrize("state", ["failed", "unknown"])
def test_a_mail_is_sent_again(staff: Client, account: Account, clock: Clock, state: str) -> None:
    clock.work()
    mail = left("receipt", Mail.State(state), at=clock.now(), attempts=12)
    told = pages.opened(staff, mail, "send")
    assert ("arrives twice" in told) is (state == "unknown")
    assert ("What went wrong" in told) is bool(mail.last_error)
    pages.press(staff, mail, "send")
    mail.refresh_from_db()
    assert (mail.state, mail.attempts) == (Mail.State.QUEUED, 0)
    assert pages.last_change(mail).actor.startswith("staff:")


def test_a_sent_mail_cannot_be_sent_again(staff: Client, account: Account, clock: Clock) -> None:
    mail = left("receipt", Mail.State.SENT, at=clock.now())
    response = pages.submit(staff, mail, "send", {})
    assert "not possible now" in pages.text(response)
    mail.refresh_from_db()
    assert mail.state == Mail.State.SENT
