"""Drift on the desk: what differs, the credit beside it, and exactly three ways to decide."""

from __future__ import annotations

import json

import pytest
import requests
from django.test import Client

from billing import credit_checks
from provisioning import tasks
from provisioning.models import Account, Audit, Drift, Job, UnknownAccount
from provisioning.simulator.simulator import Simulator
from tests.clock import Clock
from tests.desk import pages
from tests.provisioning.conftest import add_stranger, opened, ordered
from tests.world import SIMULATOR_PASSWORD


@pytest.fixture
def live(account: Account, clock: Clock) -> Account:
    return opened(account, clock)


def compare(staff: Client, account: Account) -> None:
    """Press the account's button, and let the worker do it."""
    pages.press(staff, account, "audit")
    audit = Audit.objects.get(account=account, finished_at=None)
    tasks.audit(audit.pk)


def changed_there(shop: Simulator, account: Account, **fields: str) -> None:
    login = {"username": "admin", "password": SIMULATOR_PASSWORD, "client_id": account.remote_id}
    data = {**login, "client": json.dumps(fields)}
    answer = requests.post(f"{shop.base_url('current')}/Client_Update", data=data, timeout=5)
    assert answer.json()[0] is True


@pytest.fixture
def drift(staff: Client, live: Account, shop: Simulator) -> Drift:
    changed_there(shop, live, channels="3", active="0", unit_voice="5")
    compare(staff, live)
    return Drift.objects.get()


def test_the_page_shows_both_sides_and_the_credit(
    staff: Client, drift: Drift, live: Account, shop: Simulator
) -> None:
    said = pages.text(staff.get(pages.address(drift)))
    assert "State running suspended apply ours" in said
    assert "Channels 20 3 apply ours, accept theirs" in said
    assert "Left by our books: €20.00" in said
    assert "Balance there: €20.00" in said
    assert "Beyond what we granted" not in said
    assert pages.offered(staff, drift) == ["apply", "accept", "park", "audit"]
    assert "to be decided: state, channels" in pages.text(staff.get(pages.address(live))).lower()


def test_applying_ours_sets_state_and_limits_and_neither_credit_nor_units(
    staff: Client, drift: Drift, live: Account, shop: Simulator, clock: Clock
) -> None:
    pages.press(staff, drift, "apply")
    drift.refresh_from_db()
    assert drift.state == Drift.State.APPLYING
    assert pages.offered(staff, drift) == ["audit"]
    clock.work()
    remote = shop.account(live.username)
    assert remote is not None
    assert (remote["channels"], remote["active"], remote["unit_voice"]) == (20, True, 5)
    assert remote["balance"] == "20.0000"
    compare(staff, live)
    drift.refresh_from_db()
    live.refresh_from_db()
    assert drift.state == Drift.State.CLOSED
    assert live.limits["units"] == {"voice": 2000, "sms": 250}


def test_what_did_not_work_is_to_be_decided_again(
    staff: Client, drift: Drift, live: Account, shop: Simulator, clock: Clock
) -> None:
    pages.press(staff, drift, "apply")
    clock.work()
    changed_there(shop, live, channels="4")
    compare(staff, live)
    drift.refresh_from_db()
    assert (drift.state, drift.fields) == (Drift.State.OPEN, ["channels"])
    pages.press(staff, drift, "apply")
    clock.work()
    assert Job.objects.filter(cause__startswith=f"drift-{drift.pk}-2:").count() == 1


def test_accepting_theirs_makes_their_limits_ours_and_leaves_the_state_open(
    staff: Client, drift: Drift, live: Account, shop: Simulator
) -> None:
    before = len(shop.log()["effects"])
    pages.press(staff, drift, "accept", reason="Agreed on the phone")
    live.refresh_from_db()
    drift.refresh_from_db()
    assert live.limits["channels"] == 3
    assert (drift.state, drift.fields) == (Drift.State.OPEN, ["state"])
    change = pages.last_change(drift)
    assert change.actor.startswith("staff:")
    assert "Agreed on the phone. Accepted: channels 20 (there: 3)" in change.reason
    assert pages.offered(staff, drift) == ["apply", "park", "audit"]
    assert len(shop.log()["effects"]) == before


def test_what_is_parked_comes_back_only_when_it_differs_otherwise(
    staff: Client, drift: Drift, live: Account, shop: Simulator
) -> None:
    pages.press(staff, drift, "park", reason="He knows")
    compare(staff, live)
    drift.refresh_from_db()
    assert drift.state == Drift.State.PARKED
    changed_there(shop, live, channels="4")
    compare(staff, live)
    drift.refresh_from_db()
    assert drift.state == Drift.State.OPEN


def test_an_old_page_and_jobs_in_work_change_nothing(
    staff: Client, drift: Drift, live: Account, shop: Simulator
) -> None:
    fields = pages.hidden(pages.opened(staff, drift, "apply"))
    changed_there(shop, live, channels="4")
    compare(staff, live)
    response = pages.submit(staff, drift, "apply", fields)
    assert "This has changed since you opened the page." in pages.text(response)
    pages.press(staff, live, "balance")
    response = pages.press(staff, drift, "apply")
    assert "Jobs of this account are in work." in pages.text(response)
    assert not Job.objects.filter(cause__startswith="drift").exists()


def test_credit_that_nobody_granted_is_shown_and_left_alone(
    staff: Client, drift: Drift, live: Account, shop: Simulator, clock: Clock
) -> None:
    login = {"username": "admin", "password": SIMULATOR_PASSWORD, "client_id": live.remote_id}
    data = {**login, "value": "30.00", "description": "a gift"}
    requests.post(f"{shop.base_url('current')}/Client_Payment_Create", data=data, timeout=5)
    assert not credit_checks.with_surplus().exists()
    clock.shift(hours=1)
    for server_id in tasks.servers_to_read():
        tasks.read_server(server_id)
    assert [each.pk for each in credit_checks.with_surplus()] == [live.pk]
    said = pages.text(staff.get(pages.address(drift)))
    assert "Beyond what we granted: €30.00" in said
    assert len(shop.effects("credit")) == 2
    shop.burn(live.username, "30.00")
    clock.shift(hours=1)
    for server_id in tasks.servers_to_read():
        tasks.read_server(server_id)
    assert not credit_checks.with_surplus().exists()


def test_a_whole_server_is_compared_on_demand_once(
    staff: Client, live: Account, shop: Simulator, clock: Clock
) -> None:
    ordered("flex", at=clock.now(), email="second@example.com")
    clock.work()
    add_stranger(shop, "by-hand")
    fields = pages.hidden(pages.opened(staff, live.server, "audit"))
    for _ in range(2):
        pages.submit(staff, live.server, "audit", fields)
    audit = Audit.objects.get()
    tasks.audit(audit.pk)
    audit.refresh_from_db()
    assert (audit.compared, audit.unknown) == (2, 1)
    assert "finished" in pages.text(staff.get(pages.address(audit))).lower()
    row = UnknownAccount.objects.get()
    assert pages.offered(staff, row) == ["known"]
    pages.press(staff, row, "known", reason="Our own test account")
    row.refresh_from_db()
    assert (row.reason, row.settled_by[:6]) == ("Our own test account", "staff:")
    assert pages.offered(staff, row) == []
