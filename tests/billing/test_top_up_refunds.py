"""Unused credit goes back in two steps: off the dialler, then a credit note over what was taken."""

from __future__ import annotations

import pytest
from django.test import Client

from billing import balances, invariants, tasks, top_up_refunds
from billing.models import Invoice, OrderLine, TopUpRefund
from packages.desk import Impossible
from packages.states import history_of
from provisioning.models import Account, Job, Server
from provisioning.simulator.simulator import Simulator
from tests.clock import Clock
from tests.provisioning.conftest import ordered, topped_up


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
