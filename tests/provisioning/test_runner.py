"""The job engine against the simulator: whatever the dialler does, the effect is there once."""

from __future__ import annotations

from typing import Any

import pytest

from billing.models import Mail
from provisioning.models import Account, Attempt, Job
from provisioning.simulator.simulator import Simulator
from tests import world
from tests.clock import Clock
from tests.provisioning.conftest import add_stranger, topped_up

CREATE = "Client_Create"
CREDIT = "Client_Payment_Create"
LIMITS = "Client_Update"
UNCLEAR = [
    {"answer": "500", "apply": "yes"},
    {"answer": "500", "apply": "no"},
    {"answer": "html", "apply": "yes"},
    {"answer": "html", "apply": "no"},
    {"answer": "truncated", "apply": "yes"},
    {"answer": "truncated", "apply": "no"},
    {"answer": "empty", "apply": "yes"},
    {"answer": "wrong_type", "apply": "no"},
    {"answer": "errorcode_200", "apply": "yes"},
    {"answer": "errorcode_500", "apply": "no"},
    {"answer": "reset_after", "apply": "yes"},
    {"answer": "hang:3", "apply": "yes"},
    {"answer": "hang:3", "apply": "no"},
    {"answer": "redirect", "apply": "no"},
]


def is_complete(account: Account, dialler: Simulator) -> None:
    """The account exists once with its package's limits, credited once, and was mailed once."""
    account.refresh_from_db()
    assert account.state == Account.State.LIVE
    (remote,) = dialler.accounts()
    assert remote["username"] == account.username
    assert remote["balance"] == "20.0000"
    assert remote["channels"] == 20
    assert remote["rate_plan"] == "business"
    assert len(dialler.effects("create")) == 1
    assert len(dialler.effects("credit")) == 1
    assert Mail.objects.filter(template="account_ready").count() == 1
    assert not Job.objects.exclude(state=Job.State.DONE).exists()


def test_a_paid_order_becomes_a_running_account(
    account: Account, shop: Simulator, clock: Clock
) -> None:
    clock.work()
    is_complete(account, shop)


@pytest.mark.parametrize("method", [CREATE, CREDIT, LIMITS])
@pytest.mark.parametrize("fault", UNCLEAR, ids=lambda f: f"{f['answer']}-{f['apply']}")
def test_an_unclear_answer_is_settled_by_reading(
    account: Account, shop: Simulator, clock: Clock, method: str, fault: dict[str, Any]
) -> None:
    if fault["answer"].startswith("hang"):
        world.give_up_soon()
    shop.faults.add(method, times=1, **fault)
    clock.work()
    clock.pass_by(minutes=5)
    is_complete(account, shop)


def test_nothing_is_sent_again_before_the_quiet_time_is_over(
    account: Account, shop: Simulator, clock: Clock
) -> None:
    shop.faults.add(CREATE, times=1, answer="500", apply="no")
    clock.work()
    clock.advance(seconds=20)
    assert Attempt.objects.count() == 1
    clock.pass_by(minutes=2)
    is_complete(account, shop)


def test_an_effect_that_comes_late_is_still_found_once(
    account: Account, shop: Simulator, clock: Clock
) -> None:
    shop.faults.add(CREATE, times=1, answer="reset_before", apply="late:0.2")
    clock.work()
    clock.pass_by(minutes=3)
    is_complete(account, shop)


def test_a_dialler_that_is_down_for_an_hour_costs_an_hour(
    account: Account, shop: Simulator, clock: Clock
) -> None:
    shop.stop()
    clock.work()
    for _ in range(12):
        clock.advance(minutes=5)
    assert Attempt.objects.exclude(outcome=Attempt.Outcome.NOT_SENT).count() == 0
    shop.start_again()
    clock.advance(minutes=6)
    is_complete(account, shop)


def test_a_username_of_somebody_else_is_left_alone(
    account: Account, shop: Simulator, clock: Clock
) -> None:
    taken = account.username
    add_stranger(shop, taken)
    clock.work()
    account.refresh_from_db()
    assert account.username != taken
    assert account.state == Account.State.LIVE
    assert shop.account(taken)["balance"] == "0.0000"  # type: ignore[index]
    assert shop.account(account.username)["balance"] == "20.0000"  # type: ignore[index]


def test_a_username_taken_while_our_create_was_unanswered_is_parked(
    account: Account, shop: Simulator, clock: Clock
) -> None:
    shop.faults.add(CREATE, times=1, answer="500", apply="no")
    clock.work()
    add_stranger(shop, account.username)
    clock.pass_by(minutes=3)
    job = Job.objects.get(kind=Job.Kind.CREATE)
    assert job.state == Job.State.PARKED
    assert "not provably ours" in job.reason
    assert shop.effects("credit", username=account.username) == []


def test_a_clear_refusal_is_parked_for_staff(
    account: Account, shop: Simulator, clock: Clock
) -> None:
    shop.faults.add(CREDIT, times=1, answer="refused", apply="no")
    clock.work()
    assert Job.objects.get(kind=Job.Kind.CREDIT).state == Job.State.PARKED
    # The account works, so the customer gets the login; staff have the credit in their list.
    assert Mail.objects.filter(template="account_ready").count() == 1


def test_credit_on_a_busy_account_is_parked_when_the_balance_does_not_tell(
    account: Account, shop: Simulator, clock: Clock
) -> None:
    clock.work()
    account.refresh_from_db()
    topped_up(account, at=clock.now())
    shop.faults.add(CREDIT, times=1, answer="500", apply="yes")
    clock.work()
    shop.burn(account.username, "30.00")
    clock.pass_by(minutes=10)
    job = Job.objects.filter(kind=Job.Kind.CREDIT).latest("seq")
    assert job.state == Job.State.PARKED
    assert len(shop.effects("credit")) == 2
