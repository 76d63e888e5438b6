"""Where a person comes in: manual work, jobs that stand still, and counting anew afterwards."""

from __future__ import annotations

import pytest
from django.db import transaction

from provisioning import accounts, desk, jobs, runner, servers
from provisioning.models import Account, Attempt, Job, Server
from provisioning.outcomes import MAX_SETBACKS
from provisioning.runner import MAX_SENDS, MAX_UNREADABLE
from provisioning.simulator.simulator import Simulator
from provisioning.tasks import BATCH, accounts_due
from tests.clock import Clock
from tests.provisioning.conftest import add_stranger, after_each_attempt, opened, ordered, topped_up

CREATE = "Client_Create"
CREDIT = "Client_Payment_Create"
STAFF = "staff:1"


@pytest.fixture
def live(account: Account, clock: Clock) -> Account:
    return opened(account, clock)


def manual(capability: str) -> None:
    """Make one operation of the servers a person's task."""
    for server in Server.objects.all():
        server.mapping["capabilities"][capability] = "manual"
        server.save(update_fields=["mapping"])


def credit_of(account: Account, clock: Clock) -> Job:
    line = topped_up(account, at=clock.now())
    return Job.objects.get(cause=f"order-line-{line.pk}:credit")


@pytest.mark.parametrize("applied", ["yes", "no"])
def test_what_was_sent_is_found_out_before_it_is_done_by_hand(
    live: Account, shop: Simulator, clock: Clock, applied: str
) -> None:
    job = credit_of(live, clock)
    shop.faults.add(CREDIT, times=1, answer="500", apply=applied)
    clock.work()
    manual("credit")
    clock.pass_by(minutes=3)
    job.refresh_from_db()
    assert desk.by_hand(job) is (applied == "no")
    assert job.state == (Job.State.DONE if applied == "yes" else Job.State.PARKED)
    found = Attempt.Outcome.APPLIED if applied == "yes" else Attempt.Outcome.ABSENT
    assert job.attempts.get().outcome == found
    assert len(shop.effects("credit")) == (2 if applied == "yes" else 1)


def test_what_waits_behind_a_cancelled_create_never_touches_a_stranger(
    account: Account, shop: Simulator, clock: Clock
) -> None:
    shop.faults.add(CREATE, times=1, answer="refused")
    clock.work()
    add_stranger(shop, account.username)
    before = shop.account(account.username)
    for kind in (Job.Kind.CREATE, Job.Kind.SET_LIMITS, Job.Kind.CREDIT):
        job = Job.objects.get(state=Job.State.PARKED)
        assert job.kind == kind
        if kind != Job.Kind.CREATE:
            assert job.reason == "the account has no id at the dialler"
        desk.cancel(job, reason="x", seen=job.fence, at=clock.now(), actor=STAFF)
        clock.advance(minutes=1)
    with transaction.atomic():
        (reading,) = jobs.read_balances([account], at=clock.now(), actor="test")
    clock.work()
    reading.refresh_from_db()
    account.refresh_from_db()
    assert reading.state == Job.State.CANCELLED
    assert account.remote_id == ""
    assert shop.account(account.username) == before
    assert not Attempt.objects.exclude(job__kind=Job.Kind.CREATE).exists()


def appear(account: Account) -> None:
    """Let the dialler do now what it was asked long ago."""
    password = accounts.password_of(account)
    assert password is not None
    dialler = servers.connect(account.server)
    dialler.create(accounts.spec_of(account), password=password, marker=str(account.marker))


@pytest.mark.parametrize("when", ["before the last look", "after the last look"])
def test_a_create_that_comes_after_two_absent_readings_is_adopted(
    account: Account, shop: Simulator, clock: Clock, when: str
) -> None:
    shop.faults.add(CREATE, times=1, answer="500", apply="no")
    clock.work()
    first = Attempt.objects.get()
    while first.outcome != Attempt.Outcome.ABSENT:
        clock.shift(seconds=11)
        runner.run_next(account.pk, at=clock.now(), worker="test")
        first.refresh_from_db()
    appeared: list[Attempt] = []

    def comes_late(attempt: Attempt) -> None:
        if attempt.job.kind == Job.Kind.CREATE:
            appeared.append(attempt)
            appear(account)

    if when == "before the last look":
        appear(account)
    with after_each_attempt(comes_late):
        clock.pass_by(minutes=1)
    account.refresh_from_db()
    assert len(appeared) == (when == "after the last look")
    assert account.state == Account.State.LIVE
    assert [each["username"] for each in shop.accounts()] == [account.username]
    assert [effect["amount"] for effect in shop.effects("credit")] == ["20.00"]


def test_our_account_is_known_by_its_email_in_any_case(
    account: Account, shop: Simulator, clock: Clock
) -> None:
    shop.faults.add(CREATE, times=1, answer="500", apply="no")
    clock.work()
    add_stranger(shop, account.username, email="ADA@Example.COM")
    clock.pass_by(minutes=2)
    account.refresh_from_db()
    assert account.state == Account.State.LIVE
    assert Attempt.objects.filter(job__kind=Job.Kind.CREATE).get().outcome == "applied"


def test_a_misconfigured_server_is_left_to_staff_after_some_tries(
    account: Account, shop: Simulator, clock: Clock
) -> None:
    shop.faults.add("*", times=-1, answer="401")
    clock.work()
    job = Job.objects.get(kind=Job.Kind.CREATE)
    assert job.state == Job.State.WAITING
    for _ in range(MAX_SETBACKS):
        clock.advance(minutes=6)
    job.refresh_from_db()
    assert (job.state, job.tries) == (Job.State.PARKED, MAX_SETBACKS)
    assert job.reason.startswith("Misconfigured: ")
    shop.faults.clear()
    desk.verify_now(job, seen=job.fence, at=clock.now(), actor=STAFF)
    clock.work()
    account.refresh_from_db()
    assert account.state == Account.State.LIVE


def test_reading_a_balance_holds_up_no_credit(live: Account, shop: Simulator, clock: Clock) -> None:
    manual("read_balance")
    with transaction.atomic():
        (reading,) = jobs.read_balances([live], at=clock.now(), actor="test")
    shop.faults.add("Client_Get", times=1, answer="401")
    credit = credit_of(live, clock)
    clock.work()
    credit.refresh_from_db()
    reading.refresh_from_db()
    assert reading.state == Job.State.CANCELLED
    assert credit.state == Job.State.DONE


@pytest.mark.parametrize("head", ["parked", "later"])
def test_accounts_that_stand_still_do_not_keep_the_sweep_from_others(
    account: Account, shop: Simulator, clock: Clock, head: str
) -> None:
    if head == "parked":
        shop.faults.add(CREATE, times=1, answer="refused")
    else:
        shop.faults.add(CREATE, times=1, answer="500", apply="no")
    clock.work()
    behind = [jobs.Wish(account, Job.Kind.SUSPEND, f"behind-{each}") for each in range(BATCH)]
    with transaction.atomic():
        jobs.add(behind, at=clock.now(), actor="test")
    clock.shift(seconds=1)
    other = ordered("business", at=clock.now(), email="other@example.com")
    assert accounts_due() == [other.pk]


def test_after_a_person_has_looked_the_readings_count_anew(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    job = doubtful(live, shop, clock)
    attempt = job.attempts.get()
    assert len(attempt.readings) == MAX_UNREADABLE
    desk.verify_now(job, seen=job.fence, at=clock.now(), actor=STAFF)
    clock.pass_by(minutes=8)
    attempt.refresh_from_db()
    assert len(attempt.readings) == 2 * MAX_UNREADABLE + 1
    job.refresh_from_db()
    desk.mark_applied(job, proof="seen", seen=job.fence, at=clock.now(), actor=STAFF)
    assert job.attempts.get().outcome == Attempt.Outcome.APPLIED
    assert len(shop.effects("credit")) == 1


def test_after_a_person_has_decided_the_sendings_count_anew(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    job = doubtful(live, shop, clock)
    for _ in range(MAX_SENDS):
        shop.faults.add(CREDIT, times=1, answer="500", apply="no")
        desk.mark_not_applied(job, proof="seen", seen=job.fence, at=clock.now(), actor=STAFF)
        clock.pass_by(minutes=8)
        job.refresh_from_db()
        assert job.state == Job.State.PARKED
    desk.mark_not_applied(job, proof="seen", seen=job.fence, at=clock.now(), actor=STAFF)
    clock.work()
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert job.attempts.count() == MAX_SENDS + 2
    assert [effect["amount"] for effect in shop.effects("credit")] == ["20.00", "25.00"]


def test_what_was_refused_can_be_sent_again_as_often_as_a_person_asks(
    live: Account, shop: Simulator, clock: Clock
) -> None:
    job = credit_of(live, clock)
    shop.faults.add(CREDIT, times=MAX_SENDS + 1, answer="refused")
    clock.work()
    for _ in range(MAX_SENDS + 1):
        job.refresh_from_db()
        assert job.reason.startswith("refused: ")
        desk.verify_now(job, seen=job.fence, at=clock.now(), actor=STAFF)
        clock.work()
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert [effect["amount"] for effect in shop.effects("credit")] == ["20.00", "25.00"]


def doubtful(account: Account, dialler: Simulator, clock: Clock) -> Job:
    """Leave a credit of 25.00 unanswered and unreadable, so that it waits for staff."""
    dialler.switch(hide_balance=True)
    job = credit_of(account, clock)
    dialler.faults.add(CREDIT, times=1, answer="500", apply="no")
    clock.work()
    clock.pass_by(minutes=8)
    job.refresh_from_db()
    assert job.state == Job.State.PARKED
    return job


@pytest.mark.parametrize("applied", [False, True])
def test_staff_decide_what_was_read_as_absent_before_calls_hid_it(
    live: Account, shop: Simulator, clock: Clock, applied: bool
) -> None:
    """Two readings said no, but before it was sent again calls made the balance tell nothing."""
    job = credit_of(live, clock)
    shop.faults.add(CREDIT, times=1, answer="500", apply="no")
    _run_until(job, "read twice", clock)
    shop.burn(live.username, "1.00")
    clock.work()
    job.refresh_from_db()
    assert job.reason == "the dialler does not tell whether this is needed"
    seen, proof = job.fence, "seen at the dialler"
    decide = desk.mark_applied if applied else desk.mark_not_applied
    decide(job, proof=proof, seen=seen, at=clock.now(), actor=STAFF)
    clock.work()
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert len(shop.effects("credit")) == (1 if applied else 2)
    first = job.attempts.first()
    assert first is not None
    assert first.settled_by_staff
    assert first.outcome == (Attempt.Outcome.APPLIED if applied else Attempt.Outcome.ABSENT)


def _run_until(job: Job, reason: str, clock: Clock) -> None:
    """Do one step of the job after the other, at its time, until it stands at this reason."""
    for _ in range(20):
        runner.run_next(job.account_id, at=clock.now(), worker="test")
        job.refresh_from_db()
        if job.reason.startswith(reason):
            return
        clock.shift(seconds=max(0.0, (job.run_at - clock.now()).total_seconds()) + 0.001)
    pytest.fail(f"the job stands at: {job.reason}")
