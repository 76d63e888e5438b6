"""What must be true beside the invariants: what only who has seen everything can know."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from billing import invariants
from billing.models import GatewayEvent, Payment, Refund
from packages.money import Money
from provisioning.models import Account, Job
from provisioning.simulator import truth
from tests.walks.shop import Shop

# Customers whose money is not where it must be: what came in, less what goes back, has paid
# invoices (less what credit notes gave back of them) or is on the balance.
MONEY = """
SELECT c.id FROM billing_customer c WHERE
  COALESCE((SELECT sum(amount_minor - refunded_minor) FROM billing_payment p
    WHERE p.customer_id = c.id AND p.state = 'succeeded'), 0)
  <> COALESCE((SELECT sum(CASE kind WHEN 'invoice' THEN paid_minor + credited_minor
    ELSE -total_minor END) FROM billing_invoice i
    WHERE i.customer_id = c.id AND number IS NOT NULL), 0)
  - COALESCE((SELECT sum(o.amount_minor) FROM billing_ledgeraccount a
    JOIN billing_posting o ON o.account_id = a.id
    WHERE a.customer_id = c.id AND a.kind = 'customer_credit'), 0)"""

PROMISES = {
    "A suspended service has an overdue invoice.": """
        SELECT s.id FROM billing_subscription s WHERE s.state = 'suspended' AND NOT EXISTS (
          SELECT 1 FROM billing_invoiceline l JOIN billing_invoice i ON i.id = l.invoice_id
          WHERE l.subscription_id = s.id AND l.kind = 'recurring' AND i.due_on < %(on)s
            AND i.state IN ('open', 'written_off'))""",
    "A renewal gives the credit that belongs to its price.": """
        SELECT l.id, l.unit_minor, j.amount_minor FROM provisioning_job j
        JOIN billing_invoiceline l ON j.cause = 'invoice-line-' || l.id || ':credit'
        WHERE j.kind = 'credit' AND NOT EXISTS (
          SELECT 1 FROM unnest(%(amounts)s::bigint[], %(credits)s::bigint[]) AS p (amount, credit)
          WHERE p.amount = l.unit_minor AND p.credit * l.quantity = j.amount_minor
          UNION ALL SELECT 1 FROM billing_pricechange c WHERE c.amount_minor = l.unit_minor
            AND c.credit_minor * l.quantity = j.amount_minor)""",
    "What was credited in full before it was paid is not delivered.": """
        SELECT l.id FROM billing_invoiceline l
        JOIN provisioning_job j ON j.cause LIKE 'order-line-' || l.order_line_id || ':%%'
        WHERE l.corrects_id IS NULL AND l.kind IN ('recurring', 'package', 'credit')
          AND l.unit_minor > 0 AND l.unit_minor * l.quantity <= (
            SELECT sum(c.unit_minor * c.quantity) FROM billing_invoiceline c
            JOIN billing_invoice n ON n.id = c.invoice_id
            WHERE c.corrects_id = l.id AND n.issued_at < j.created_at)""",
    "A coupon is given back with its cancelled order, and only then.": """
        SELECT r.id FROM billing_redemption r JOIN billing_orderline l ON l.id = r.order_line_id
        JOIN billing_order o ON o.id = l.order_id
        WHERE (o.state = 'cancelled') <> (r.released_at IS NOT NULL)""",
}


class Broken(AssertionError):
    """A promise was broken, and by which rows."""


def at_each_step(shop: Shop) -> None:
    """Follow the money: one statement, whatever was done."""
    _find("Money never vanishes.", MONEY)


def now_and_then(shop: Shop) -> None:
    """Check all invariants, the promises above, and the dialler's own log."""
    for each in invariants.violations():
        raise Broken(each.invariant.code, each.invariant.rule, each.rows)
    known = {"on": shop.on, "amounts": shop.amounts, "credits": shop.credits}
    for rule, sql in PROMISES.items():
        _find(rule, sql, known)
    _nothing_was_done_twice(shop)


def at_the_end(shop: Shop, *, left: QuerySet[Job]) -> None:
    """Compare with what really happened; needs that everything is done: no job is `left`."""
    now_and_then(shop)
    _demand("Every job ends.", list(left.values_list("pk", "kind", "state", "reason")), [])
    _every_payment_is_known(shop)
    _the_bank_agrees(shop)
    _credit_is_what_was_granted(shop)
    _accounts_run_as_they_should(shop)


def _find(rule: str, sql: str, values: dict[str, Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        if found := cursor.fetchall():
            raise Broken(rule, found)


def _demand(rule: str, found: object, expected: object) -> None:
    if found != expected:
        raise Broken(rule, found, expected)


def _nothing_was_done_twice(shop: Shop) -> None:
    with shop.dialler.store.transaction() as db:
        effects = truth.log(db)["effects"]
    done = Counter(
        (each["verb"], each["reference"])
        for each in effects
        if each["verb"] in ("create", "credit")
    )
    twice = [cause for cause, count in done.items() if count > 1]
    _demand("Accounts are made and credit is given once.", twice, [])


def _every_payment_is_known(shop: Shop) -> None:
    store = shop.gateway.machine.store
    taken = store.rows("SELECT id, amount_minor FROM payment WHERE state = 'succeeded'")
    known = Payment.objects.filter(gateway="simulated", state=Payment.State.SUCCEEDED)
    _demand(
        "What was paid at the gateway is known.",
        dict(known.values_list("external_id", "amount_minor")),
        {each["id"]: each["amount_minor"] for each in taken},
    )
    if GatewayEvent.objects.filter(kind__in=("payment.refunded", "payment.disputed")).exclude(
        state=GatewayEvent.State.PROCESSED
    ):
        # What somebody refunded there, past the shop, waits for staff to say why.
        return
    refunds = Refund.objects.filter(payment__gateway="simulated").select_related("payment")
    # What it refuses, because somebody refunded it there by hand, waits for staff as well.
    parked = {str(each.payment.external_id) for each in refunds.filter(state=Refund.State.PARKED)}
    here, there = Counter[str](), Counter[str]()
    for refund in refunds.filter(state=Refund.State.SUCCEEDED):
        here[str(refund.payment.external_id)] += refund.amount_minor
    for each in store.rows("SELECT payment, amount_minor FROM refund"):
        there[each["payment"]] += each["amount_minor"]
    for unclear in parked:
        del here[unclear], there[unclear]
    _demand("What went back at the gateway is known.", here, there)


def _the_bank_agrees(shop: Shop) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COALESCE(sum(o.amount_minor), 0) FROM billing_ledgeraccount a "
            "JOIN billing_posting o ON o.account_id = a.id "
            "WHERE a.kind = 'clearing' AND a.name = 'bank_transfer'"
        )
        (books,) = cursor.fetchone() or (0,)
    _demand("The bank's statement is the books'.", books, sum(shop.transferred.values()))


def _credit_is_what_was_granted(shop: Shop) -> None:
    """What each job did to an account's credit is what the dialler says that it did."""
    with shop.dialler.store.transaction() as db:
        effects = [each for each in truth.log(db)["effects"] if each["verb"] == "credit"]
    done = {each["reference"]: Decimal(each["amount"]) for each in effects}
    jobs = Job.objects.filter(state=Job.State.DONE, amount_minor__gt=0)
    asked = {
        job.cause: Money(
            (-1 if job.kind == Job.Kind.TAKE_BACK else 1) * (job.amount_minor or 0), "EUR"
        ).decimal()
        for job in jobs
    }
    _demand(
        "Credit is what was asked for.",
        dict(done.items() - asked.items()),
        dict(asked.items() - done.items()),
    )


def _accounts_run_as_they_should(shop: Shop) -> None:
    runs = {"active": (True,), "suspended": (False,), "ended": (False, None)}
    for account in Account.objects.select_related("subscription"):
        remote = shop.remote(account.username)
        state = account.subscription.state
        active = bool(remote["active"]) if remote else None
        if active not in runs[state]:
            raise Broken("An account runs while its service does.", account.pk, state, active)
    ours = set(Account.objects.values_list("username", flat=True))
    _demand("Every account at the dialler is known.", shop.usernames() - ours, set())
