"""What must be true of the books: they balance, and each business event is in them once."""

from django.utils.translation import gettext_noop as noop

from billing.invariant import Invariant

INVARIANTS = (
    Invariant(
        "LED-1",
        noop("Every ledger transaction sums to zero in each currency."),
        """SELECT o.transaction_id, a.currency FROM billing_posting o
           JOIN billing_ledgeraccount a ON a.id = o.account_id
           GROUP BY 1, 2 HAVING sum(o.amount_minor) <> 0""",
    ),
    Invariant(
        "LED-5",
        noop("Every issued invoice over something is booked exactly once."),
        """SELECT i.id FROM billing_invoice i
           LEFT JOIN billing_ledgertransaction t ON t.invoice_id = i.id
             AND t.cause <> 'invoice-' || i.id || ':written-off'
           LEFT JOIN billing_posting o ON o.transaction_id = t.id
           LEFT JOIN billing_ledgeraccount a ON a.id = o.account_id AND a.kind = 'receivable'
           WHERE i.number IS NOT NULL
           GROUP BY i.id
           HAVING count(DISTINCT t.id) <>
               CASE WHEN i.net_minor = 0 AND i.tax_minor = 0 THEN 0 ELSE 1 END
             OR (i.kind = 'invoice' AND i.total_minor <>
               COALESCE(sum(o.amount_minor) FILTER (WHERE a.id IS NOT NULL), 0))""",
    ),
    Invariant(
        "LED-6",
        noop("What a customer owes in the ledger is the sum of what is open on invoices."),
        """SELECT customer_id, currency FROM (
             SELECT a.customer_id, a.currency, o.amount_minor AS minor FROM billing_posting o
             JOIN billing_ledgeraccount a ON a.id = o.account_id WHERE a.kind = 'receivable'
             UNION ALL
             SELECT customer_id, currency,
               paid_minor + credited_minor + written_off_minor - total_minor
             FROM billing_invoice
             WHERE kind = 'invoice' AND number IS NOT NULL) owed
           GROUP BY customer_id, currency HAVING sum(minor) <> 0""",
    ),
    Invariant(
        "LED-7",
        noop(
            "An invoice earns its net and owes its tax in the books; a credit note takes both back."
        ),
        """SELECT i.id FROM billing_invoice i
           LEFT JOIN billing_ledgertransaction t ON t.invoice_id = i.id
           LEFT JOIN billing_posting o ON o.transaction_id = t.id
           LEFT JOIN billing_ledgeraccount a ON a.id = o.account_id
           WHERE i.number IS NOT NULL GROUP BY i.id
           HAVING COALESCE(sum(o.amount_minor) FILTER (WHERE a.kind = 'revenue'), 0)
               <> i.net_minor * CASE i.kind WHEN 'invoice' THEN -1 ELSE 1 END
             OR COALESCE(sum(o.amount_minor) FILTER (WHERE a.kind = 'tax_payable'), 0)
               <> i.tax_minor * CASE i.kind WHEN 'invoice' THEN -1 ELSE 1 END""",
    ),
    Invariant(
        "LED-8",
        noop("No customer's balance is below zero."),
        """SELECT a.id FROM billing_ledgeraccount a JOIN billing_posting o ON o.account_id = a.id
           WHERE a.kind = 'customer_credit' GROUP BY a.id HAVING sum(o.amount_minor) > 0""",
    ),
    Invariant(
        "LED-9",
        noop("Every change of a balance has its document; what paid an invoice is booked for it."),
        """SELECT t.id FROM billing_ledgertransaction t JOIN billing_posting o
             ON o.transaction_id = t.id JOIN billing_ledgeraccount a ON a.id = o.account_id
           WHERE a.kind = 'customer_credit'
             AND t.invoice_id IS NULL AND t.payment_id IS NULL AND t.allocation_id IS NULL
             AND t.refund_id IS NULL
           UNION ALL SELECT l.id FROM billing_allocation l
           LEFT JOIN billing_ledgertransaction t ON t.allocation_id = l.id
           LEFT JOIN billing_posting o ON o.transaction_id = t.id
           LEFT JOIN billing_ledgeraccount a ON a.id = o.account_id AND a.kind = 'customer_credit'
           WHERE l.payment_id IS NULL GROUP BY l.id, l.amount_minor
           HAVING COALESCE(sum(o.amount_minor) FILTER (WHERE a.id IS NOT NULL), 0)
             <> l.amount_minor""",
    ),
    Invariant(
        "LED-10",
        noop(
            "A refund is off the balance, and out of the clearing if it succeeded; failed, neither."
        ),
        # One that came back had left the clearing: it is booked back there once, and marked.
        """SELECT r.id FROM billing_refund r
           LEFT JOIN billing_ledgertransaction t ON t.refund_id = r.id
           LEFT JOIN billing_posting o ON o.transaction_id = t.id
           LEFT JOIN billing_ledgeraccount a ON a.id = o.account_id
           GROUP BY r.id
           HAVING COALESCE(sum(o.amount_minor) FILTER (WHERE a.kind = 'customer_credit'), 0)
               <> CASE r.state WHEN 'failed' THEN 0 ELSE r.amount_minor END
             OR COALESCE(sum(o.amount_minor) FILTER (WHERE a.kind = 'clearing'), 0)
               <> CASE r.state WHEN 'succeeded' THEN -r.amount_minor ELSE 0 END
             OR (bool_or(t.cause LIKE '%:succeeded') AND r.state = 'failed')
               <> bool_or(COALESCE(t.cause LIKE '%:returned', false))""",
    ),
    Invariant(
        "LED-11",
        noop("What was written off of an invoice is booked as bad debt, and nothing else is."),
        """SELECT i.id FROM billing_invoice i
           LEFT JOIN billing_ledgertransaction t ON t.invoice_id = i.id
           LEFT JOIN billing_posting o ON o.transaction_id = t.id
           LEFT JOIN billing_ledgeraccount a ON a.id = o.account_id AND a.kind = 'bad_debt'
           GROUP BY i.id, i.written_off_minor
           HAVING i.written_off_minor
             <> COALESCE(sum(o.amount_minor) FILTER (WHERE a.id IS NOT NULL), 0)""",
    ),
    Invariant(
        "LED-12",
        noop("What a gateway took and paid out is booked once, as its own statement says."),
        """SELECT m.id FROM billing_movement m
           LEFT JOIN billing_ledgertransaction t ON t.cause = 'movement-' || m.id
           LEFT JOIN billing_posting o ON o.transaction_id = t.id
           LEFT JOIN billing_ledgeraccount a ON a.id = o.account_id AND a.kind = 'clearing'
             AND a.name = m.gateway AND a.currency = m.currency
           GROUP BY m.id
           HAVING COALESCE(sum(o.amount_minor) FILTER (WHERE a.id IS NOT NULL), 0) <>
             CASE WHEN m.kind IN ('payment', 'refund') AND m.payment_id IS NOT NULL
               THEN 0 ELSE m.amount_minor END - m.fee_minor""",
    ),
)
