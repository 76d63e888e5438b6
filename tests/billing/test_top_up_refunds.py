"""Unused credit goes back in two steps: off the dialler, then a credit note over what was taken."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.test import Client

from billing import balances, credits, invariants, tasks, top_up_refunds
from billing.models import Invoice, OrderLine, TopUpRefund
from packages.desk import Impossible
from packages.money import Money
from packages.states import history_of
from provisioning import desk
from provisioning.models import Account, Job, Server
from provisioning.simulator.simulator import Simulator
from tests.clock import Clock
from tests.provisioning.conftest import after_each_attempt, ordered, topped_up


@pytest.fixture
def line(shop: Simulator, clock: Clock) -> OrderLine:
    """Credit of 25.00 that was bought beside the 20.00 of the package, and has arrived."""
    account = ordered("business", at=clock.now())
    clock.work()
    line = topped_up(account, at=clock.now())
    clock.work()
    return line


def test_what_is_left_is_taken_then_credited_once(
    line: OrderLine, clock: Clock, shop: Simulator
) -> None:
    refund = top_up_refunds.ask(line, reason="not needed", at=clock.now(), actor="staff:1")
    with pytest.raises(Impossible):
        top_up_refunds.ask(line, reason="again", at=clock.now(), actor="staff:1")
    tasks.watch_balances()
    assert not Invoice.objects.filter(kind="credit_note").exists()
    clock.work()
    for _ in range(2):
        tasks.watch_balances()
    refund.refresh_from_db()
    assert (refund.state, refund.taken_minor) == (TopUpRefund.State.CREDITED, 25_00)
    note = Invoice.objects.get(kind="credit_note")
    assert (note.total_minor, note.reason) == (25_00, "not needed")
    assert balances.of(line.order.customer, "EUR").minor == 25_00
    assert [each["balance"] for each in shop.accounts()] == ["20.0000"]
    assert [each.after for each in history_of(refund)] == ["asked", "taken", "credited"]
    with pytest.raises(Impossible):
        top_up_refunds.ask(line, reason="more", at=clock.now(), actor="staff:1")


def test_parked_work_credits_nothing_until_it_is_done(
    line: OrderLine, clock: Clock, admin_client: Client
) -> None:
    mapping = Server.objects.filter(currency="EUR")
    for server in mapping:
        server.mapping = {**server.mapping, "capabilities": {"debit": "manual"}}
        server.save()
    page = f"/admin/billing/subscription/{line.subscription_id}/do/refund-credit/"
    assert "€25.00" in admin_client.get(page).content.decode()
    answer = admin_client.post(page, {"line": line.pk, "reason": "asked by phone"})
    assert answer.status_code == 302
    clock.work()
    tasks.watch_balances()
    assert Job.objects.get(kind=Job.Kind.TAKE_BACK).state == Job.State.PARKED
    assert TopUpRefund.objects.get().state == TopUpRefund.State.ASKED
    assert not Invoice.objects.filter(kind="credit_note").exists()
    assert Account.objects.get().balance_minor == 45_00
    assert invariants.violations() == []


def test_credit_that_came_after_it_was_spent_is_not_taken_in_its_place(
    line: OrderLine, clock: Clock, shop: Simulator
) -> None:
    """Nobody knows yet that all is spent when the refund is asked for, and a gift is on its way."""
    account = Account.objects.get()
    shop.burn(shop.accounts()[0]["username"], "45")
    with transaction.atomic():
        credits.gift(
            account,
            Money(10_00, "EUR"),
            expires_on=None,
            cause="gift-1",
            reason="sorry",
            at=clock.now(),
            actor="staff:1",
        )
    refund = top_up_refunds.ask(line, reason="not needed", at=clock.now(), actor="staff:1")
    clock.work()
    tasks.watch_balances()
    refund.refresh_from_db()
    assert (refund.state, refund.taken_minor) == (TopUpRefund.State.NOTHING, None)
    assert [each["balance"] for each in shop.accounts()] == ["10.0000"]
    assert invariants.violations() == []


def test_what_was_spent_while_the_dialler_was_away_is_not_paid_back(
    line: OrderLine, clock: Clock, shop: Simulator
) -> None:
    refund = top_up_refunds.ask(line, reason="not needed", at=clock.now(), actor="staff:1")
    with after_each_attempt(lambda _: shop.stop()):
        clock.work()
    shop.start_again()
    shop.burn(shop.accounts()[0]["username"], "45")
    clock.pass_by(minutes=3)
    tasks.watch_balances()
    refund.refresh_from_db()
    assert (refund.state, refund.taken_minor) == (TopUpRefund.State.NOTHING, None)
    assert not Invoice.objects.filter(kind="credit_note").exists()
    assert invariants.violations() == []


@pytest.mark.parametrize("happened", [True, False])
def test_after_a_lost_answer_staff_say_whether_it_was_taken_or_spent(
    line: OrderLine, clock: Clock, shop: Simulator, *, happened: bool
) -> None:
    refund = top_up_refunds.ask(line, reason="not needed", at=clock.now(), actor="staff:1")
    apply = "yes" if happened else "no"
    shop.faults.add("Client_Payment_Create", times=1, answer="500", apply=apply)
    clock.work()
    shop.burn(shop.accounts()[0]["username"], "45")
    clock.pass_by(minutes=6)
    job = Job.objects.get(kind=Job.Kind.TAKE_BACK)
    assert job.state == Job.State.PARKED
    decide = desk.mark_applied if happened else desk.mark_not_applied
    decide(job, proof="its payments", seen=job.fence, at=clock.now(), actor="staff:1")
    clock.work()
    tasks.watch_balances()
    refund.refresh_from_db()
    paid_back = balances.of(line.order.customer, "EUR").minor
    assert (refund.taken_minor or 0, paid_back) == ((25_00, 25_00) if happened else (0, 0))
    assert invariants.violations() == []
