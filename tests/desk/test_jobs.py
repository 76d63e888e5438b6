"""Parked jobs: only valid buttons, each with exactly what its page promised."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.test import Client
from django.urls import reverse

from billing.models import Mail
from packages.states import record_change
from provisioning import troubles
from provisioning.models import Account, Attempt, Job, Server
from provisioning.simulator.simulator import Simulator
from tests.clock import Clock
from tests.desk import pages

IN_DOUBT = ["verify", "applied", "not-applied", "cancel"]
SETTLED = ["verify", "applied", "cancel"]


def manual(capability: str) -> None:
    """Make one operation of the servers a person's task."""
    for server in Server.objects.all():
        server.mapping["capabilities"][capability] = "manual"
        server.save(update_fields=["mapping"])


def balance(shop: Simulator, account: Account) -> str:
    account.refresh_from_db()
    remote = shop.account(account.username)
    assert remote is not None
    return str(remote["balance"])


def test_only_parked_jobs_have_buttons(
    staff: Client, doubtful_credit: Job, shop: Simulator
) -> None:
    assert pages.offered(staff, doubtful_credit) == IN_DOUBT
    done = Job.objects.get(kind=Job.Kind.CREATE)
    assert pages.offered(staff, done) == []


def test_what_was_refused_is_not_in_doubt(staff: Client, refused_credit: Job) -> None:
    assert pages.offered(staff, refused_credit) == SETTLED


def test_verify_now_reads_before_it_sends(
    staff: Client, doubtful_credit: Job, account: Account, shop: Simulator, clock: Clock
) -> None:
    pages.press(staff, doubtful_credit, "verify")
    doubtful_credit.refresh_from_db()
    assert doubtful_credit.state == Job.State.WAITING
    assert pages.last_change(doubtful_credit).actor.startswith("staff:")
    clock.work()
    assert shop.effects("credit") == []


def test_verify_now_sends_what_was_refused_once_more(
    staff: Client, refused_credit: Job, account: Account, shop: Simulator, clock: Clock
) -> None:
    pages.press(staff, refused_credit, "verify")
    clock.work()
    refused_credit.refresh_from_db()
    assert refused_credit.state == Job.State.DONE
    assert balance(shop, account) == "20.0000"


def test_marked_as_applied_is_done_without_sending(
    staff: Client, doubtful_credit: Job, account: Account, shop: Simulator, clock: Clock
) -> None:
    pages.press(staff, doubtful_credit, "applied", proof="Payment 17 in the dialler's list")
    doubtful_credit.refresh_from_db()
    attempt = doubtful_credit.attempts.get()
    assert doubtful_credit.state == Job.State.DONE
    assert attempt.outcome == Attempt.Outcome.APPLIED
    assert attempt.readings[-1]["proof"] == "Payment 17 in the dialler's list"
    assert "Payment 17" in pages.last_change(doubtful_credit).reason
    clock.work()
    assert shop.effects("credit") == []


def test_marked_as_not_applied_is_sent_once_more(
    staff: Client, doubtful_credit: Job, account: Account, shop: Simulator, clock: Clock
) -> None:
    html = pages.opened(staff, doubtful_credit, "not-applied")
    assert "credited twice" in html
    pages.press(staff, doubtful_credit, "not-applied", proof="No payment in its list")
    doubtful_credit.refresh_from_db()
    assert doubtful_credit.attempts.get().outcome == Attempt.Outcome.ABSENT
    clock.work()
    doubtful_credit.refresh_from_db()
    assert doubtful_credit.state == Job.State.DONE
    assert balance(shop, account) == "20.0000"
    assert len(shop.effects("credit")) == 1


def test_a_cancelled_job_lets_those_behind_it_go_on(
    staff: Client, account: Account, shop: Simulator, clock: Clock
) -> None:
    manual("set_limits")
    clock.work()
    limits = Job.objects.get(kind=Job.Kind.SET_LIMITS)
    credit = Job.objects.get(kind=Job.Kind.CREDIT)
    assert (limits.state, credit.state) == (Job.State.PARKED, Job.State.WAITING)
    pages.press(staff, limits, "cancel", reason="Limits were right from the start")
    limits.refresh_from_db()
    assert limits.state == Job.State.CANCELLED
    assert limits.reason == "Limits were right from the start"
    clock.work()
    credit.refresh_from_db()
    assert credit.state == Job.State.DONE
    assert Mail.objects.filter(template="account_ready").count() == 1


def test_readings_that_showed_the_same_are_one_line(staff: Client, doubtful_credit: Job) -> None:
    attempt = Attempt.objects.get(job=doubtful_credit)
    read = [(10, "undecided"), (20, "undecided"), (30, "undecided"), (40, "absent")]
    attempt.readings = [
        {"at": f"2026-03-02T09:{minute}:00+00:00", "verdict": verdict} for minute, verdict in read
    ]
    attempt.save()
    html = pages.opened(staff, doubtful_credit, "verify")
    assert "3 times" in html
    assert "10:30" in html
    assert "10:20" not in html


def test_only_what_is_sold_speaks_of_money_when_it_is_cancelled(
    staff: Client, doubtful_credit: Job
) -> None:
    refund = "book a refund by hand"
    assert refund in pages.opened(staff, doubtful_credit, "cancel")
    pages.press(staff, doubtful_credit.account, "terminate", delete_on="2026-05-01")
    deletion = Job.objects.get(kind=Job.Kind.TERMINATE)
    assert refund not in pages.opened(staff, deletion, "cancel")


def test_without_proof_or_reason_nothing_happens(staff: Client, doubtful_credit: Job) -> None:
    for code in ("applied", "not-applied", "cancel"):
        response = pages.press(staff, doubtful_credit, code, proof="", reason=" ")
        assert "Nothing was changed." in pages.text(response)
    doubtful_credit.refresh_from_db()
    assert doubtful_credit.state == Job.State.PARKED
    assert doubtful_credit.attempts.get().outcome in Attempt.OPEN


def test_a_double_click_and_an_old_page_change_nothing(
    staff: Client, doubtful_credit: Job, shop: Simulator, clock: Clock
) -> None:
    fields = {**pages.hidden(pages.opened(staff, doubtful_credit, "verify")), "proof": "seen"}
    pages.submit(staff, doubtful_credit, "verify", fields)
    second = pages.submit(staff, doubtful_credit, "verify", fields)
    assert "not possible now" in pages.text(second)
    shop.faults.add("Client_Get", times=9, answer="html", apply="no")
    clock.pass_by(minutes=8)
    doubtful_credit.refresh_from_db()
    assert doubtful_credit.state == Job.State.PARKED
    old = pages.submit(staff, doubtful_credit, "not-applied", fields)
    assert "The job has run since you opened this page." in pages.text(old)
    assert doubtful_credit.attempts.get().outcome in Attempt.OPEN


def overdue(at: datetime) -> list[str]:
    """What would be told as overdue at that time."""
    return [each.cause for each in troubles.find(at=at) if each.kind == "by_hand"]


def test_credit_by_hand_says_what_to_type_and_mails_the_login(
    staff: Client, account: Account, shop: Simulator, clock: Clock
) -> None:
    manual("credit")
    clock.work()
    job = Job.objects.get(kind=Job.Kind.CREDIT)
    assert pages.offered(staff, job) == ["verify", "by-hand", "cancel"]
    html = pages.opened(staff, job, "by-hand")
    assert f"Add €20.00 to account {account.username} in ICTBroadcast, then confirm." in html
    assert overdue(clock.now() + timedelta(hours=7)) == []
    assert overdue(clock.now() + timedelta(hours=8)) == [f"by-hand-{job.pk}"]
    listed = reverse("admin:provisioning_job_changelist")
    assert "1 job" in pages.text(staff.get(listed, {"by_hand": "open"}))
    assert "No jobs" in pages.text(staff.get(listed, {"by_hand": "overdue"}))
    pages.press(staff, job, "by-hand", proof="Payment 18")
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert overdue(clock.now() + timedelta(days=9)) == []
    assert shop.effects("credit") == []
    assert Mail.objects.filter(template="account_ready").count() == 1


def test_a_create_by_hand_needs_the_diallers_id(
    staff: Client, account: Account, shop: Simulator, clock: Clock
) -> None:
    manual("create")
    clock.work()
    job = Job.objects.get(kind=Job.Kind.CREATE)
    html = pages.opened(staff, job, "by-hand")
    assert "Id of the account at the dialler" in html
    response = pages.press(staff, job, "by-hand", proof="made it", remote_id="not an id")
    assert "Nothing was changed." in pages.text(response)
    pages.press(staff, job, "by-hand", proof="made it", remote_id="4711")
    account.refresh_from_db()
    assert (account.state, account.remote_id) == (Account.State.LIVE, "4711")


def test_the_id_of_another_account_is_refused(
    staff: Client, account: Account, clock: Clock
) -> None:
    manual("create")
    clock.work()
    other = Account.objects.create(
        server=account.server,
        username="other",
        remote_id="4711",
        person={},
        limits=account.limits,
        created_at=clock.now(),
    )
    record_change(other, before="", at=clock.now(), actor="test", reason="planned")
    job = Job.objects.get(kind=Job.Kind.CREATE)
    response = pages.press(staff, job, "by-hand", proof="made it", remote_id="4711")
    assert "belongs to the account other already" in pages.text(response)
    job.refresh_from_db()
    assert job.state == Job.State.PARKED
