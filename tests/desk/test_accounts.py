"""What staff ask for an account becomes one job, whatever they press and how often."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from provisioning.models import Account, Job
from provisioning.simulator.simulator import Simulator
from tests.clock import Clock
from tests.desk import pages
from tests.provisioning.conftest import opened


def test_suspend_and_unsuspend_reach_the_dialler(
    staff: Client, account: Account, shop: Simulator, clock: Clock
) -> None:
    opened(account, clock)
    assert pages.offered(staff, account) == [
        *("audit", "balance", "limits", "suspend", "suspend_at_once", "terminate")
    ]
    pages.press(staff, account, "suspend")
    clock.work()
    account.refresh_from_db()
    assert account.state == Account.State.SUSPENDED
    assert len(shop.effects("suspend")) == 1
    pages.press(staff, account, "unsuspend")
    clock.work()
    account.refresh_from_db()
    assert account.state == Account.State.LIVE


def test_pressing_twice_asks_once(staff: Client, account: Account, clock: Clock) -> None:
    opened(account, clock)
    fields = pages.hidden(pages.opened(staff, account, "suspend"))
    pages.submit(staff, account, "suspend", fields)
    pages.submit(staff, account, "suspend", fields)
    assert Job.objects.filter(kind=Job.Kind.SUSPEND).count() == 1
    assert Job.objects.get(kind=Job.Kind.SUSPEND).cause == fields["cause"]


def test_limits_changed_at_the_dialler_are_set_again(
    staff: Client, account: Account, shop: Simulator, clock: Clock
) -> None:
    opened(account, clock)
    pages.press(staff, account, "limits")
    pages.press(staff, account, "balance")
    clock.work()
    assert not Job.objects.exclude(state=Job.State.DONE).exists()


def test_a_termination_can_be_called_off_until_its_day(
    staff: Client, account: Account, shop: Simulator, clock: Clock
) -> None:
    opened(account, clock)
    day = timezone.localdate() + timedelta(days=10)
    pages.press(staff, account, "terminate", delete_on=day.isoformat())
    clock.work()
    deletion = Job.objects.get(kind=Job.Kind.TERMINATE)
    assert deletion.state == Job.State.WAITING
    assert timezone.localdate(deletion.run_at) == day
    assert pages.offered(staff, deletion) == ["cancel"]
    pages.press(staff, deletion, "cancel", reason="The customer stays")
    clock.advance(days=11)
    assert shop.effects("delete") == []
    assert len(shop.accounts()) == 1


def test_a_day_in_the_past_is_refused(staff: Client, account: Account, clock: Clock) -> None:
    opened(account, clock)
    response = pages.press(staff, account, "terminate", delete_on="2020-01-01")
    assert "Choose today or a later day." in pages.text(response)
    assert not Job.objects.filter(kind=Job.Kind.TERMINATE).exists()


def test_a_planned_account_has_no_deeds(staff: Client, account: Account) -> None:
    assert pages.offered(staff, account) == []
