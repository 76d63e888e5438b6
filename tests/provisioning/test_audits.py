"""Audits: what differs is drift, what cannot be read is not, and nobody's account is touched."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from provisioning import audits, tasks
from provisioning.models import Account, Audit, Drift, Job, Server, UnknownAccount
from provisioning.simulator.simulator import Simulator
from tests import world
from tests.clock import Clock
from tests.provisioning.conftest import add_stranger, opened, ordered
from tests.world import SIMULATOR_PASSWORD


@pytest.fixture
def live(account: Account, clock: Clock) -> Account:
    opened(account, clock)
    Server.objects.filter(currency="USD").delete()
    return account


def audited() -> Audit:
    """Do what the doorbells of a sweep would, and return the latest audit."""
    for audit_id in tasks.audits_due():
        tasks.audit(audit_id)
    latest = Audit.objects.first()
    assert latest is not None
    return latest


def changed_there(shop: Simulator, account: Account, **fields: Any) -> None:
    """Let somebody change the account in ICTBroadcast itself."""
    login = {"username": "admin", "password": SIMULATOR_PASSWORD, "client_id": account.remote_id}
    data = {**login, "client": json.dumps(fields)}
    answer = requests.post(f"{shop.base_url('current')}/Client_Update", data=data, timeout=5)
    assert answer.json()[0] is True


def mapped(**parts: dict[str, Any]) -> None:
    """Change parts of the server's mapping."""
    server = Server.objects.get()
    for part, values in parts.items():
        server.mapping[part].update(values)
    server.save(update_fields=["mapping"])


def test_a_day_has_one_audit_and_what_agrees_costs_one_call(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    for number in range(3):
        ordered("flex", at=clock.now(), email=f"{number}@example.com")
    clock.work()
    before = len(shop.log()["requests"])
    for _ in range(3):
        audit = audited()
        clock.shift(minutes=2)
    calls = [each["method"] for each in shop.log()["requests"][before:]]
    assert calls == ["Client_List"]
    assert (audit.compared, audit.drifted, audit.unknown) == (4, 0, 0)
    assert audit.finished_at is not None
    clock.shift(days=1)
    audited()
    assert Audit.objects.count() == 2


def test_what_was_changed_there_is_drift_field_by_field_until_it_agrees_again(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    changed_there(shop, live, channels="3", services="voice", active="0", unit_voice="5")
    shop.burn(live.username, "7.00")
    audited()
    drift = Drift.objects.get()
    assert [(each["field"], each["theirs"]) for each in drift.diffs] == [
        ("state", "suspended"),
        ("channels", 3),
        ("services", ["voice"]),
    ]
    clock.shift(days=1)
    assert audited().drifted == 1
    assert Drift.objects.get().found_at == drift.found_at
    wanted = {"channels": str(live.limits["channels"]), "active": "1"}
    changed_there(shop, live, **wanted, services=",".join(live.limits["services"]))
    clock.shift(days=1)
    assert audited().drifted == 0
    drift.refresh_from_db()
    assert drift.state == Drift.State.CLOSED
    assert not Job.objects.filter(cause__startswith="drift").exists()


def test_an_account_that_is_missing_or_back_is_drift(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    other = ordered("flex", at=clock.now(), email="other@example.com")
    clock.work()
    other.refresh_from_db()
    for row, state in ((other, Account.State.CLOSED), (other.subscription, "ended")):
        row.move(state, at=clock.now(), actor="test", reason="deleted")
    login = {"username": "admin", "password": SIMULATOR_PASSWORD, "client_id": live.remote_id}
    requests.post(f"{shop.base_url('current')}/Client_Delete", data=login, timeout=5)
    audited()
    found = {each.account_id: each.diffs for each in Drift.objects.all()}
    assert found == {
        live.pk: [{"field": "state", "ours": "active", "theirs": "missing"}],
        other.pk: [{"field": "state", "ours": "missing", "theirs": "active"}],
    }


@pytest.mark.parametrize("answer", ["500", "html", "401", "hang:30"])
def test_what_cannot_be_read_is_no_drift_and_ends_when_nothing_answers(
    live: Account, shop: Simulator, clock: Clock, answer: str
) -> None:
    for number in range(2):
        ordered("flex", at=clock.now(), email=f"{number}@example.com")
    clock.work()
    changed_there(shop, live, channels="3")
    if answer.startswith("hang"):
        world.give_up_soon()
    shop.faults.add("*", times=-1, answer=answer)
    audit = audited()
    assert (audit.compared, audit.finished_at) == (0, None)
    assert audit.note.startswith("no list of accounts")
    clock.shift(hours=2)
    assert "given up" in audited().note
    assert not Drift.objects.exists()
    assert not UnknownAccount.objects.exists()


def test_an_account_that_does_not_answer_is_passed_when_others_do(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    ordered("flex", at=clock.now(), email="other@example.com")
    clock.work()
    mapped(methods={"list": ""})
    shop.faults.add("Client_Get", times=1, answer="html")
    audit = audited()
    assert (audit.compared, audit.unreadable) == (1, 1)
    assert (audit.listed, audit.unknown) == (None, None)
    assert "names no method" in audit.note
    assert audit.finished_at is not None


def test_an_account_with_jobs_in_work_is_left_to_them(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    changed_there(shop, live, channels="3")
    job = Job.objects.get(kind=Job.Kind.CREDIT)
    Job.objects.filter(pk=job.pk).update(state=Job.State.PARKED)
    audit = audited()
    assert (audit.in_work, audit.drifted) == (1, 0)
    Job.objects.filter(pk=job.pk).update(state=Job.State.DONE)
    clock.shift(days=1)
    assert audited().drifted == 1


def test_a_server_is_audited_at_its_pace_and_goes_on_where_it_stopped(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    for number in range(3):
        ordered("flex", at=clock.now(), email=f"{number}@example.com")
    clock.work()
    mapped(methods={"list": ""})
    Server.objects.update(readings_a_minute=3)
    audit = audited()
    assert (audit.compared, audit.finished_at) == (3, None)
    assert audited().compared == 3
    clock.shift(minutes=1)
    audit = audited()
    assert audit.compared == 4
    assert audit.finished_at is not None


def test_unknown_accounts_are_listed_once_and_never_touched(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    add_stranger(shop, "by-hand", email="by-hand@example.com")
    before = len(shop.log()["effects"])
    assert audited().unknown == 1
    row = UnknownAccount.objects.get()
    assert (row.username, row.email) == ("by-hand", "by-hand@example.com")
    UnknownAccount.objects.update(settled_by="staff:1", reason="our own test account")
    clock.shift(days=1)
    assert audited().unknown == 0
    assert UnknownAccount.objects.get().settled_by == "staff:1"
    assert len(shop.log()["effects"]) == before


def test_a_slow_turn_leaves_no_count_beside_the_next_one(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    audit = audits.begin(live.server, None, cause="x", at=clock.now(), actor="test")
    first = clock.now()
    audits.turn(audit.pk, at=first)
    audit.refresh_from_db()
    assert audit.compared == 1
    Audit.objects.update(turn_at=clock.now(), finished_at=None, after=0)
    audits._count(audit, audits.Turn(after=7, compared=5), at=first)
    audit.refresh_from_db()
    assert (audit.compared, audit.after) == (1, 0)
