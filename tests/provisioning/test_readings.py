"""Readings: once per account and interval, rarely, and no server waits for another."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from provisioning import readings, tasks
from provisioning.models import Account, Reading, Server
from provisioning.simulator.simulator import Simulator
from tests import world
from tests.clock import Clock
from tests.guards import rows
from tests.provisioning.conftest import opened, ordered
from tests.world import SIMULATOR_PASSWORD


@pytest.fixture
def live(account: Account, clock: Clock) -> Account:
    opened(account, clock)
    Server.objects.update(reading_minutes=60)
    return account


def sweep() -> None:
    """Do what the doorbells of a sweep would."""
    for server_id in tasks.servers_to_read():
        tasks.read_server(server_id)


def campaign(dialler: Simulator, account: Account, service: str) -> None:
    """Run a campaign of the account, asked for by the operator."""
    login = {"username": "admin", "password": SIMULATOR_PASSWORD, "usr_id": account.remote_id}
    base = dialler.base_url("current")
    record = json.dumps({"name": "Spring", "service": service})
    made = requests.post(f"{base}/Campaign_Create", {**login, "campaign": record}, timeout=5)
    started = {**login, "campaign_id": made.json()[1]}
    assert requests.post(f"{base}/Campaign_Start", started, timeout=5).json()[0]


def test_an_account_is_read_once_an_hour_with_balance_units_and_campaigns(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    campaign(shop, live, "sms")
    clock.shift(minutes=1)
    for _ in range(3):
        sweep()
        clock.shift(minutes=2)
    (reading,) = Reading.objects.all()
    assert reading.used is not None
    assert reading.used["sms"] >= 60 * 20
    assert reading.units == {"voice": 2000, "fax": 0, "sms": 0, "email": 0}
    assert (reading.balance_minor, reading.cost_minor) == (0, 2000)
    live.refresh_from_db()
    assert (live.balance_minor, live.balance_at) == (0, reading.at)
    assert readings.latest(live) == reading
    clock.shift(hours=1)
    sweep()
    assert [each.pk for each in readings.since(live, reading.at)][0] == reading.pk
    assert Reading.objects.count() == 2


def test_a_server_is_read_at_its_pace_and_stops_at_three_troubles(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    for number in range(4):
        ordered("flex", at=clock.now(), email=f"{number}@example.com")
    clock.work()
    Server.objects.update(readings_a_minute=2)
    sweep()
    sweep()
    assert Reading.objects.count() == 2
    clock.shift(minutes=1)
    world.give_up_soon()
    shop.faults.add("Client_Get", times=-1, answer="hang:30")
    Server.objects.update(readings_a_minute=100)
    sweep()
    assert Reading.objects.count() == 5
    assert Reading.objects.filter(balance_minor=None).count() == 3
    # The next interval finds it well again.
    shop.faults.clear()
    clock.shift(hours=1)
    sweep()
    assert Reading.objects.exclude(balance_minor=None).count() == 7


def test_a_server_that_hangs_holds_up_no_other(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    slow = Server.objects.get(currency="USD")
    other = ordered("flex", at=clock.now(), email="other@example.com")
    clock.work()
    Account.objects.filter(pk=other.pk).update(server=slow)
    Server.objects.filter(pk=slow.pk).update(base_url="http://127.0.0.1:9/rest")
    sweep()
    assert readings.latest(live) is not None
    assert Reading.objects.get(account__server=slow).balance_minor is None


def test_what_a_server_does_not_show_stays_unknown(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    shop.switch(hide_balance=True)
    for server in Server.objects.all():
        server.mapping["capabilities"]["read_usage"] = "manual"
        server.mapping["units"]["fax"] = "no_such_key"
        server.save()
    before = live.balance_minor
    sweep()
    reading = Reading.objects.get()
    assert (reading.balance_minor, reading.units, reading.used) == (None, None, None)
    assert readings.latest(live) is None
    assert readings.since(live, reading.at) == []
    live.refresh_from_db()
    assert live.balance_minor == before


def test_a_server_that_shows_nothing_is_not_asked(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    Server.objects.update(mapping={})
    assert tasks.servers_to_read() == []


def test_a_wrong_secret_is_noted_and_nothing_is_asked(live: Account, shop: Simulator) -> None:
    Server.objects.update(secret_sealed=b"broken")
    sweep()
    assert not Reading.objects.exists()


@pytest.mark.django_db
def test_old_readings_are_thinned_to_the_last_of_a_day() -> None:
    account: Any = rows.make()["account"]
    Reading.objects.all().delete()
    begin = datetime(2026, 3, 1, tzinfo=UTC)
    Reading.objects.bulk_create(
        Reading(account=account, slot=slot, at=slot, balance_minor=1)
        for slot in (begin + timedelta(hours=hour) for hour in range(48))
    )
    assert readings.thin(at=begin + timedelta(days=91, hours=1)) == 24
    assert readings.thin(at=begin + timedelta(days=92, hours=1)) == 22
    assert [each.slot.hour for each in Reading.objects.order_by("slot")] == [23, 23]
