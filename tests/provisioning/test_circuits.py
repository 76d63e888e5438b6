"""The breaker, the pace and the places of a server: shared by all processes, kept in PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Barrier, Event, get_ident
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.db.models.signals import post_save
from django.utils import timezone
from pytest_django.fixtures import Settings

from provisioning import circuits, crews, health, jobs, runner, servers, tasks
from provisioning.dialler.base import NotSent
from provisioning.models import Account, Attempt, Circuit, Job, Server
from provisioning.simulator.simulator import Simulator
from tests.clock import Clock
from tests.guards.connections import together
from tests.provisioning.conftest import ordered

State = Circuit.State


@pytest.fixture
def server(account: Account) -> Server:
    return account.server


def circuit() -> Circuit:
    return Circuit.objects.get()


def ask(server: Server, count: int) -> None:
    """Ask for the roles so often, whatever comes of it."""
    for _ in range(count):
        servers.check(server, at=timezone.now())


def breaks(server: Server, dialler: Simulator) -> None:
    """Let the server hang up until its circuit opens."""
    dialler.stop()
    ask(server, circuits.TROUBLES_IN_A_ROW)
    assert circuit().state == State.OPEN


@contextmanager
def third_call_fails(dialler: Simulator) -> Iterator[None]:
    """Let the server answer twice and then no more, by telling it after its second answer."""
    saved: list[Server] = []

    def noted(instance: Server, **_: Any) -> None:
        saved.append(instance)
        if len(saved) == 2:
            dialler.faults.add("*", times=1, answer="500")

    post_save.connect(noted, sender=Server)
    try:
        yield
    finally:
        post_save.disconnect(noted, sender=Server)


def test_five_troubles_in_a_row_open_the_circuit_and_its_jobs_wait_without_a_run(
    account: Account, server: Server, shop: Simulator, clock: Clock
) -> None:
    shop.stop()
    ask(server, circuits.TROUBLES_IN_A_ROW - 1)
    assert circuit().state == State.CLOSED
    ask(server, 1)
    row = circuit()
    assert (row.state, row.reason) == (
        State.OPEN, "The server was not reached (ConnectionError).",
    )  # fmt: skip
    assert row.opened_at is not None
    assert row.probe_at == row.opened_at + circuits.FIRST_PAUSE
    clock.shift(seconds=20)
    clock.work()
    assert tasks.accounts_due() == []
    assert runner.run_next(account.pk, at=clock.now(), worker="test") is False
    assert not Attempt.objects.exists()
    assert set(Job.objects.values_list("state", "tries", "fence")) == {("waiting", 0, 0)}
    shop.start_again()
    clock.advance(seconds=11)
    assert circuit().state == State.CLOSED
    account.refresh_from_db()
    assert account.state == Account.State.LIVE


def test_half_of_the_last_twenty_open_it_also_when_some_are_answered(
    server: Server, shop: Simulator
) -> None:
    for _ in range(circuits.MOST_TROUBLES - 1):
        shop.faults.add("User_Role_List", times=1, answer="500")
        ask(server, 2)
    assert circuit().recent == "x." * 9
    assert circuit().state == State.CLOSED
    shop.faults.add("User_Role_List", times=1, answer="html")
    ask(server, 1)
    assert circuit().state == State.OPEN


def test_nine_of_twenty_do_not(server: Server, shop: Simulator) -> None:
    for _ in range(circuits.MOST_TROUBLES + 1):
        shop.faults.add("User_Role_List", times=1, answer="empty")
        ask(server, 3)
    assert circuit().state == State.CLOSED
    assert len(circuit().recent) == circuits.WINDOW


def test_a_refusal_is_an_answer(server: Server, shop: Simulator) -> None:
    for answer in ("refused", "401", "405", "null_reason"):
        shop.faults.add("User_Role_List", times=3, answer=answer)
        ask(server, 3)
    assert not Circuit.objects.filter(recent__contains="x").exists()


def test_a_probe_is_one_process_and_reads_only(server: Server, shop: Simulator) -> None:
    breaks(server, shop)
    shop.start_again()
    row = circuit()
    assert row.probe_at is not None
    before = len(shop.log()["requests"])
    at = row.probe_at
    closed = together(lambda _: health.probe(server.pk, at=at), 4)
    assert sorted(map(str, closed)) == ["False", "False", "False", "True"]
    asked = [each["method"] for each in shop.log()["requests"][before:]]
    assert asked == ["User_Role_List"] * circuits.GOOD_READS


def test_pauses_double_up_to_five_minutes_and_are_shown(server: Server, shop: Simulator) -> None:
    breaks(server, shop)
    pauses = []
    for _ in range(6):
        row = circuit()
        assert row.probe_at is not None
        assert health.probe(server.pk, at=row.probe_at - timedelta(seconds=1)) is False
        assert circuit().failed_probes == row.failed_probes
        assert health.probe(server.pk, at=row.probe_at) is False
        after = circuit()
        assert after.probe_at is not None
        server.refresh_from_db()
        assert server.checked_at is not None
        pauses.append(round((after.probe_at - timezone.now()).total_seconds()))
    assert pauses == [60, 120, 240, 300, 300, 300]


def test_two_good_reads_are_not_enough(server: Server, shop: Simulator) -> None:
    breaks(server, shop)
    shop.start_again()
    row = circuit()
    assert row.probe_at is not None
    assert circuits.GOOD_READS == 3
    with third_call_fails(shop):
        assert health.probe(server.pk, at=row.probe_at) is False
    assert (circuit().state, circuit().failed_probes) == (State.OPEN, 1)


def test_a_probe_that_died_is_replaced_and_says_nothing_when_it_wakes(
    server: Server, shop: Simulator
) -> None:
    breaks(server, shop)
    row = circuit()
    assert row.probe_at is not None
    dead = circuits.begin_probe(server, at=row.probe_at)
    assert dead is not None
    assert circuits.begin_probe(server, at=row.probe_at) is None
    second = circuits.begin_probe(server, at=dead.lease_ends_at)
    assert second is not None
    assert circuits.end_probe(dead, "", at=dead.lease_ends_at) is False
    assert circuit().state == State.HALF_OPEN
    assert circuits.end_probe(second, "", at=dead.lease_ends_at) is True


def test_the_time_in_which_nobody_asks_is_known(server: Server, shop: Simulator) -> None:
    breaks(server, shop)
    opened = circuit().opened_at
    assert opened is not None
    minute = timedelta(minutes=1)
    assert circuits.time_open(server.pk, opened - minute, opened + minute) == minute
    assert circuits.close(server.pk, "mended", at=opened + 3 * minute, actor="staff:1")
    assert not circuits.close(server.pk, "mended", at=opened + 3 * minute, actor="staff:1")
    assert circuits.time_open(server.pk, opened - minute, opened + 9 * minute) == 3 * minute
    assert circuits.time_open(server.pk, opened + minute, opened + 2 * minute) == minute
    assert circuits.time_open(server.pk, opened + 4 * minute, opened + 9 * minute) == 0 * minute


def test_no_more_jobs_run_at_a_server_than_it_has_places(
    account: Account, server: Server, clock: Clock
) -> None:
    """Four claims at the same moment, two places; they are counted one after the other."""
    Server.objects.update(runs_at_once=2)
    others = [ordered("business", at=clock.now(), email=f"{n}@example.com") for n in range(3)]
    accounts = [account, *others]
    at = clock.now()
    claims = together(lambda n: runner._claim(accounts[n].pk, at=at, worker=f"w{n}"), 4)
    assert sum(isinstance(each, runner.Claim) for each in claims) == 2
    assert claims.count(None) == 2
    later = at + timedelta(hours=1)
    claim = runner._claim(Job.objects.filter(state="waiting")[0].account_id, at=later, worker="w")
    assert claim is not None, "A dead worker's claim keeps no place."


@pytest.mark.parametrize("at_once", [1, 2])
def test_a_crew_does_what_waits_at_its_server_once(
    account: Account, shop: Simulator, clock: Clock, settings: Settings, at_once: int
) -> None:
    settings.ACCOUNTS_AT_ONCE = at_once
    others = [ordered("business", at=clock.now(), email=f"{n}@example.com") for n in range(3)]
    tasks.run_account(account.pk)
    states = Account.objects.filter(pk__in=[each.pk for each in (account, *others)])
    assert set(states.values_list("state", flat=True)) == {Account.State.LIVE}
    assert len(shop.effects("create")) == len(shop.effects("credit")) == 4


def test_no_more_crews_come_to_a_server_than_its_places_need(
    server: Server, settings: Settings, clock: Clock
) -> None:
    """Three processes at the same moment, six places, of which each takes up to four."""
    settings.ACCOUNTS_AT_ONCE = 4
    server.runs_at_once = 6
    meet, at = Barrier(3), clock.now()

    def come(_: int) -> int:
        with crews.joined(server, at=at) as hands:
            meet.wait(timeout=10)
            return hands

    assert sorted(together(come, 3), key=str) == [0, 3, 3]
    with crews.joined(server, at=at) as hands:
        assert hands == 3, "Whoever leaves makes room."


def test_a_process_that_stands_still_keeps_others_from_a_server_for_a_minute_only(
    server: Server, settings: Settings, clock: Clock
) -> None:
    settings.ACCOUNTS_AT_ONCE = 8

    def come(at: datetime) -> int:
        with crews.joined(server, at=at) as hands:
            return hands

    at = clock.now()
    with crews.joined(server, at=at) as hands, ThreadPoolExecutor(1) as other:
        assert hands == server.runs_at_once == 3
        assert other.submit(come, at).result() == 0
        assert other.submit(come, at + timedelta(minutes=1)).result() == hands
        other.submit(connections.close_all).result()


def test_a_hand_keeps_its_connection_from_one_account_to_the_next(server: Server) -> None:
    sessions: list[tuple[int, int]] = []
    waiting = iter([[2, 3], [4], [5], [6]])

    def work(account_id: int) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            sessions.append((get_ident(), cursor.fetchone()[0]))
        return True

    limit = time.monotonic() + 10
    crews.stay(1, lambda _: next(waiting, []), work, hands=2, until=limit)
    hands = {thread for thread, _ in sessions}
    assert len(sessions) > len(hands) == len(set(sessions))


def test_a_crew_whose_hands_are_all_free_looks_for_more_before_it_leaves() -> None:
    found, done = iter([[], [2], [3]]), []

    def work(account_id: int) -> bool:
        done.append(account_id)
        return True

    crews.stay(1, lambda _: next(found, []), work, hands=2, until=time.monotonic() + 10)
    assert done == [1, 2, 3]


def test_a_crew_looks_for_work_while_a_hand_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crews, "LOOK_SECONDS", 0.01)
    looks, done, late = [0], [], Event()

    def find(limit: int) -> list[int]:
        looks[0] += 1
        return [2] if looks[0] == 3 else []

    def work(account_id: int) -> bool:
        assert account_id == 2 or late.wait(timeout=10)
        late.set()
        done.append(account_id)
        return True

    crews.stay(1, find, work, hands=2, until=time.monotonic() + 10)
    assert done == [2, 1]


def test_a_fault_of_one_hand_is_raised_after_the_others_have_ended(settings: Settings) -> None:
    done, held = [], Event()

    def work(account_id: int) -> bool:
        if account_id == 1:
            held.set()
            raise ZeroDivisionError
        assert held.wait(timeout=10)
        done.append(account_id)
        return True

    with pytest.raises(ZeroDivisionError):
        crews.stay(1, lambda limit: [2], work, hands=2, until=time.monotonic() + 10)
    assert done == [2]


def test_the_sweep_rings_no_oftener_for_a_server_than_it_bears(
    account: Account, server: Server, clock: Clock
) -> None:
    others = [ordered("business", at=clock.now(), email=f"{n}@example.com") for n in range(2)]
    clock.shift(seconds=1)
    Server.objects.filter(pk=server.pk).update(runs_at_once=2)
    assert tasks.accounts_due() == [account.pk, others[0].pk]
    assert len(tasks.accounts_due(server.pk)) == 3


def test_a_server_that_is_not_asked_holds_up_no_other(
    account: Account, server: Server, shop: Simulator, clock: Clock
) -> None:
    other = Server.objects.exclude(pk=server.pk).get()
    breaks(server, shop)
    shop.start_again()
    Account.objects.filter(pk=account.pk).update(server=other)
    assert tasks.accounts_due() == [account.pk]
    assert tasks.accounts_due(server.pk) == []


def test_processes_share_the_pace_of_a_server_fairly(server: Server, shop: Simulator) -> None:
    Server.objects.update(requests_a_second=10)
    server.refresh_from_db()
    begun = time.monotonic()
    done = together(lambda _: [servers.connect(server).check(), time.monotonic()][1], 4)
    moments = sorted(each - begun for each in done if isinstance(each, float))
    assert len(moments) == 4
    assert all(moment >= 0.1 * index for index, moment in enumerate(moments))


def test_without_a_turn_in_time_nothing_is_sent(server: Server, shop: Simulator) -> None:
    Server.objects.update(requests_a_second=1)
    server.refresh_from_db()
    dialler = servers.connect(server, ends_at=time.monotonic() + 0.8)
    dialler.check()
    before = len(shop.log()["requests"])
    with pytest.raises(NotSent, match="pace"):
        dialler.check()
    assert len(shop.log()["requests"]) == before
    assert circuit().recent == ""


def test_a_server_without_a_list_of_roles_is_tested_by_a_name_that_nobody_has(
    server: Server, shop: Simulator, clock: Clock
) -> None:
    server.mapping["methods"]["roles"] = ""
    server.save(update_fields=["mapping"])
    assert servers.check(server, at=clock.now()) is True
    assert server.check_note == "works"
    assert shop.log()["requests"][-1]["method"] == "Client_Get"


def test_each_server_is_tested_once_a_minute(shop: Simulator, clock: Clock) -> None:
    due = tasks.servers_to_check()
    assert len(due) == 2
    together(lambda n: tasks.check_server(due[n % 2]), 6)
    assert len(shop.log()["requests"]) == 2
    assert tasks.servers_to_check() == []
    clock.shift(seconds=61)
    assert tasks.servers_to_check() == due


def test_balances_are_not_read_from_a_server_that_is_not_asked(
    account: Account, server: Server, shop: Simulator, clock: Clock
) -> None:
    clock.work()
    with transaction.atomic():
        jobs.read_balances([account], at=clock.now(), actor="test")
    breaks(server, shop)
    assert tasks.servers_to_read() == []
