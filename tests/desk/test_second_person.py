"""The rule of two: above a sum one person proposes, another one approves, and both are recorded."""

from __future__ import annotations

import pytest
from django.test import Client

from billing import rests
from billing.models import CreditBucket, Invoice, User
from packages.models import Proposal, SecondPerson
from provisioning.models import Account, Job
from provisioning.simulator.simulator import Simulator
from tests.desk import pages


@pytest.fixture
def colleague(shop: Simulator) -> Client:
    client = Client()
    client.force_login(
        User.objects.create_superuser("colleague@example.com", "correct-horse-battery")
    )
    return client


def above(minor: int) -> None:
    SecondPerson.objects.create(currency="EUR", above_minor=minor)


def test_credit_above_the_sum_is_applied_by_two_and_up_to_it_by_one(
    staff: Client, colleague: Client, doubtful_credit: Job, account: Account
) -> None:
    above(19_99)
    response = pages.press(staff, doubtful_credit, "applied", proof="Payment 17 in its list")
    assert "a second person has to approve €20.00" in pages.text(response)
    doubtful_credit.refresh_from_db()
    assert doubtful_credit.state == Job.State.PARKED
    assert not CreditBucket.objects.exists()
    proposal = Proposal.objects.get()
    assert "Payment 17 in its list" in pages.opened(colleague, proposal, "approve")
    assert "€20.00" in pages.opened(colleague, proposal, "deny")
    Proposal.objects.update(about="Gutschrift")
    assert "Gutschrift</h1>" not in staff.get(pages.address(proposal)).content.decode()
    assert "approve" not in pages.offered(staff, proposal)
    response = pages.submit(staff, proposal, "approve", {})
    assert "You have proposed this yourself." in pages.text(response)
    doubtful_credit.refresh_from_db()
    assert doubtful_credit.state == Job.State.PARKED
    pages.press(colleague, proposal, "approve")
    doubtful_credit.refresh_from_db()
    proposal.refresh_from_db()
    assert (doubtful_credit.state, proposal.state) == (Job.State.DONE, Proposal.State.APPROVED)
    actor = pages.last_change(doubtful_credit).actor
    assert actor == f"{proposal.decided_by}, proposed by {proposal.proposed_by}"
    assert pages.offered(colleague, proposal) == []
    # The sum itself is one person's.
    SecondPerson.objects.update(above_minor=49_00)
    invoice = Invoice.objects.get()
    line = next(iter(rests.left_of(invoice)))
    html = pages.opened(staff, invoice, "credit")
    fields = {f"line_{line.pk}": "49.00", "reason": "x", "way": ""}
    shown = pages.submit(staff, invoice, "credit", {**pages.hidden(html), **fields})
    sums = pages.hidden(shown.content.decode())
    pages.submit(staff, invoice, "credit", {**sums, **fields})
    assert Invoice.objects.filter(kind=Invoice.Kind.CREDIT_NOTE).count() == 1
    assert Proposal.objects.count() == 1


def test_what_is_denied_is_not_done_and_may_be_proposed_anew(
    staff: Client, colleague: Client, doubtful_credit: Job
) -> None:
    above(0)
    for _ in range(2):
        pages.press(staff, doubtful_credit, "not-applied", proof="No payment in its list")
    proposal = Proposal.objects.get()
    pages.press(colleague, proposal, "deny", reason="Look at page two")
    doubtful_credit.refresh_from_db()
    proposal.refresh_from_db()
    assert (doubtful_credit.state, proposal.state) == (Job.State.PARKED, Proposal.State.DENIED)
    assert pages.last_change(proposal).reason == "Look at page two"
    pages.press(staff, doubtful_credit, "applied", proof="It is on page two")
    assert Proposal.objects.filter(state=Proposal.State.PROPOSED).count() == 1


def test_what_has_changed_meanwhile_is_not_done_by_an_old_proposal(
    staff: Client, colleague: Client, doubtful_credit: Job
) -> None:
    above(0)
    pages.press(staff, doubtful_credit, "not-applied", proof="No payment in its list")
    proposal = Proposal.objects.get()
    SecondPerson.objects.all().delete()
    pages.press(staff, doubtful_credit, "applied", proof="It is in the list after all")
    assert pages.offered(colleague, proposal) == ["deny"]
    assert colleague.post(pages.deed_address(proposal, "approve"), {}).status_code == 302
    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.PROPOSED


def test_who_may_not_do_the_deed_may_not_approve_it(staff: Client, doubtful_credit: Job) -> None:
    above(0)
    pages.press(staff, doubtful_credit, "applied", proof="seen")
    helper = Client()
    helper.force_login(User.objects.create_user("helper@example.com", "x" * 20, is_staff=True))
    address = pages.deed_address(Proposal.objects.get(), "approve")
    assert helper.post(address, {}).status_code == 403
    doubtful_credit.refresh_from_db()
    assert doubtful_credit.state == Job.State.PARKED
