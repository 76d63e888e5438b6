"""Cancel and refund: what cannot be done is given up, and all that was paid for it credited."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from billing import balances
from billing.models import Invoice, Refund, Subscription
from packages.models import Proposal, SecondPerson
from provisioning.models import Account, Job
from provisioning.simulator.simulator import Simulator
from tests.clock import Clock
from tests.desk import pages
from tests.provisioning.conftest import topped_up


@pytest.fixture
def refused_create(account: Account, shop: Simulator, clock: Clock) -> Job:
    """A new account that the dialler refuses to make, three times."""
    shop.faults.add("Client_Create", times=9, answer="refused", apply="no")
    clock.work()
    job = Job.objects.get(kind=Job.Kind.CREATE)
    assert job.state == Job.State.PARKED
    return job


def test_an_account_that_cannot_be_made_is_given_up_and_its_price_credited(
    staff: Client, refused_create: Job, account: Account, shop: Simulator, clock: Clock
) -> None:
    html = pages.opened(staff, refused_create, "cancel-refund")
    assert "All jobs of the account are cancelled, and its service ends." in html
    pages.press(staff, refused_create, "cancel-refund", reason="Not possible", way="")
    account.refresh_from_db()
    subscription = Subscription.objects.get()
    note = Invoice.objects.get(kind=Invoice.Kind.CREDIT_NOTE)
    paid = Invoice.objects.get(kind=Invoice.Kind.INVOICE)
    assert (account.state, subscription.state) == ("closed", "ended")
    assert {job.state for job in Job.objects.all()} == {Job.State.CANCELLED}
    assert note.total == paid.total
    assert balances.of(note.customer, note.currency) == paid.total
    assert pages.last_change(refused_create).actor.startswith("staff:")
    clock.work()
    assert shop.accounts() == []
    assert pages.offered(staff, refused_create) == []


def test_bought_credit_that_is_refused_goes_back_the_way_that_is_chosen(
    staff: Client, account: Account, shop: Simulator, clock: Clock
) -> None:
    clock.work()
    account.refresh_from_db()
    line = topped_up(account, at=clock.now())
    shop.faults.add("Client_Payment_Create", times=1, answer="refused", apply="no")
    clock.work()
    job = Job.objects.get(cause=f"order-line-{line.pk}:credit")
    SecondPerson.objects.create(currency="EUR", above_minor=0)
    pages.press(staff, job, "cancel-refund", reason="Refused", way="transfer")
    proposal = Proposal.objects.get()
    assert proposal.amount.minor == line.order.invoice.total_minor
    SecondPerson.objects.all().delete()
    pages.press(staff, proposal, "deny", reason="There is no rule any more")
    pages.press(staff, job, "cancel-refund", reason="Refused", way="transfer")
    job.refresh_from_db()
    account.refresh_from_db()
    refund = Refund.objects.get()
    assert (job.state, account.state) == (Job.State.CANCELLED, Account.State.LIVE)
    assert (refund.way, refund.amount) == (Refund.Way.TRANSFER, line.order.invoice.total)
    assert not balances.of(account.subscription.customer, "EUR")


def test_included_credit_has_no_price_of_its_own(staff: Client, refused_credit: Job) -> None:
    assert "cancel-refund" not in pages.offered(staff, refused_credit)


def test_jobs_are_filtered_by_age_and_servers_have_a_page_of_their_health(
    staff: Client, refused_credit: Job, clock: Clock
) -> None:
    address = reverse("admin:provisioning_job_changelist")
    assert "1 job" in pages.text(staff.get(address, {"state__exact": "parked"}))
    assert "No jobs" in pages.text(staff.get(address, {"unfinished": "15m"}))
    Job.objects.update(created_at=clock.now() - timedelta(minutes=16))
    assert "1 job" in pages.text(staff.get(address, {"unfinished": "15m"}))
    said = pages.text(staff.get(reverse("admin:provisioning_server_health")))
    assert "Jobs that need staff 1" in said
    assert "of them done 1, refused 1, not sent 0, without a clear answer 0" in said
