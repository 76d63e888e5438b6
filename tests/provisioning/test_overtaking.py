"""A suspension for fraud waits for nobody, and is not undone by what it overtook."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from django.db import transaction

from provisioning import jobs
from provisioning.dialler.base import Limits
from provisioning.models import Account, Job
from provisioning.simulator.simulator import Simulator
from tests import world
from tests.clock import Clock
from tests.provisioning.conftest import opened, topped_up

SMALL = Limits(tariff="standard", channels=3, services=("voice",), units=())
DONE, PARKED = Job.State.DONE, Job.State.PARKED


@pytest.fixture
def live(account: Account, clock: Clock) -> Account:
    return opened(account, clock)


def suspend_at_once(account: Account, clock: Clock) -> list[Job]:
    with transaction.atomic():
        return jobs.suspend(account, cause="fraud", at=clock.now(), actor="test", at_once=True)


def runs(dialler: Simulator, account: Account) -> bool:
    remote = dialler.account(account.username)
    assert remote is not None
    return bool(remote["active"])


def states(*kinds: Job.Kind) -> list[str]:
    found = Job.objects.filter(kind__in=kinds, cause__contains="fraud").order_by("seq")
    return list(found.values_list("state", flat=True))


def test_it_overtakes_a_parked_job(live: Account, shop: Simulator, clock: Clock) -> None:
    topped_up(live, at=clock.now())
    shop.faults.add("Client_Payment_Create", answer="refused")
    clock.work()
    suspend_at_once(live, clock)
    clock.work()
    live.refresh_from_db()
    assert (live.state, runs(shop, live)) == (Account.State.SUSPENDED, False)
    # The one in its turn still waits behind what is parked.
    assert states(Job.Kind.SUSPEND) == [DONE, Job.State.WAITING]


def test_what_it_overtook_does_not_let_the_account_run_again(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    """An update carries all that was read before, also that the account was running."""
    with transaction.atomic():
        jobs.set_limits(live, SMALL, cause="limits", at=clock.now(), actor="test")
    shop.faults.add("Client_Update", answer="500", apply="no")
    clock.work()
    late = next(each for each in shop.log()["requests"] if each["fault"])
    suspend_at_once(live, clock)
    clock.work()
    assert not runs(shop, live)
    takes_effect_after_all(shop, late["arguments"])
    assert runs(shop, live)
    clock.pass_by(minutes=3)
    live.refresh_from_db()
    assert (live.state, runs(shop, live)) == (Account.State.SUSPENDED, False)
    assert not Job.objects.exclude(state=DONE).exists()


def takes_effect_after_all(dialler: Simulator, arguments: dict[str, Any]) -> None:
    """Let the dialler do now what it was asked for before."""
    login = {"username": "admin", "password": world.SIMULATOR_PASSWORD}
    fields = {"client_id": arguments["client_id"], "client": json.dumps(arguments["client"])}
    endpoint = f"{dialler.base_url('current')}/Client_Update"
    answer = requests.post(endpoint, data={**login, **fields}, timeout=5)
    assert answer.json()[0] is True


def test_what_would_let_it_run_again_is_cancelled(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    with transaction.atomic():
        jobs.suspend(live, cause="unpaid", at=clock.now(), actor="test")
        jobs.unsuspend(live, cause="paid", at=clock.now(), actor="test")
    suspend_at_once(live, clock)
    clock.work()
    live.refresh_from_db()
    assert (live.state, runs(shop, live)) == (Account.State.SUSPENDED, False)
    assert Job.objects.get(cause="paid").reason == "overtaken by fraud"


def test_before_the_account_exists_it_takes_its_turn(
    account: Account, shop: Simulator, clock: Clock
) -> None:
    suspend_at_once(account, clock)
    clock.work()
    account.refresh_from_db()
    assert (account.state, runs(shop, account)) == (Account.State.SUSPENDED, False)
    assert states(Job.Kind.SUSPEND) == [DONE, DONE]


def test_asked_twice_it_is_one(live: Account, shop: Simulator, clock: Clock) -> None:
    assert suspend_at_once(live, clock) == suspend_at_once(live, clock)
