"""What must always be true, as SQL that finds what is not. Ids as in docs/invariants.md."""

from collections.abc import Iterator

from django.db import connection
from django.utils.translation import gettext_noop as noop

from billing import ledger_invariants, service_invariants
from billing.invariant import Finding, Invariant

__all__ = ["INVARIANTS", "Finding", "Invariant", "check", "violations"]


INVARIANTS = (
    Invariant(
        "PAY-1",
        noop("Each succeeded payment is booked exactly once, with its amount."),
        """SELECT p.id FROM billing_payment p
           LEFT JOIN billing_ledgertransaction t ON t.payment_id = p.id
           LEFT JOIN billing_posting o ON o.transaction_id = t.id
           LEFT JOIN billing_ledgeraccount a ON a.id = o.account_id AND a.kind = 'clearing'
           GROUP BY p.id, p.state, p.amount_minor
           HAVING COALESCE(sum(o.amount_minor) FILTER (WHERE a.id IS NOT NULL), 0)
               <> CASE WHEN p.state = 'succeeded' THEN p.amount_minor ELSE 0 END""",
    ),
    Invariant(
        "PAY-5",
        noop("A payment succeeded only by the gateway's own answer, for the amount asked."),
        """SELECT id FROM billing_payment WHERE state = 'succeeded'
           AND (confirmed_at IS NULL OR fetched_minor IS DISTINCT FROM amount_minor
                OR fetched_currency IS DISTINCT FROM currency)""",
    ),
    Invariant(
        "PAY-8",
        noop("No invoice has two open payments."),
        """SELECT invoice_id FROM (
             SELECT id, invoice_id FROM billing_payment WHERE state IN ('created', 'processing')
             UNION ALL SELECT p.id, x.invoice_id FROM billing_paymentpart x
               JOIN billing_payment p ON p.id = x.payment_id
               WHERE p.state IN ('created', 'processing')) open
           GROUP BY invoice_id HAVING count(*) > 1""",
    ),
    Invariant(
        "PAY-9",
        noop("What a payment did not settle is the customer's credit."),
        """SELECT p.id FROM billing_payment p
           WHERE p.state = 'succeeded' AND p.amount_minor <>
             COALESCE((SELECT sum(amount_minor) FROM billing_allocation WHERE payment_id = p.id), 0)
             - COALESCE((SELECT sum(o.amount_minor) FROM billing_posting o
                 JOIN billing_ledgeraccount a ON a.id = o.account_id AND a.kind = 'customer_credit'
                 JOIN billing_ledgertransaction t ON t.id = o.transaction_id
                 WHERE t.payment_id = p.id), 0)""",
    ),
    Invariant(
        "PAY-10",
        noop("An event of the live mode belongs to a payment of the live mode."),
        """SELECT e.id FROM billing_gatewayevent e JOIN billing_payment p
             ON p.gateway = e.gateway AND p.external_id = e.payment_external_id
           WHERE e.state = 'processed' AND e.livemode <> p.livemode""",
    ),
    Invariant(
        "PAY-11",
        noop("What was given back of a payment are its refunds, and no more than was paid."),
        """SELECT p.id FROM billing_payment p
           LEFT JOIN billing_refund r ON r.payment_id = p.id AND r.state <> 'failed'
           GROUP BY p.id, p.state, p.refunded_minor, p.amount_minor
           HAVING p.refunded_minor <> COALESCE(sum(r.amount_minor), 0)
             OR p.refunded_minor > CASE p.state WHEN 'succeeded' THEN p.amount_minor ELSE 0 END""",
    ),
    Invariant(
        "PAY-12",
        noop(
            "Charges of saved methods never bring in more than their invoices; each was sent once."
        ),
        """SELECT i.id FROM billing_invoice i JOIN billing_payment p ON p.invoice_id = i.id
           WHERE p.method_id IS NOT NULL AND p.state = 'succeeded'
           GROUP BY i.id HAVING sum(p.amount_minor - COALESCE((
               SELECT sum(o.total_minor) FROM billing_paymentpart x
               JOIN billing_invoice o ON o.id = x.invoice_id WHERE x.payment_id = p.id), 0))
             > i.total_minor OR count(*) FILTER (WHERE p.sent_at IS NULL) > 0""",
    ),
    Invariant(
        "PAY-13",
        noop("Nothing is charged by itself before it is due, once it is paid, or without consent."),
        """SELECT p.id FROM billing_payment p JOIN billing_invoice i ON i.id = p.invoice_id
           JOIN billing_paymentmethod m ON m.id = p.method_id
           WHERE p.turn IS NOT NULL AND (p.turn_on < i.due_on OR p.created_at > i.paid_at
             OR m.customer_id <> p.customer_id OR m.consent = '{}')""",
    ),
    Invariant(
        "PAY-14",
        noop("Automatic attempts for an invoice follow one another, on later days."),
        """SELECT id FROM (SELECT id, turn, turn_on, lag(turn_on) OVER w AS earlier,
             row_number() OVER w AS nth FROM billing_payment WHERE turn IS NOT NULL
             WINDOW w AS (PARTITION BY invoice_id ORDER BY turn)) t
           WHERE nth <> turn OR earlier >= turn_on""",
    ),
    Invariant(
        "PAY-15",
        noop("What is booked of a bank entry are its transfers, less what was taken back."),
        """SELECT e.id FROM billing_bankentry e
           LEFT JOIN billing_payment p ON p.bank_entry_id = e.id AND p.state = 'succeeded'
           LEFT JOIN billing_refund r ON r.payment_id = p.id AND r.way = 'undone'
           GROUP BY e.id HAVING e.assigned_minor <>
               COALESCE(sum(p.amount_minor - COALESCE(r.amount_minor, 0)), 0)
             OR bool_or(p.currency <> e.currency OR p.gateway <> 'bank_transfer')""",
    ),
    Invariant(
        "INV-1",
        noop("An invoice's lines and its tax groups add up to its totals."),
        """SELECT i.id FROM billing_invoice i WHERE i.number IS NOT NULL AND (
             i.net_minor <> COALESCE((SELECT sum(net_minor) FROM billing_invoiceline
                                      WHERE invoice_id = i.id), 0)
             OR i.net_minor <> COALESCE((SELECT sum(net_minor) FROM billing_invoicetax
                                         WHERE invoice_id = i.id), 0)
             OR i.tax_minor <> COALESCE((SELECT sum(tax_minor) FROM billing_invoicetax
                                         WHERE invoice_id = i.id), 0))""",
    ),
    Invariant(
        "INV-4",
        noop("Numbers of a series and year run from 1 to n without a gap."),
        """SELECT i.series, i.year, s.last, count(i.id) FROM billing_numberseries s
           FULL JOIN (SELECT * FROM billing_invoice WHERE number IS NOT NULL) i
             ON i.series = s.code AND i.year = s.year
           GROUP BY i.series, i.year, s.id
           HAVING s.last IS DISTINCT FROM count(i.id)
               OR s.last IS DISTINCT FROM COALESCE(max(i.sequence), 0)""",
    ),
    Invariant(
        "INV-5",
        noop("A later number was not issued on an earlier day."),
        """SELECT id FROM (SELECT id, issued_on, lag(issued_on) OVER
             (PARTITION BY series, year ORDER BY sequence) AS earlier
             FROM billing_invoice WHERE number IS NOT NULL) i WHERE earlier > issued_on""",
    ),
    Invariant(
        "INV-7",
        noop("No period of a renewing subscription is left out, and the next one has its day."),
        """SELECT l.subscription_id, l.period_start_on FROM billing_invoiceline l
           WHERE l.kind = 'recurring' AND l.period_start_on IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM billing_invoiceline b
               WHERE b.subscription_id = l.subscription_id AND b.kind = 'recurring'
                 AND b.period_end_on = l.period_start_on)
             AND NOT EXISTS (SELECT 1 FROM billing_subscriptionperiod p
               WHERE p.subscription_id = l.subscription_id AND p.end_on = l.period_start_on)
           UNION ALL
           SELECT s.id, s.next_invoice_on FROM billing_subscription s
           WHERE s.state = 'active' AND s.cycle <> 'one_time' AND s.paid_until IS NOT NULL
             AND s.ends_on IS NULL AND (s.next_invoice_on IS NULL OR s.next_invoice_on >=
               GREATEST(s.paid_until, (SELECT max(period_end_on) FROM billing_invoiceline
                 WHERE subscription_id = s.id AND kind = 'recurring')))""",
    ),
    Invariant(
        "INV-8",
        noop("A subscription's periods follow one another: no overlap, a gap only after an end."),
        """SELECT subscription_id FROM (SELECT subscription_id, index,
               COALESCE(given_back_on, end_on) AS until,
               lead(start_on) OVER w AS next, lead(index) OVER w AS next_index
             FROM billing_subscriptionperiod
             WINDOW w AS (PARTITION BY subscription_id ORDER BY index)) p
           WHERE next < until OR (next > until AND next_index = index + 1)""",
    ),
    Invariant(
        "INV-11",
        noop(
            "Invoices, payments, orders and subscriptions that belong together share one currency."
        ),
        """SELECT i.id FROM billing_invoice i
           LEFT JOIN billing_payment p ON p.invoice_id = i.id
           LEFT JOIN billing_order o ON o.id = i.order_id
           LEFT JOIN billing_invoiceline l ON l.invoice_id = i.id
           LEFT JOIN billing_subscription s ON s.id = l.subscription_id
           WHERE p.currency <> i.currency OR o.currency <> i.currency
              OR s.currency <> i.currency""",
    ),
    Invariant(
        "INV-12",
        noop("The credit notes of an invoice never exceed it: in total, per rate and per line."),
        """SELECT i.id FROM billing_invoice i WHERE i.total_minor <
             (SELECT sum(total_minor) FROM billing_invoice WHERE corrects_id = i.id)
           UNION ALL SELECT t.invoice_id FROM billing_invoicetax t JOIN (
             SELECT n.corrects_id, g.tax_bp, sum(g.net_minor) AS net, sum(g.tax_minor) AS tax
             FROM billing_invoice n JOIN billing_invoicetax g ON g.invoice_id = n.id
             WHERE n.corrects_id IS NOT NULL GROUP BY 1, 2) c
             ON c.corrects_id = t.invoice_id AND c.tax_bp = t.tax_bp
           WHERE abs(c.net) > abs(t.net_minor) OR abs(c.tax) > abs(t.tax_minor)
           UNION ALL SELECT l.invoice_id FROM billing_invoiceline l JOIN (
             SELECT corrects_id, sum(unit_minor * quantity) AS sum FROM billing_invoiceline
             WHERE corrects_id IS NOT NULL GROUP BY 1) c ON c.corrects_id = l.id
           WHERE abs(c.sum) > abs(l.unit_minor * l.quantity)""",
    ),
    Invariant(
        "INV-16",
        noop("What exchanges set off of a charge and what credit notes took back never exceed it."),
        """SELECT l.id FROM billing_invoiceline l JOIN (
             SELECT o.sets_off_id, sum(COALESCE(c.sum, 0) - o.unit_minor * o.quantity) AS standing
             FROM billing_invoiceline o JOIN billing_invoice i ON i.id = o.invoice_id
             LEFT JOIN LATERAL (SELECT sum(unit_minor * quantity) FROM billing_invoiceline
               WHERE corrects_id = o.id) c ON true
             WHERE o.sets_off_id IS NOT NULL AND i.state <> 'written_off' GROUP BY 1) s
             ON s.sets_off_id = l.id
           WHERE s.standing + COALESCE((SELECT sum(unit_minor * quantity) FROM billing_invoiceline
             WHERE corrects_id = l.id), 0) > l.unit_minor * l.quantity
           UNION ALL SELECT l.id FROM billing_invoiceline l
           JOIN billing_invoice i ON i.id = l.invoice_id
           WHERE l.kind = 'exchange' AND l.unit_minor < 0 AND l.corrects_id IS NULL
             AND l.sets_off_id IS NULL""",
    ),
    Invariant(
        "INV-13",
        noop(
            "A credit note has the parties, the currency and the lines of the invoice it corrects."
        ),
        """SELECT n.id FROM billing_invoice n JOIN billing_invoice i ON i.id = n.corrects_id
           WHERE i.kind <> 'invoice' OR i.number IS NULL OR n.currency <> i.currency
             OR n.customer_id <> i.customer_id OR n.buyer <> i.buyer OR n.seller <> i.seller
             OR EXISTS (SELECT 1 FROM billing_invoiceline l
                        LEFT JOIN billing_invoiceline o ON o.id = l.corrects_id
                        WHERE l.invoice_id = n.id AND o.invoice_id IS DISTINCT FROM i.id)""",
    ),
    Invariant(
        "INV-14",
        noop(
            "What credit notes took off a sum due is in their bookings; a cancelled invoice owes 0."
        ),
        """SELECT i.id FROM billing_invoice i LEFT JOIN (
             SELECT n.corrects_id, sum(o.amount_minor) AS sum FROM billing_invoice n
             JOIN billing_ledgertransaction t ON t.invoice_id = n.id
             JOIN billing_posting o ON o.transaction_id = t.id
             JOIN billing_ledgeraccount a ON a.id = o.account_id AND a.kind = 'receivable'
             WHERE n.corrects_id IS NOT NULL GROUP BY 1) c ON c.corrects_id = i.id
           WHERE i.kind = 'invoice' AND (i.credited_minor <> -COALESCE(c.sum, 0)
             OR (i.state = 'cancelled' AND i.credited_minor <> i.total_minor))""",
    ),
    Invariant(
        "INV-15",
        noop("What was paid on an invoice is allocated to it, and an open one has something due."),
        """SELECT i.id FROM billing_invoice i WHERE i.paid_minor <>
             COALESCE((SELECT sum(amount_minor) FROM billing_allocation WHERE invoice_id = i.id), 0)
             OR (i.state = 'open' AND i.total_minor <= i.paid_minor + i.credited_minor)""",
    ),
    Invariant(
        "INV-17",
        noop("A paid period of a running service was given, unless an earlier one is still owed."),
        """SELECT l.id FROM billing_invoiceline l JOIN billing_invoice i ON i.id = l.invoice_id
           JOIN billing_subscription s ON s.id = l.subscription_id
           WHERE l.kind = 'recurring' AND i.state = 'paid' AND s.state IN ('active', 'suspended')
             AND l.period_start_on >= s.paid_until
             AND l.unit_minor * l.quantity > COALESCE((SELECT sum(unit_minor * quantity)
               FROM billing_invoiceline WHERE corrects_id = l.id), 0)
             AND NOT EXISTS (SELECT 1 FROM billing_invoiceline e
               JOIN billing_invoice o ON o.id = e.invoice_id
               WHERE e.subscription_id = s.id AND e.kind = 'recurring' AND o.state = 'open'
                 AND e.period_start_on >= s.paid_until
                 AND e.period_start_on < l.period_start_on)""",
    ),
    Invariant(
        "COU-1",
        noop("No coupon is used by more orders than it allows, in all and of one customer."),
        """SELECT c.id, NULL FROM billing_coupon c JOIN billing_redemption r ON r.coupon_id = c.id
           JOIN billing_orderline l ON l.id = r.order_line_id WHERE r.released_at IS NULL
           GROUP BY c.id HAVING count(DISTINCT l.order_id) > c.max_orders
           UNION ALL SELECT c.id, r.customer_id FROM billing_coupon c
           JOIN billing_redemption r ON r.coupon_id = c.id
           JOIN billing_orderline l ON l.id = r.order_line_id WHERE r.released_at IS NULL
           GROUP BY c.id, r.customer_id HAVING count(DISTINCT l.order_id) > c.max_orders_each""",
    ),
    Invariant(
        "COU-2",
        noop("A discount belongs to its customer's redemption, within its invoices and the price."),
        """SELECT l.id FROM billing_invoiceline l JOIN billing_invoice i ON i.id = l.invoice_id
           LEFT JOIN billing_redemption r ON r.id = l.redemption_id
           WHERE l.kind = 'discount' AND l.corrects_id IS NULL
             AND (r.id IS NULL OR r.subscription_id <> l.subscription_id
               OR r.customer_id <> i.customer_id OR r.currency <> i.currency OR i.total_minor < 0)
           UNION ALL SELECT r.id FROM billing_redemption r
           JOIN billing_invoiceline l ON l.redemption_id = r.id AND l.corrects_id IS NULL
           GROUP BY r.id HAVING count(*) > r.cycles""",
    ),
    Invariant(
        "PRI-1",
        noop("A new price was charged only as its notice said, which was sent its days before."),
        """SELECT n.id FROM billing_pricenotice n JOIN billing_pricechange c ON c.id = n.change_id
           JOIN billing_mail m ON m.id = n.mail_id
           JOIN billing_subscription s ON s.id = n.subscription_id
           WHERE n.applies_from IS NOT NULL AND (c.state = 'draft' OR m.state <> 'sent'
             OR n.applies_from < c.effective_on OR n.applies_from < n.starts_on
             OR n.applies_from < (m.sent_at AT TIME ZONE s.zone)::date + n.days)""",
    ),
    Invariant(
        "PRI-2",
        noop(
            "A period before a new price includes what its own price did, however late it was paid."
        ),
        """SELECT n.id, l.id FROM billing_pricenotice n
           JOIN billing_invoiceline l ON l.subscription_id = n.subscription_id
             AND l.kind = 'recurring' AND l.period_start_on < n.applies_from
           JOIN provisioning_job j ON j.cause = 'invoice-line-' || l.id || ':credit'
           WHERE j.amount_minor <> n.credit_before_minor
             AND NOT EXISTS (SELECT 1 FROM billing_pricenotice o
               JOIN billing_pricechange c ON c.id = n.change_id
               JOIN billing_pricechange d ON d.id = o.change_id
               WHERE o.subscription_id = n.subscription_id AND o.applies_from > l.period_start_on
                 AND (o.applies_from, d.effective_on, o.id)
                   < (n.applies_from, c.effective_on, n.id))
             AND NOT EXISTS (SELECT 1 FROM billing_exchange e
               WHERE e.subscription_id = n.subscription_id AND e.state = 'done'
                 AND e."on" > l.period_start_on AND e."on" <= n.applies_from)""",
    ),
    *ledger_invariants.INVARIANTS,
    *service_invariants.INVARIANTS,
)


def check() -> Iterator[Finding]:
    """Run every invariant and yield what it finds; reads only."""
    for invariant in INVARIANTS:
        with connection.cursor() as cursor:
            cursor.execute(invariant.sql)
            yield Finding(invariant, tuple(cursor.fetchmany(100)))


def violations() -> list[Finding]:
    """Return only the invariants that are violated."""
    return [finding for finding in check() if finding.rows]
