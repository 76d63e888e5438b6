"""Each invariant finds what it says it finds: a row that violates it, made behind all guards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from billing import credit_notes, invariants
from provisioning.simulator.simulator import Simulator
from tests import world
from tests.clock import Clock
from tests.provisioning.conftest import ordered, topped_up

# Asks pytest-django for a database, also when no other test of the run does.
pytestmark = pytest.mark.django_db

# Not even the database refuses what a restored backup or raw SQL may leave behind.
NO_GUARDS = (
    "SET LOCAL session_replication_role = replica",
    "ALTER TABLE billing_payment DROP CONSTRAINT payment_success_was_fetched",
    "ALTER TABLE billing_invoice DROP CONSTRAINT invoice_paid_in_full,"
    " DROP CONSTRAINT invoice_kind_fits, DROP CONSTRAINT invoice_adds_up,"
    " DROP CONSTRAINT invoice_not_overpaid, DROP CONSTRAINT invoice_written_off_in_full",
    "ALTER TABLE billing_invoiceline DROP CONSTRAINT discount_takes_off",
    "ALTER TABLE billing_subscription DROP CONSTRAINT subscription_invoiced_while_active",
    "DROP INDEX payment_one_open_per_invoice",
    "DROP INDEX job_one_running_per_account",
)
INVOICE = "UPDATE billing_invoice"
METHOD = (
    "INSERT INTO billing_paymentmethod (public_id, customer_id, gateway, account, livemode,"
    " token_sealed, token_digest, kind, brand, last4, state, is_default, consent, created_at)"
    " SELECT gen_random_uuid(), max(customer_id), 'simulated', 'demo', false, '', 'x', 'card',"
    " 'Visa', '4242', 'active', false, '{\"text\": \"yes\"}', now() FROM billing_payment"
)
BY_METHOD = "UPDATE billing_payment SET method_id = (SELECT max(id) FROM billing_paymentmethod)"
ENTRY = (
    "INSERT INTO billing_statementfile (name, content, state, handed_in_at, handed_in_by,"
    " attempts, lines_done, lines_new, note) VALUES ('a', '', 'read', now(), '', 1, 1, 1, '')",
    "INSERT INTO billing_bankentry (file_id, key, source, account, booked_on, amount_minor,"
    " currency, name, iban, text, kind, bank_reference, end_to_end, returned, state, clue,"
    " assigned_minor) SELECT id, 'k', 'camt-08', '', '2026-03-02', 1, 'EUR', '', '', '', '', '',"
    " '', false, 'open', '', 0 FROM billing_statementfile",
)
EXCHANGE = (
    "INSERT INTO billing_exchange (subscription_id, mode, state, replaced_id, package_id, cycle,"
    ' amount_minor, credit_minor, limits, allowance, "on", rest_minor, unused_minor,'
    " kept_minor, granted_minor, total_minor, created_at, order_line_id)"
    " SELECT id, 'at_end', '{state}', package_id, package_id, cycle, amount_minor, credit_minor,"
    " limits, allowance, paid_until, 0, 0, 0, 0, {total}, now(), {line}"
    " FROM billing_subscription"
)
CREDIT_JOBS = "SELECT id FROM provisioning_job WHERE kind = 'credit'"
BALANCES = "SELECT id FROM billing_ledgeraccount WHERE kind = 'customer_credit'"
OWED_IN_DOLLARS = (
    "UPDATE billing_invoice SET state = 'open', paid_minor = 0",
    "INSERT INTO billing_ledgeraccount (kind, name, customer_id, currency)"
    " SELECT 'receivable', '', id, 'USD' FROM billing_customer",
    "INSERT INTO billing_ledgertransaction (cause, at) VALUES ('x', now())",
    "INSERT INTO billing_posting (transaction_id, account_id, amount_minor)"
    " SELECT t.id, a.id, (SELECT sum(total_minor) FROM billing_invoice)"
    " FROM billing_ledgertransaction t, billing_ledgeraccount a"
    " WHERE t.cause = 'x' AND a.currency = 'USD'",
)

AUTO = (
    "INSERT INTO billing_autotopup (id, subscription_id, state, below_minor, amount_minor,"
    " month_minor, consent, agreed_at) SELECT 1, id, 'on', 1, 1, 1, '{}', now()"
    " FROM billing_subscription"
)
PURCHASE = (
    'INSERT INTO billing_autopurchase (auto_id, order_id, read_at, "on", amount_minor, month_minor)'
    " SELECT 1, id, placed_at, '2026-03-02', 2, 1 FROM billing_order WHERE id ="
    " (SELECT max(id) FROM billing_order)"
)
REDEEMED = (
    "INSERT INTO billing_coupon (code, percent_bp, billing_cycles, new_customers, covers_setup,"
    " covers_top_ups, active) VALUES ('X', 1000, '{}', false, false, false, true)",
    "INSERT INTO billing_redemption (coupon_id, customer_id, order_line_id, subscription_id,"
    " currency, percent_bp, amount_minor, cycles, created_at)"
    " SELECT c.id, o.customer_id, l.id, l.subscription_id, o.currency, 1000, 0, 1, now()"
    " FROM billing_coupon c, billing_orderline l JOIN billing_order o ON o.id = l.order_id"
    " ORDER BY l.id LIMIT 1",
)

# The invariant, what was done to the books, and how.
CASES: list[tuple[str, str, tuple[str, ...]]] = [
    ("PAY-1", "booked, but open", ("UPDATE billing_payment SET state = 'created'",)),
    ("PAY-5", "no amount", ("UPDATE billing_payment SET fetched_minor = NULL",)),
    ("PAY-5", "other amount", ("UPDATE billing_payment SET fetched_minor = amount_minor - 1",)),
    ("PAY-5", "no instant", ("UPDATE billing_payment SET confirmed_at = NULL",)),
    ("PAY-8", "two open", ("UPDATE billing_payment SET state = 'created', invoice_id ="
                           " (SELECT min(id) FROM billing_invoice)",)),
    ("PAY-9", "not allocated", ("DELETE FROM billing_allocation",)),
    ("PAY-10", "live event of a test payment", (
        "INSERT INTO billing_gatewayevent (gateway, account, livemode, external_id, kind,"
        " payment_external_id, body, created_at, received_at, state, attempts, note)"
        " SELECT gateway, 'a', NOT livemode, 'e' || id, 'k', external_id, '', now(), now(),"
        " 'processed', 1, '' FROM billing_payment",)),
    ("PAY-11", "given back, no refund", ("UPDATE billing_payment SET refunded_minor = 1",)),
    ("PAY-12", "never sent", (METHOD, BY_METHOD)),
    ("PAY-12", "more than the invoice", (
        METHOD, f"{BY_METHOD}, sent_at = now()", f"{INVOICE} SET total_minor = total_minor - 1")),
    ("PAY-13", "before it was due", (METHOD, f"{BY_METHOD}, turn = 1, turn_on = '2020-01-01'")),
    ("PAY-13", "after it was paid", (
        METHOD, f"{BY_METHOD}, turn = 1, turn_on = '2030-01-01', created_at = '2030-01-01'")),
    ("PAY-14", "the first is missing", (METHOD, f"{BY_METHOD}, turn = 2, turn_on = '2030-01-01'")),
    ("PAY-15", "booked by nothing", (*ENTRY, "UPDATE billing_bankentry SET assigned_minor = 1")),
    ("PAY-15", "paid by another gateway", (
        *ENTRY, "UPDATE billing_payment SET gateway = 'simulated', bank_entry_id ="
        " (SELECT id FROM billing_bankentry)")),
    ("INV-1", "line", ("UPDATE billing_invoiceline SET net_minor = net_minor + 1",)),
    ("INV-1", "tax", ("UPDATE billing_invoicetax SET tax_minor = tax_minor + 1",)),
    ("INV-4", "gap", ("UPDATE billing_numberseries SET last = last + 1",)),
    ("INV-4", "no series", ("DELETE FROM billing_numberseries",)),
    ("INV-5", "earlier day",
     ("UPDATE billing_invoice SET issued_on = issued_on - 1 WHERE sequence = 2",)),
    ("INV-7", "no day", ("UPDATE billing_subscription SET next_invoice_on = NULL",)),
    ("INV-7", "left out", ("UPDATE billing_invoiceline SET period_start_on = '2030-01-01',"
                           " period_end_on = '2030-02-01' WHERE kind = 'recurring'",)),
    ("INV-8", "gap", (
        "INSERT INTO billing_subscriptionperiod"
        " (subscription_id, index, start_on, end_on, created_at)"
        " SELECT subscription_id, 1, end_on + 1, end_on + 30, now()"
        " FROM billing_subscriptionperiod",)),
    ("INV-11", "payment", ("UPDATE billing_payment SET currency = 'USD'",)),
    ("INV-11", "order", ("UPDATE billing_order SET currency = 'USD'",)),
    ("INV-11", "subscription", ("UPDATE billing_subscription SET currency = 'USD'",)),
    ("INV-12", "more than the invoice",
     (f"{INVOICE} SET total_minor = total_minor + 1 WHERE kind = 'credit_note'",)),
    ("INV-12", "more of a line", ("UPDATE billing_invoiceline SET unit_minor = unit_minor * 2"
                                  " WHERE corrects_id IS NOT NULL",)),
    ("INV-12", "more of a rate", ("UPDATE billing_invoicetax SET tax_minor = tax_minor * 2"
                                  " WHERE invoice_id IN (SELECT id FROM billing_invoice"
                                  " WHERE kind = 'credit_note')",)),
    ("INV-13", "another buyer", (f"{INVOICE} SET buyer = '{{}}' WHERE kind = 'credit_note'",)),
    ("INV-13", "a line of nothing",
     ("UPDATE billing_invoiceline SET corrects_id = id WHERE corrects_id IS NOT NULL",)),
    ("INV-14", "off the due, not in the books",
     (f"{INVOICE} SET credited_minor = 1 WHERE kind = 'invoice'",)),
    ("INV-15", "paid by nothing", ("DELETE FROM billing_allocation",)),
    ("INV-15", "open, nothing due", (f"{INVOICE} SET state = 'open' WHERE state = 'paid'",)),
    ("INV-16", "set off without a charge",
     ("UPDATE billing_invoiceline SET kind = 'exchange', unit_minor = -1",)),
    ("INV-16", "set off twice", (
        "ALTER TABLE billing_invoiceline DROP CONSTRAINT set_off_takes_off",
        "UPDATE billing_invoiceline SET sets_off_id = id, unit_minor = -2 * unit_minor"
        " WHERE kind = 'recurring'")),
    ("INV-17", "not given", (
        "UPDATE billing_subscription SET paid_until = paid_until - 31, next_invoice_on = NULL",
        "UPDATE billing_invoiceline SET period_start_on = '2026-03-01' WHERE kind = 'recurring'"
        " AND corrects_id IS NULL",
        "UPDATE billing_subscription SET paid_until = '2026-01-01'")),
    ("COU-1", "in all", (*REDEEMED, "UPDATE billing_coupon SET max_orders = 0")),
    ("COU-1", "per customer", (*REDEEMED, "UPDATE billing_coupon SET max_orders_each = 0")),
    ("COU-2", "of nobody", ("UPDATE billing_invoiceline SET kind = 'discount'",)),
    ("COU-2", "too often", (*REDEEMED, "UPDATE billing_invoiceline SET redemption_id ="
                            " (SELECT id FROM billing_redemption)"
                            " WHERE position = 1 AND corrects_id IS NULL")),
    ("PRI-1", "not in time", (
        "INSERT INTO billing_pricechange (price_id, state, amount_minor, credit_minor,"
        " effective_on, existing) SELECT id, 'confirmed', 1, 0, '2026-01-01', true"
        " FROM packages_price LIMIT 1",
        "INSERT INTO billing_pricenotice (change_id, subscription_id, mail_id, starts_on, days,"
        " applies_from) SELECT (SELECT id FROM billing_pricechange),"
        " (SELECT min(id) FROM billing_subscription), min(id), '2026-01-01', 42, '2026-03-20'"
        " FROM billing_mail WHERE state = 'sent'")),
    ("PRI-2", "the next one's credit", (
        "INSERT INTO billing_pricechange (price_id, state, amount_minor, credit_minor,"
        " effective_on, existing) SELECT id, 'confirmed', 1, 0, '2026-01-01', true"
        " FROM packages_price LIMIT 1",
        "UPDATE billing_invoiceline SET kind = 'recurring', period_start_on = '2026-03-02',"
        " subscription_id = (SELECT min(id) FROM billing_subscription)"
        " WHERE id = (SELECT min(id) FROM billing_invoiceline)",
        "UPDATE provisioning_job SET cause = 'invoice-line-' ||"
        " (SELECT min(id) FROM billing_invoiceline) || ':credit' WHERE id ="
        " (SELECT min(id) FROM provisioning_job WHERE kind = 'credit')",
        "INSERT INTO billing_pricenotice (change_id, subscription_id, mail_id, starts_on, days,"
        " applies_from, credit_before_minor) SELECT (SELECT id FROM billing_pricechange),"
        " (SELECT min(id) FROM billing_subscription), min(id), '2026-01-01', 1, '2026-04-20', 7"
        " FROM billing_mail WHERE state = 'sent'")),
    ("LED-1", "one-sided", ("UPDATE billing_posting SET amount_minor = amount_minor + 1"
                            " WHERE id = (SELECT min(id) FROM billing_posting)",)),
    ("LED-5", "booked twice", ("INSERT INTO billing_ledgertransaction (cause, at, invoice_id)"
                               " SELECT 'x' || id, now(), id FROM billing_invoice",)),
    ("LED-5", "booked empty", ("DELETE FROM billing_posting WHERE transaction_id IN"
                               " (SELECT id FROM billing_ledgertransaction"
                               " WHERE invoice_id IS NOT NULL)",)),
    ("LED-6", "unpaid after all", ("UPDATE billing_invoice SET paid_minor = 0",)),
    ("LED-6", "owed in another currency", OWED_IN_DOLLARS),
    ("LED-7", "earned less", (f"{INVOICE} SET net_minor = net_minor + 1",)),
    ("LED-7", "owes more tax", (f"{INVOICE} SET tax_minor = tax_minor + 1",)),
    ("LED-8", "overspent", ("UPDATE billing_posting SET amount_minor = 1 WHERE account_id IN"
                            f" ({BALANCES})",)),
    ("LED-9", "no document", ("UPDATE billing_ledgertransaction SET invoice_id = NULL",)),
    ("LED-9", "used, not booked", (
        "INSERT INTO billing_allocation (invoice_id, use, amount_minor, at)"
        " SELECT id, 9, 1, now() FROM billing_invoice",)),
    ("LED-11", "not booked", (f"{INVOICE} SET written_off_minor = 1",)),
    ("LED-10", "not booked", (
        "INSERT INTO billing_refund (key, payment_id, way, state, amount_minor, currency, reason,"
        " reference, created_at, attempts, note) SELECT key, id, 'gateway', 'requested', 1, 'EUR',"
        " '', '', now(), 0, '' FROM billing_payment",)),
    ("LED-10", "came back, not marked", (
        "INSERT INTO billing_refund (key, payment_id, way, state, amount_minor, currency, reason,"
        " reference, created_at, attempts, note) SELECT key, id, 'gateway', 'failed', 1, 'EUR',"
        " '', '', now(), 0, '' FROM billing_payment",
        "INSERT INTO billing_ledgertransaction (cause, at, refund_id)"
        " SELECT 'refund-' || id || ':succeeded', now(), id FROM billing_refund",)),
    ("LED-12", "paid out, not booked", (
        "INSERT INTO billing_movement (gateway, livemode, external_id, kind, amount_minor,"
        " fee_minor, currency, at) VALUES ('stripe', false, 'po_1', 'payout', -1, 0, 'EUR',"
        " now())",)),
    ("REM-2", "nothing written",
     (f"DELETE FROM provisioning_attempt WHERE job_id IN ({CREDIT_JOBS})",)),
    ("REM-3", "sent again after a yes", (
        "INSERT INTO provisioning_attempt (job_id, number, fence, method, before, sent_at,"
        " deadline_at, outcome, answer, readings) SELECT job_id, number + 1, fence, method,"
        " before, sent_at, deadline_at, outcome, answer, readings FROM provisioning_attempt",)),
    ("REM-3", "sent again after one reading", (
        "UPDATE provisioning_attempt SET outcome = 'absent', readings ="
        " '[{\"at\": \"x\", \"verdict\": \"absent\"}]'",
        "INSERT INTO provisioning_attempt (job_id, number, fence, method, before, sent_at,"
        " deadline_at, outcome, answer, readings) SELECT job_id, number + 1, fence, method,"
        " before, sent_at, deadline_at, 'done', answer, '[]' FROM provisioning_attempt",)),
    ("REM-4", "all at once", ("UPDATE provisioning_job SET state = 'running'",)),
    ("REM-5", "first one last", (
        "UPDATE provisioning_job SET finished_at = finished_at + interval '1 day' WHERE seq = 1",)),
    ("REM-8", "no account", ("UPDATE billing_subscription SET account_id = NULL",)),
    ("REM-10", "a cent more",
     ("UPDATE provisioning_job SET amount_minor = amount_minor + 1 WHERE kind = 'credit'",)),
    ("REM-10", "for nothing",
     ("UPDATE provisioning_job SET cause = 'gift-' || id WHERE kind = 'credit'",)),
    ("REM-10", "other currency",
     ("UPDATE provisioning_job SET currency = 'USD' WHERE kind = 'credit'",)),
    ("REM-10", "sold, not asked for", ("DELETE FROM provisioning_job WHERE kind = 'credit'",)),
    ("REM-11", "suspended without a notice", (
        "INSERT INTO packages_statechange (subject, subject_id, before, after, actor, reason, at)"
        " SELECT 'subscription', id, 'active', 'suspended', 'system:dunning', 'x', now()"
        " FROM billing_subscription",)),
    ("REM-12", "for no line", ("UPDATE provisioning_job SET cause = 'invoice-line-0:credit'"
                               f" WHERE id = (SELECT min(id) FROM ({CREDIT_JOBS}) c)",)),
    ("REM-12", "taken back for nothing", (
        "UPDATE provisioning_job SET kind = 'take_back' WHERE kind = 'credit'",)),
    ("REM-13", "nobody asked for it", (
        "UPDATE provisioning_job SET cause = 'drift-0-limits' WHERE kind = 'set_limits'",)),
    ("REM-14", "ended, never deleted", ("UPDATE billing_subscription SET state = 'ended'",)),
    ("REM-14", "deleted, not ended", ("UPDATE provisioning_account SET state = 'closed'",)),
    ("CRE-1", "less than booked",
     ("UPDATE billing_creditbucket SET left_minor = left_minor - 1",)),
    ("CRE-2", "granted for nothing",
     ("UPDATE billing_creditbucket SET cause = 'other-' || id",)),
    ("CRE-2", "granted more",
     ("UPDATE billing_creditbucket SET granted_minor = granted_minor + 1",)),
    ("CRE-3", "paid credit taken", (
        "INSERT INTO billing_bucketentry (bucket_id, kind, amount_minor, cause, at)"
        " SELECT id, 'taken_back', -1, 'x', now() FROM billing_creditbucket"
        " WHERE kind = 'paid'",)),
    ("CRE-3", "taken, not booked",
     ("UPDATE provisioning_job SET kind = 'take_back' WHERE kind = 'credit'",)),
    ("DUN-1", "backwards", (
        'INSERT INTO billing_notice (invoice_id, step, "on", mail_id, at, due_minor, days)'
        " SELECT (SELECT min(id) FROM billing_invoice), s.step, s.day,"
        " (SELECT min(id) FROM billing_mail), now(), 0, 0"
        " FROM (VALUES ('reminder', date '2026-01-02'),"
        " ('overdue_first', date '2026-01-01')) AS s (step, day)",)),
    ("TOP-1", "more than agreed", (AUTO, PURCHASE)),
    ("TOP-2", "of another sum", (AUTO, PURCHASE)),
    ("TOP-3", "nothing had left the dialler", (
        "INSERT INTO billing_topuprefund (line_id, state, most_minor, reason, at)"
        " SELECT min(id), 'asked', 1, 'x', now() FROM billing_orderline",)),
    ("ORD-1", "fulfilled, not paid", ("UPDATE billing_invoice SET state = 'open'",)),
    ("ORD-1", "paid, not fulfilled", ("UPDATE billing_order SET state = 'placed'",)),
    ("ORD-1", "no jobs", ("UPDATE provisioning_job SET cause = 'other-' || id",)),
    ("SRV-1", "sent all the same",
     ("UPDATE provisioning_account SET placed = false, state = 'planned', pool_id ="
      " (SELECT min(id) FROM provisioning_pool)",)),
    ("SRV-2", "made again", ("UPDATE packages_statechange SET after = 'live'"
                             " WHERE subject = 'account' AND before = ''",)),
    ("EXC-1", "credited without a note",
     (EXCHANGE.format(state="cancelled", total=-1, line="NULL"),)),
    ("EXC-1", "ordered for something else",
     (EXCHANGE.format(state="cancelled", total=1,
                      line="(SELECT min(id) FROM billing_orderline)"),)),
    ("EXC-2", "without its limits", (EXCHANGE.format(state="done", total=0, line="NULL"),)),
    ("EXC-2", "credit for nothing",
     ("UPDATE provisioning_job SET cause = 'exchange-0:credit' WHERE kind = 'credit'"
      " AND id = (SELECT min(id) FROM provisioning_job WHERE kind = 'credit')",)),
    ("JOB-2", "sent when done",
     ("UPDATE provisioning_attempt SET sent_at = sent_at + interval '1 hour',"
      " deadline_at = deadline_at + interval '2 hours'",)),
    *(
        ("STA-2", table, (f"UPDATE {table} SET state = 'cancelled'",))
        for table in (
            *("provisioning_job", "provisioning_account", "billing_payment", "billing_order"),
            *("billing_subscription", "billing_invoice", "billing_mail"),
        )
    ),
    ("STA-2", "a run nobody began", ("INSERT INTO billing_run (\"on\", state, attempts, started_at,"
                                     " counts, planned, faults) VALUES ('2026-03-02', 'done', 1,"
                                     " now(), '{}', '{}', '[]')",)),
    ("STA-2", "billing_paymentmethod", (METHOD,)),
    ("STA-2", "entry and file", ENTRY),
    ("STA-2", "exchange", (EXCHANGE.format(state="pending", total=0, line="NULL"),)),
    ("CUS-1", "nobody owns it", ("UPDATE billing_membership SET role = 'colleague'",)),
    ("MAIL-1", "never mailed", ("DELETE FROM billing_mail WHERE template = 'account_ready'",)),
    ("MAIL-1", "kept back", ("DELETE FROM billing_mail WHERE template = 'account_ready'",
                             "UPDATE provisioning_account SET password_sealed = 'x'")),
]  # fmt: skip


@pytest.fixture(scope="module")
def books(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A running account with a paid top-up, for all tests of this module; never committed."""
    dialler = Simulator.start(password=world.SIMULATOR_PASSWORD)
    with (
        django_db_blocker.unblock(),
        Clock.at("2026-03-02 09:00") as clock,
        transaction.atomic(),
    ):
        world.settle_in(dialler.url, at=clock.now())
        account = ordered("business", at=clock.now())
        clock.work()
        line = topped_up(account, at=clock.now())
        clock.work()
        credit_notes.issue(line.order.invoice, reason="goodwill", at=clock.now(), actor="staff:1")
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        yield
        transaction.set_rollback(True)
    dialler.close()


def test_sound_books_violate_nothing(books: None) -> None:
    assert invariants.violations() == []


def test_every_invariant_is_violated_here() -> None:
    assert {code for code, _, _ in CASES} == {each.code for each in invariants.INVARIANTS}


@pytest.mark.parametrize(
    ("code", "statements"),
    [(code, statements) for code, _, statements in CASES],
    ids=[f"{code} {how}" for code, how, _ in CASES],
)
def test_a_violation_is_found(books: None, code: str, statements: tuple[str, ...]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (*NO_GUARDS, *statements):
            cursor.execute(statement)
        found = {finding.invariant.code for finding in invariants.violations()}
        transaction.set_rollback(True)
    assert code in found
