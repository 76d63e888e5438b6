"""Every row lock makes a second worker wait.

The first worker holds `FOR KEY SHARE`. Ordinary updates and foreign keys pass that by; only a lock
that was asked for (`select_for_update`) waits for it. So a flow that no longer takes its lock runs
through, and its test fails.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.db.models import QuerySet

from billing import (
    alerts,
    bank_entries,
    carts,
    credits,
    declarations,
    deliveries,
    locks,
    methods,
    numbers,
    runs,
    setups,
    statement_files,
    vat_ids,
    vies,
)
from billing import desk as billing_desk
from billing.gateways.base import SetupSnapshot
from billing.models import (
    BankEntry,
    Declaration,
    GatewayEvent,
    Mail,
    NumberSeries,
    PaymentMethod,
    StatementFile,
    Subscription,
)
from packages.desk import proposals
from packages.models import Price, Proposal
from packages.periods import Cycle
from packages.sweeping import written
from provisioning import (
    circuits,
    desk,
    drift_desk,
    drifts,
    jobs,
    outcomes,
    pools,
    restores,
    runner,
    secrets,
    surveys,
)
from provisioning.admin.accounts import Suspend
from provisioning.models import Account, Drift, Job, OneTimeSecret, Pool
from tests.guards import deeds_of_customers, deeds_of_staff, rows
from tests.guards.connections import beside, impatient, said

BASE = Path(__file__).resolve().parent.parent.parent
AT = rows.AT


@dataclass(frozen=True)
class Lock:
    """A function that must wait while somebody else holds the row."""

    function: str
    row: str
    call: Callable[[rows.Rows], object]

    def __str__(self) -> str:
        return f"{self.function} waits for {self.row}"


def _take(world: rows.Rows) -> None:
    with transaction.atomic():
        locks.take_for_payment(world["payment"].pk)


def _take_methods(world: rows.Rows) -> None:
    methods.remove(
        PaymentMethod.objects.get(pk=world["method"].pk), reason="test", at=AT, actor="test"
    )


def _wish(world: rows.Rows, *, at_once: bool = False) -> None:
    account = Account.objects.get(pk=world["account"].pk)
    with transaction.atomic():
        jobs.suspend(account, cause="test", at=AT, actor="test", at_once=at_once)


def _count_credit(world: rows.Rows) -> None:
    with transaction.atomic():
        credits.lots(Account.objects.get(pk=world["account"].pk))


def _call_off(world: rows.Rows) -> None:
    account = Account.objects.get(pk=world["account"].pk)
    with transaction.atomic():
        jobs.call_off_termination(account, at=AT, actor="test")


def _hold_job(world: rows.Rows) -> None:
    with outcomes.held(world["job"].pk, 1):
        pass


def _choose_server(world: rows.Rows) -> None:
    with transaction.atomic():
        pools.choose(Pool.objects.get(), "EUR", channels=1)


def _open_circuit(world: rows.Rows) -> None:
    circuits.note(world["server"].pk, "no answer", at=AT)


def _add_to_cart(world: rows.Rows) -> None:
    price = Price.objects.get(pk=world["price"].pk)
    cart: Any = world["cart"]
    carts.add(cart, price, subscription=None, at=AT)


def _answer_vat_check(world: rows.Rows) -> None:
    vat_ids._record(world["vatcheck"].pk, vies.Answer(valid=True), at=AT)


def _end_visit(world: rows.Rows) -> None:
    setup: Any = world["setup"]
    setups._record(setup, SetupSnapshot("cs_1", setup.key.hex, "cancelled"), at=AT, actor="test")


def _staff_suspends(world: rows.Rows) -> None:
    row = Account.objects.get(pk=world["account"].pk)
    Suspend().carry_out(row, {}, at=AT, actor="staff:1")


def _retry_parked(world: rows.Rows) -> None:
    Job.objects.filter(pk=world["job"].pk).update(state=Job.State.PARKED)
    desk.verify_now(Job.objects.get(pk=world["job"].pk), seen=1, at=AT, actor="staff:1")


def _decide_drift(world: rows.Rows) -> None:
    drift = Drift.objects.get(pk=world["drift"].pk)
    seen = drift_desk.fingerprint(drift)
    drift_desk.park(drift, seen=seen, reason="later", at=AT, actor="staff:1")


def _find_drift(world: rows.Rows) -> None:
    account = Account.objects.get(pk=world["account"].pk)
    drifts.note(account, None, finished=0, at=AT)


def _resolve_alert(world: rows.Rows) -> None:
    alerts.reconcile([], kinds=["drift"], at=AT)


def _deny_proposal(world: rows.Rows) -> None:
    row = Proposal.objects.get(pk=world["proposal"].pk)
    proposals.deny(row, reason="no", at=AT, actor="staff:2")


def _close_event(world: rows.Rows) -> None:
    event = GatewayEvent.objects.get(pk=world["event"].pk)
    billing_desk.close_event(event, reason="done elsewhere", at=AT, actor="staff:1")


def _send_again(world: rows.Rows) -> None:
    billing_desk.send_again(Mail.objects.get(pk=world["mail"].pk), at=AT, actor="staff:1")


def _finish_mail(world: rows.Rows) -> None:
    Mail.objects.filter(pk=world["mail"].pk).update(state=Mail.State.SENDING)
    deliveries._again(Mail.objects.get(pk=world["mail"].pk), OSError(), at=AT)


def _token(account: Account) -> str:
    return secrets.create(account, "hidden", cause="reveal", at=AT)


def _draw(world: rows.Rows) -> None:
    with transaction.atomic():
        numbers.draw("R", 2026, 1)


def _take_cycle(world: rows.Rows) -> None:
    Subscription.objects.filter(pk=world["subscription"].pk).update(next_invoice_on=rows.ON)
    with transaction.atomic():
        locks.take_cycle(Cycle.MONTHLY)


def _take_coupon(world: rows.Rows) -> None:
    with transaction.atomic():
        locks.take_coupon(world["coupon"].pk)


def _refuse_declaration(world: rows.Rows) -> None:
    row = Declaration.objects.get(pk=world["declaration"].pk)
    declarations.refuse(row, reason="no contract", at=AT, actor="staff:1")


def _put_aside(world: rows.Rows) -> None:
    entry = BankEntry.objects.get(pk=world["bankentry"].pk)
    bank_entries.ignore(entry, reason="test", at=AT, actor="test")


def _read_again(world: rows.Rows) -> None:
    file = StatementFile.objects.get(pk=world["statementfile"].pk)
    statement_files.read_again(file, None, at=AT, actor="test")


def _finish_file(world: rows.Rows) -> None:
    file = StatementFile.objects.get(pk=world["statementfile"].pk)
    statement_files._finish(file, StatementFile.State.READ, "", at=AT)


LOCKS = (
    Lock("billing.locks.take_entries", "bankentry", _put_aside),
    Lock("billing.statement_files.read_again", "statementfile", _read_again),
    Lock("billing.statement_files._finish", "statementfile", _finish_file),
    Lock("billing.locks.take", "subscription", _take),
    Lock("billing.locks.take", "order", _take),
    Lock("billing.locks.take", "invoice", _take),
    Lock("billing.locks.take", "payment", _take),
    Lock("billing.locks.take_methods", "method", _take_methods),
    Lock("billing.locks.take", "balance", _take),
    Lock("billing.locks.take_price_change", "price_change", deeds_of_staff.take_price_change),
    Lock("billing.locks.take_price_campaign", "campaign", deeds_of_staff.take_price_campaign),
    Lock("packages.prices._held", "price", deeds_of_staff.write_price),
    Lock("billing.locks.take_cycle", "subscription", _take_cycle),
    Lock("billing.locks.take_coupon", "coupon", _take_coupon),
    Lock("billing.vat_ids._record", "vatcheck", _answer_vat_check),
    Lock("billing.setups._record", "setup", _end_visit),
    Lock("billing.credits.lots", "account", _count_credit),
    Lock("billing.carts.add", "cart", _add_to_cart),
    Lock(
        "billing.deliveries._locked_if_due",
        "mail",
        lambda world: deliveries.deliver(world["mail"].pk, at=AT),
    ),
    Lock("billing.deliveries._locked_if_leaving", "mail", _finish_mail),
    Lock("provisioning.jobs.add", "account", _wish),
    Lock("provisioning.jobs.suspend", "account", lambda world: _wish(world, at_once=True)),
    Lock("provisioning.jobs.call_off_termination", "account", _call_off),
    Lock(
        "provisioning.accounts._locked",
        "account",
        lambda world: runner.run_next(world["account"].pk, at=AT, worker="test"),
    ),
    Lock("provisioning.pools.lock", "server", _choose_server),
    Lock("provisioning.circuits._locked", "circuit", _open_circuit),
    Lock(
        "provisioning.surveys._claim",
        "survey",
        lambda world: surveys.run(world["survey"].pk, at=AT, worker="worker:1"),
    ),
    Lock("provisioning.surveys.held", "survey", lambda w: surveys.held(w["survey"].pk).__enter__()),
    Lock("provisioning.restores._doubt", "account", lambda _: restores.doubt_unfinished(at=AT)),
    Lock("provisioning.accounts._locked_for", "account", _hold_job),
    Lock("provisioning.outcomes._locked", "job", _hold_job),
    Lock("provisioning.desk._held", "account", _retry_parked),
    Lock("provisioning.desk._held", "job", _retry_parked),
    Lock("billing.declarations._answer", "declaration", _refuse_declaration),
    Lock("billing.inbound_mails.file", "inboundmail", deeds_of_customers.file_mail),
    Lock("billing.colleagues._held", "customer", deeds_of_customers.withdraw),
    Lock("billing.data_requests._held", "dataexport", deeds_of_customers.take),
    Lock(
        "billing.data_requests.answer_deletion",
        "deletionrequest",
        deeds_of_customers.answer_deletion,
    ),
    Lock("billing.tickets._held", "ticket", deeds_of_customers.close),
    Lock("provisioning.drift_desk._held", "account", _decide_drift),
    Lock("provisioning.drift_desk._held", "drift", _decide_drift),
    Lock("provisioning.drifts.note", "account", _find_drift),
    Lock("billing.alerts.reconcile", "alert", _resolve_alert),
    Lock("billing.runs._locked", "run", lambda world: runs.bill(rows.ON, now=lambda: AT)),
    Lock("packages.desk.proposals._held", "proposal", _deny_proposal),
    Lock("billing.desk._parked", "event", _close_event),
    Lock("billing.desk.send_again", "mail", _send_again),
    Lock("provisioning.admin.accounts.carry_out", "account", _staff_suspends),
    Lock("storefront.buyers.save", "user", deeds_of_customers.save_buyer),
    Lock("storefront.views.account._save_profile", "user", deeds_of_customers.save_profile),
)
# Tests of their own, below.
ELSEWHERE = {
    "provisioning.secrets.reveal",
    "billing.locks.take_due",
    "billing.locks.take_allowances",
}


@pytest.fixture
def world(transactional_db: None) -> Iterator[rows.Rows]:
    yield rows.make()
    written.cache_clear()


@pytest.mark.parametrize("lock", LOCKS, ids=str)
def test_a_flow_waits_for_the_row_that_another_holds(
    lock: Lock, world: rows.Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its lock taken out it runs through, or says no for reasons of its own: it waits not."""
    with beside() as other, impatient():
        other.execute(key_share(world, lock.row))
        with pytest.raises(OperationalError, match="while locking tuple"):
            lock.call(world)
        monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)
        written.cache_clear()
        assert "while locking tuple" not in said(lambda: lock.call(world))


def test_an_ordinary_update_does_not_wait_for_that(world: rows.Rows) -> None:
    with beside() as other, impatient():
        other.execute(key_share(world, "mail"))
        assert Mail.objects.filter(pk=world["mail"].pk).update(attempts=1) == 1


def test_a_one_time_link_waits_for_whoever_opens_it(world: rows.Rows) -> None:
    token = _token(Account.objects.get(pk=world["account"].pk))
    secret = OneTimeSecret.objects.get(cause="reveal")
    with beside() as other, impatient():
        other.execute(key_share({"secret": secret}, "secret"))
        with pytest.raises(OperationalError, match="lock timeout"):
            secrets.reveal(token, at=AT)


def test_a_runner_passes_by_what_another_is_invoicing(world: rows.Rows) -> None:
    Subscription.objects.filter(pk=world["subscription"].pk).update(next_invoice_on=rows.ON)
    with beside() as other:
        other.execute(key_share(world, "subscription"))
        with transaction.atomic():
            assert locks.take_due(rows.ON, limit=10) == []
    with transaction.atomic():
        assert locks.take_due(rows.ON, limit=10) == [world["subscription"]]


def test_a_runner_passes_by_what_another_gives(world: rows.Rows) -> None:
    Subscription.objects.filter(pk=world["subscription"].pk).update(allowance_on=rows.ON)
    with beside() as other:
        other.execute(key_share(world, "subscription"))
        with transaction.atomic():
            assert locks.take_allowances(rows.ON, limit=10) == []
    with transaction.atomic():
        assert locks.take_allowances(rows.ON, limit=10) == [world["subscription"]]


def test_a_worker_passes_by_the_entry_that_another_books(world: rows.Rows) -> None:
    with beside() as other:
        other.execute(key_share(world, "bankentry"))
        with transaction.atomic():
            assert locks.take_entries([world["bankentry"].pk], pass_by=True) == []


def test_a_number_waits_for_the_one_before_it(world: rows.Rows) -> None:
    with beside() as other, impatient():
        other.execute("UPDATE billing_numberseries SET last = last + 1 WHERE code = 'R'")
        with pytest.raises(OperationalError, match="lock timeout"):
            _draw(world)
    _draw(world)
    assert NumberSeries.objects.get().last == 3


def test_a_lock_outside_of_a_transaction_is_refused(world: rows.Rows) -> None:
    with pytest.raises(AssertionError, match="transaction"):
        locks.take(invoices=[world["invoice"].pk])


def test_every_function_that_locks_has_its_test() -> None:
    tested = {lock.function for lock in LOCKS} | ELSEWHERE
    assert functions_that_lock() == tested


def key_share(world: rows.Rows, row: str) -> str:
    held = world[row]
    return f"SELECT 1 FROM {held._meta.db_table} WHERE id = {held.pk} FOR KEY SHARE"


def functions_that_lock() -> set[str]:
    """Return the functions of the product that ask for a row lock, read from their source."""
    found = set()
    for app in ("packages", "provisioning", "billing", "storefront"):
        for path in (BASE / app).rglob("*.py"):
            module = ".".join(path.relative_to(BASE).with_suffix("").parts)
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.FunctionDef) and ".select_for_update(" in ast.unparse(node):
                    found.add(f"{module}.{node.name}")
    return found
