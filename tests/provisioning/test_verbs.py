"""Each command on a running account: its effect, its repetition, and an answer that got lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.db import transaction

from billing import subscriptions
from billing.models import OrderLine, Subscription
from packages.models import Package
from packages.states import record_change
from provisioning import jobs
from provisioning.dialler.base import Limits
from provisioning.models import Account, Attempt, Job, Server
from provisioning.simulator.simulator import Simulator
from tests import world
from tests.clock import Clock
from tests.provisioning.conftest import opened, ordered, topped_up

Deed = Callable[[Account, Clock], Any]
SMALL = Limits(tariff="standard", channels=3, services=("voice",), units=(("voice", 10),))


@pytest.fixture
def live(account: Account, clock: Clock) -> Account:
    return opened(account, clock)


def limit(account: Account, clock: Clock) -> None:
    jobs.set_limits(account, SMALL, cause="test", at=clock.now(), actor="test")


def credit(account: Account, clock: Clock) -> None:
    line = OrderLine.objects.filter(kind=OrderLine.Kind.TOP_UP).first()
    line = line or topped_up(account, at=clock.now())
    subscriptions.top_up(line.subscription, line, at=clock.now(), actor="test")


def suspend(account: Account, clock: Clock) -> None:
    jobs.suspend(account, cause="test", at=clock.now(), actor="test")


def password(account: Account, clock: Clock) -> None:
    jobs.change_password(account, "Another-Secret-1", cause="test", at=clock.now(), actor="test")


def terminate(account: Account, clock: Clock) -> None:
    at = clock.now()
    jobs.terminate(account, cause="test", delete_at=at + timedelta(minutes=1), at=at, actor="test")
    service = Subscription.objects.get(account=account)
    if service.state != Subscription.State.ENDED:
        service.next_invoice_on = None
        also = ("next_invoice_on",)
        service.move(Subscription.State.ENDED, at=at, actor="test", reason="test", also=also)


def signs_in(dialler: Simulator, username: str, word: str) -> bool:
    data = {"username": username, "password": word}
    return requests.post(f"{dialler.url}/login", data=data, timeout=5).status_code == 200


# Deed, the method it is sent by, its verb in the truth log, and how the account looks afterwards.
DEEDS: list[tuple[Deed, str, str, dict[str, Any]]] = [
    (limit, "Client_Update", "update", {"channels": 3, "rate_plan": "standard"}),
    (credit, "Client_Payment_Create", "credit", {"balance": "45.0000"}),
    (suspend, "Client_Update", "suspend", {"active": False, "balance": "20.0000"}),
    (password, "Client_Update", "password", {"active": True}),
    (terminate, "Client_Delete", "delete", {}),
]


def test_an_account_gets_the_role_of_its_package_or_else_its_servers(
    shop: Simulator, clock: Clock
) -> None:
    Server.objects.update(default_role="2")
    Package.objects.filter(slug="business").update(role="4")
    own = ordered("business", at=clock.now())
    default = ordered("starter", at=clock.now(), email="eve@example.com")
    # What was bought counts, whatever the package says by the time the dialler is asked.
    Package.objects.update(role="5")
    clock.work()
    assert [shop.account(each.username)["role_id"] for each in (own, default)] == ["4", "2"]  # type: ignore[index]


@pytest.mark.parametrize("fault", [None, ("500", "yes"), ("500", "no"), ("hang:3", "yes")])
@pytest.mark.parametrize(
    ("deed", "method", "verb", "after"), DEEDS, ids=[deed[0].__name__ for deed in DEEDS]
)
def test_a_deed_takes_effect_whatever_the_answer(
    live: Account,
    shop: Simulator,
    clock: Clock,
    deed: Deed,
    method: str,
    verb: str,
    after: dict[str, Any],
    fault: tuple[str, str] | None,
) -> None:
    if fault is not None:
        if fault[0].startswith("hang"):
            world.give_up_soon()
        shop.faults.add(method, times=1, answer=fault[0], apply=fault[1])
    for _ in range(2):
        with transaction.atomic():
            deed(live, clock)
    clock.work()
    clock.pass_by(minutes=6)
    remote = shop.account(live.username)
    assert {key: (remote or {})[key] for key in after} == after
    assert not Job.objects.exclude(state=Job.State.DONE).exists()
    if verb in ("credit", "delete"):
        assert len(shop.effects(verb)) == (2 if verb == "credit" else 1)


def test_a_changed_password_opens_the_dialler_and_is_kept_nowhere(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    with transaction.atomic():
        password(live, clock)
    clock.work()
    assert signs_in(shop, live.username, "Another-Secret-1")
    assert Job.objects.get(kind=Job.Kind.CHANGE_PASSWORD).details == {}


def test_suspension_can_be_taken_back_and_keeps_the_balance(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    with transaction.atomic():
        suspend(live, clock)
    clock.work()
    live.refresh_from_db()
    assert live.state == Account.State.SUSPENDED
    with transaction.atomic():
        jobs.unsuspend(live, cause="back", at=clock.now(), actor="test")
    clock.work()
    live.refresh_from_db()
    assert live.state == Account.State.LIVE
    remote = shop.account(live.username)
    assert remote is not None
    assert remote["active"] is True
    assert remote["balance"] == "20.0000"


def test_the_balance_is_read_and_an_absent_one_is_unknown(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    shop.burn(live.username, "3.50")
    with transaction.atomic():
        jobs.read_balances([live], at=clock.now(), actor="test")
    clock.work()
    live.refresh_from_db()
    assert live.balance_minor == 16_50
    read_at = live.balance_at
    shop.switch(hide_balance=True)
    clock.advance(minutes=2)
    with transaction.atomic():
        jobs.read_balances([live], at=clock.now(), actor="test")
    clock.work()
    live.refresh_from_db()
    assert (live.balance_minor, live.balance_at) == (16_50, read_at)


def test_a_job_that_a_dead_worker_left_is_taken_up_after_its_lease(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    with transaction.atomic():
        (job,) = jobs.suspend(live, cause="test", at=clock.now(), actor="test")
    lease_ends = clock.now() + timedelta(seconds=50)
    Job.objects.filter(pk=job.pk).update(state="running", fence=7, claimed_until=lease_ends)
    with transaction.atomic():
        job.refresh_from_db()
        record_change(job, before="waiting", at=clock.now(), actor="dead", reason="claimed")
    clock.advance(seconds=10)
    job.refresh_from_db()
    assert job.state == Job.State.RUNNING
    clock.advance(seconds=60)
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert job.fence == 8
    assert Attempt.objects.filter(job=job).count() == 1
