"""What must be true of services: jobs at the dialler, dunning, orders, states, mails."""

from django.utils.translation import gettext_noop as noop

from billing.invariant import Invariant

# An order's line that was credited in full need not have been delivered.
CREDITED = """EXISTS (SELECT 1 FROM billing_invoiceline c WHERE c.order_line_id = l.id
  AND c.corrects_id IS NULL AND c.kind IN ('recurring', 'package', 'credit')
  AND c.unit_minor > 0 AND c.unit_minor * c.quantity =
    (SELECT sum(unit_minor * quantity) FROM billing_invoiceline WHERE corrects_id = c.id))"""

INVARIANTS = (
    Invariant(
        "CUS-1",
        noop("A customer whom users act for has an owner."),
        """SELECT customer_id FROM billing_membership GROUP BY customer_id
           HAVING count(*) FILTER (WHERE role = 'owner') = 0""",
    ),
    Invariant(
        "REM-2",
        noop("Every finished command to the dialler was written down before it was sent."),
        """SELECT j.id FROM provisioning_job j
           WHERE j.state = 'done' AND j.kind = 'credit'
             AND NOT EXISTS (SELECT 1 FROM provisioning_attempt WHERE job_id = j.id)
             AND NOT EXISTS (SELECT 1 FROM packages_statechange WHERE subject = 'job'
               AND subject_id = j.id AND actor LIKE 'staff:%')""",
    ),
    Invariant(
        "REM-3",
        noop("A command is sent again only after two readings showed that it was not applied."),
        """SELECT a.id FROM provisioning_attempt a
           WHERE EXISTS (SELECT 1 FROM provisioning_attempt b
                         WHERE b.job_id = a.job_id AND b.number > a.number)
             AND (a.outcome IN ('sent', 'unknown', 'done', 'applied')
                  OR (a.outcome = 'absent' AND jsonb_array_length(a.readings) < 2
                      AND NOT jsonb_path_exists(a.readings, '$[*].by')))""",
    ),
    Invariant(
        "REM-4",
        noop("At most one job of an account runs."),
        """SELECT account_id FROM provisioning_job WHERE state = 'running'
           GROUP BY account_id HAVING count(*) > 1""",
    ),
    Invariant(
        "REM-5",
        noop("Jobs of an account are finished in their order, but for what overtakes them."),
        """SELECT id FROM (SELECT id, finished_at, lag(finished_at) OVER
             (PARTITION BY account_id ORDER BY seq) AS earlier FROM provisioning_job
             WHERE state = 'done' AND NOT overtakes) j WHERE earlier > finished_at""",
    ),
    Invariant(
        "REM-8",
        noop("An active subscription has its account."),
        "SELECT id FROM billing_subscription WHERE state = 'active' AND account_id IS NULL",
    ),
    Invariant(
        "REM-10",
        noop("Credit jobs and the credit that fulfilled order lines sold are the same."),
        f"""SELECT j.id, NULL FROM provisioning_job j
           LEFT JOIN billing_orderline l ON j.cause = 'order-line-' || l.id || ':credit'
           LEFT JOIN billing_order o ON o.id = l.order_id
           WHERE j.kind = 'credit' AND j.cause NOT LIKE 'invoice-line-%'
             AND j.cause NOT LIKE 'exchange-%'
             AND NOT (j.cause LIKE 'gift-%' AND EXISTS (SELECT 1 FROM packages_statechange
               WHERE subject = 'job' AND subject_id = j.id AND before = ''
                 AND actor LIKE 'staff:%'))
             AND (l.id IS NULL OR j.amount_minor <> l.credit_minor
             OR j.currency <> o.currency OR o.state <> 'fulfilled')
           UNION ALL SELECT NULL, l.id FROM billing_orderline l
           JOIN billing_order o ON o.id = l.order_id
           WHERE o.state = 'fulfilled' AND l.credit_minor > 0 AND NOT EXISTS (
             SELECT 1 FROM provisioning_job WHERE cause = 'order-line-' || l.id || ':credit')
             AND NOT {CREDITED}""",
    ),
    Invariant(
        "REM-11",
        noop(
            "A service is taken away only for an issued, delivered, overdue invoice, as announced."
        ),
        """SELECT c.id FROM packages_statechange c
           WHERE c.subject = 'subscription' AND c.actor = 'system:dunning' AND NOT EXISTS (
             SELECT 1 FROM billing_notice n
             JOIN billing_invoice i ON i.id = n.invoice_id
             JOIN billing_invoiceline l ON l.invoice_id = i.id
             JOIN billing_mail m ON m.template = 'invoice_issued'
               AND m.cause = 'invoice-' || i.id AND m.state = 'sent'
             JOIN billing_notice w ON w.invoice_id = i.id AND w.step =
               CASE n.step WHEN 'suspended' THEN 'overdue_second' ELSE 'revocation_warning' END
             JOIN billing_mail t ON t.id = w.mail_id AND t.state = 'sent'
             WHERE l.subscription_id = c.subject_id AND n.step = c.after AND n.at = c.at
               AND i.number IS NOT NULL AND n.on > i.due_on AND m.sent_at < n.at
               AND t.sent_at < n.at
               AND (i.paid_at IS NULL OR i.paid_at >= n.at))""",
    ),
    Invariant(
        "REM-12",
        noop(
            "What a renewal gives or takes back belongs to a paid line, or to a gift that expired."
        ),
        """SELECT j.id FROM provisioning_job j
           LEFT JOIN billing_invoiceline l ON j.cause = 'invoice-line-' || l.id || ':credit'
           LEFT JOIN billing_invoice i ON i.id = l.invoice_id
           LEFT JOIN billing_subscription s ON s.id = l.subscription_id
           WHERE j.kind = 'credit' AND j.cause LIKE 'invoice-line-%'
             AND (l.id IS NULL OR i.state <> 'paid' OR j.account_id <> s.account_id
               OR j.currency <> i.currency)
           UNION ALL SELECT j.id FROM provisioning_job j
           LEFT JOIN billing_invoiceline l ON j.cause = 'invoice-line-' || l.id || ':take-back'
           LEFT JOIN billing_invoice i ON i.id = l.invoice_id
           LEFT JOIN billing_subscription s ON s.id = l.subscription_id
           LEFT JOIN billing_creditbucket b ON j.cause = 'bucket-' || b.id || ':expired'
           LEFT JOIN billing_topuprefund r ON j.cause LIKE 'bucket-%:refund-' || r.id
           WHERE j.kind = 'take_back' AND (i.state = 'paid' AND j.account_id = s.account_id
             OR b.kind = 'promotional' AND j.account_id = b.account_id
             OR r.id IS NOT NULL) IS NOT TRUE""",
    ),
    Invariant(
        "REM-14",
        noop("The account of a service that has ended is deleted one day, and no other one is."),
        """SELECT s.id FROM billing_subscription s
           JOIN provisioning_account a ON a.id = s.account_id
           WHERE CASE WHEN s.state = 'ended' THEN a.state <> 'closed' AND NOT EXISTS (
             SELECT 1 FROM provisioning_job j WHERE j.account_id = a.id AND j.kind = 'terminate'
               AND (j.state IN ('waiting', 'running', 'parked') OR EXISTS (
                 SELECT 1 FROM packages_statechange WHERE subject = 'job' AND subject_id = j.id
                   AND after = 'cancelled' AND actor LIKE 'staff:%')))
             ELSE a.state = 'closed' END""",
    ),
    Invariant(
        "REM-13",
        noop(
            "Drift was put right by jobs that staff asked for: limits and the switch, never credit."
        ),
        """SELECT j.id FROM provisioning_job j
           LEFT JOIN provisioning_drift d ON j.cause LIKE 'drift-' || d.id || '-%'
           LEFT JOIN packages_statechange c ON c.subject = 'job' AND c.subject_id = j.id
             AND c.before = '' AND c.actor LIKE 'staff:%'
           WHERE j.cause LIKE 'drift-%' AND (d.account_id IS DISTINCT FROM j.account_id
             OR c.id IS NULL OR j.kind NOT IN ('set_limits', 'suspend', 'unsuspend'))""",
    ),
    Invariant(
        "CRE-1",
        noop("A bucket holds what its entries come to, and was granted once."),
        """SELECT b.id FROM billing_creditbucket b
           LEFT JOIN billing_bucketentry e ON e.bucket_id = b.id GROUP BY b.id
           HAVING b.left_minor <> COALESCE(sum(e.amount_minor), 0) OR b.granted_minor <>
             COALESCE(sum(e.amount_minor) FILTER (WHERE e.kind = 'granted'), 0)""",
    ),
    Invariant(
        "CRE-2",
        noop("The credit granted in buckets is that of the finished credit jobs, or was found."),
        """SELECT j.id, b.id FROM (SELECT * FROM provisioning_job
             WHERE kind = 'credit' AND state = 'done') j
           FULL JOIN (SELECT * FROM billing_creditbucket WHERE cause NOT LIKE 'found-%') b
             ON b.cause = j.cause
           WHERE b.id IS NULL OR j.id IS NULL OR b.granted_minor <> j.amount_minor
             OR b.account_id <> j.account_id OR b.currency <> j.currency""",
    ),
    Invariant(
        "CRE-3",
        noop("Only free credit that lapses was taken back, and no more than its job took."),
        """SELECT e.id, NULL FROM billing_bucketentry e
           JOIN billing_creditbucket b ON b.id = e.bucket_id
           WHERE e.kind = 'taken_back' AND b.kind NOT IN ('resetting', 'promotional')
             AND e.cause NOT LIKE 'bucket-%:refund-%'
           UNION ALL SELECT NULL, j.id FROM provisioning_job j
           LEFT JOIN billing_bucketentry e ON e.cause = j.cause AND e.kind = 'taken_back'
           WHERE j.kind = 'take_back' AND j.state = 'done' GROUP BY j.id, j.amount_minor
           HAVING COALESCE(j.amount_minor, 0) <> -COALESCE(sum(e.amount_minor), 0)""",
    ),
    Invariant(
        "DUN-1",
        noop(
            "Each step of dunning was taken once per invoice, one a day, in the timetable's order."
        ),
        """SELECT id FROM (SELECT n.id, n.on, n.step, lag(n.on) OVER w AS earlier
             FROM billing_notice n
             WINDOW w AS (PARTITION BY n.invoice_id ORDER BY array_position(ARRAY['reminder',
               'overdue_first', 'overdue_second', 'suspended', 'revocation_warning', 'ended'],
               n.step::text))) s
           WHERE earlier >= s.on""",
    ),
    Invariant(
        "TOP-1",
        noop("The automatic top-ups of a month never exceed the ceiling that was agreed to then."),
        """SELECT id FROM (SELECT p.id, p.month_minor, sum(p.amount_minor) OVER (
             PARTITION BY p.auto_id, date_trunc('month', p.on) ORDER BY p.id) AS bought
             FROM billing_autopurchase p JOIN billing_order o ON o.id = p.order_id
             WHERE o.state <> 'cancelled') m WHERE bought > month_minor""",
    ),
    Invariant(
        "TOP-2",
        noop("An automatic purchase is an order of its customer for its service, over its amount."),
        """SELECT p.id FROM billing_autopurchase p
           JOIN billing_autotopup a ON a.id = p.auto_id
           JOIN billing_subscription s ON s.id = a.subscription_id
           JOIN billing_order o ON o.id = p.order_id
           LEFT JOIN billing_orderline l ON l.order_id = o.id
           WHERE o.customer_id <> s.customer_id OR l.subscription_id IS DISTINCT FROM s.id
             OR l.credit_minor <> p.amount_minor OR l.amount_minor <> p.amount_minor
             OR (p.closed_at IS NOT NULL AND o.state = 'placed')""",
    ),
    Invariant(
        "TOP-3",
        noop("What was credited for bought credit had left the dialler, once, and no more."),
        """SELECT r.id FROM billing_topuprefund r
           LEFT JOIN provisioning_job j ON j.cause LIKE 'bucket-%:refund-' || r.id
           JOIN billing_orderline l ON l.id = r.line_id
           LEFT JOIN billing_invoice n ON n.id = r.note_id
           WHERE j.id IS NULL
             OR (r.state IN ('taken', 'credited') AND (j.state <> 'done'
               OR j.amount_minor <> r.taken_minor OR j.account_id <> (SELECT account_id
                 FROM billing_subscription WHERE id = l.subscription_id)))
             OR (r.state = 'credited' AND n.corrects_id IS DISTINCT FROM
               (SELECT id FROM billing_invoice WHERE order_id = l.order_id AND kind = 'invoice'))
           UNION ALL SELECT line_id FROM billing_topuprefund r
           JOIN billing_orderline l ON l.id = r.line_id
           GROUP BY line_id, l.credit_minor HAVING sum(taken_minor) > l.credit_minor""",
    ),
    Invariant(
        "ORD-1",
        noop("A fulfilled order has a paid invoice and, for each line, its jobs."),
        f"""SELECT l.id FROM billing_orderline l JOIN billing_order o ON o.id = l.order_id
           LEFT JOIN billing_invoice i ON i.order_id = o.id
           WHERE (o.state = 'fulfilled' AND (i.state IS DISTINCT FROM 'paid'
             OR (NOT {CREDITED} AND NOT EXISTS (SELECT 1 FROM provisioning_job
                                        WHERE cause LIKE 'order-line-' || l.id || ':%'))))
             OR (i.state = 'paid' AND o.state <> 'fulfilled'
               AND NOT (o.state = 'cancelled' AND l.kind IN ('exchange', 'return'))
               AND i.total_minor > COALESCE(
               (SELECT sum(total_minor) FROM billing_invoice WHERE corrects_id = i.id), 0))""",
    ),
    Invariant(
        "SRV-1",
        noop("Nothing was sent for an account that waits for room on a server."),
        """SELECT a.id FROM provisioning_account a WHERE NOT a.placed
           AND (a.remote_id <> '' OR EXISTS (SELECT FROM provisioning_attempt t
             JOIN provisioning_job j ON j.id = t.job_id WHERE j.account_id = a.id))""",
    ),
    Invariant(
        "SRV-2",
        noop("An account that ran before it was ours has its service, and was not made again."),
        """SELECT a.id FROM provisioning_account a
           JOIN packages_statechange c ON c.subject = 'account' AND c.subject_id = a.id
             AND c.before = '' AND c.after <> 'planned'
           LEFT JOIN billing_subscription s ON s.account_id = a.id
           LEFT JOIN billing_creditbucket b ON b.cause = 'found-import-' || a.id
           WHERE s.id IS NULL OR b.account_id <> a.id OR EXISTS (
             SELECT 1 FROM provisioning_job WHERE account_id = a.id AND kind = 'create')""",
    ),
    Invariant(
        "EXC-1",
        noop("The documents of an exchange are what its quote said, to the cent."),
        """SELECT e.id FROM billing_exchange e
           LEFT JOIN billing_orderline l ON l.id = e.order_line_id
           LEFT JOIN billing_invoice i ON i.order_id = l.order_id
           WHERE CASE WHEN e.order_line_id IS NOT NULL
             THEN e.total_minor <= 0 OR i.total_minor IS DISTINCT FROM e.total_minor
               OR (e.state = 'done' AND i.state <> 'paid')
             ELSE e.total_minor <> -COALESCE((SELECT sum(n.total_minor)
               FROM billing_exchange_credit_notes c
               JOIN billing_invoice n ON n.id = c.invoice_id WHERE c.exchange_id = e.id), 0) END""",
    ),
    Invariant(
        "EXC-2",
        noop(
            "A service has the package of its last exchange; its limits and credit were asked for."
        ),
        """SELECT e.id FROM billing_exchange e
           JOIN billing_subscription s ON s.id = e.subscription_id
           CROSS JOIN LATERAL (SELECT COALESCE('order-line-' || e.order_line_id,
             'exchange-' || e.id) AS text) cause
           WHERE e.state = 'done' AND (
             (s.package_id <> e.package_id AND NOT EXISTS (SELECT 1 FROM billing_exchange n
               WHERE n.subscription_id = s.id AND n.state = 'done' AND n.id > e.id))
             OR NOT EXISTS (SELECT 1 FROM provisioning_job j
               WHERE j.cause = cause.text || ':limits' AND j.account_id = s.account_id)
             OR e.granted_minor <> COALESCE((SELECT j.amount_minor FROM provisioning_job j
               WHERE j.cause = cause.text || ':credit' AND j.account_id = s.account_id
                 AND j.currency = s.currency), 0))
           UNION ALL SELECT j.id FROM provisioning_job j
           WHERE j.kind = 'credit' AND j.cause LIKE 'exchange-%' AND NOT EXISTS (
             SELECT 1 FROM billing_exchange
             WHERE j.cause = 'exchange-' || id || ':credit' AND state = 'done')""",
    ),
    Invariant(
        "JOB-2",
        noop("A finished job was never run again."),
        """SELECT j.id FROM provisioning_job j JOIN provisioning_attempt a ON a.job_id = j.id
           WHERE j.state = 'done' AND a.sent_at > j.finished_at""",
    ),
    Invariant(
        "STA-2",
        noop("Every row's state is the last one of its history."),
        """SELECT 'job', j.id FROM provisioning_job j LEFT JOIN LATERAL (
             SELECT after FROM packages_statechange WHERE subject = 'job' AND subject_id = j.id
             ORDER BY id DESC LIMIT 1) h ON true WHERE h.after IS DISTINCT FROM j.state
           UNION ALL SELECT 'payment', p.id FROM billing_payment p LEFT JOIN LATERAL (
             SELECT after FROM packages_statechange WHERE subject = 'payment' AND subject_id = p.id
             ORDER BY id DESC LIMIT 1) h ON true WHERE h.after IS DISTINCT FROM p.state
           UNION ALL SELECT 'subscription', s.id FROM billing_subscription s LEFT JOIN LATERAL (
             SELECT after FROM packages_statechange
             WHERE subject = 'subscription' AND subject_id = s.id
             ORDER BY id DESC LIMIT 1) h ON true WHERE h.after IS DISTINCT FROM s.state
           UNION ALL SELECT 'bankentry', b.id FROM billing_bankentry b LEFT JOIN LATERAL (
             SELECT after FROM packages_statechange WHERE subject = 'bankentry'
             AND subject_id = b.id ORDER BY id DESC LIMIT 1) h ON true
             WHERE h.after IS DISTINCT FROM b.state
           UNION ALL SELECT 'statementfile', f.id FROM billing_statementfile f LEFT JOIN LATERAL (
             SELECT after FROM packages_statechange WHERE subject = 'statementfile'
             AND subject_id = f.id ORDER BY id DESC LIMIT 1) h ON true
             WHERE h.after IS DISTINCT FROM f.state
           UNION ALL SELECT 'vatcheck', v.id FROM billing_vatcheck v LEFT JOIN LATERAL (
             SELECT after FROM packages_statechange WHERE subject = 'vatcheck' AND subject_id = v.id
             ORDER BY id DESC LIMIT 1) h ON true WHERE h.after IS DISTINCT FROM v.state
           UNION ALL SELECT 'refund', r.id FROM billing_refund r LEFT JOIN LATERAL (
             SELECT after FROM packages_statechange WHERE subject = 'refund' AND subject_id = r.id
             ORDER BY id DESC LIMIT 1) h ON true WHERE h.after IS DISTINCT FROM r.state
           UNION ALL SELECT 'account', a.id FROM provisioning_account a LEFT JOIN LATERAL (
             SELECT after FROM packages_statechange WHERE subject = 'account' AND subject_id = a.id
             ORDER BY id DESC LIMIT 1) h ON true WHERE h.after IS DISTINCT FROM a.state
           UNION ALL SELECT 'drift', d.id FROM provisioning_drift d LEFT JOIN LATERAL (
             SELECT after FROM packages_statechange WHERE subject = 'drift' AND subject_id = d.id
             ORDER BY id DESC LIMIT 1) h ON true WHERE h.after IS DISTINCT FROM d.state
           UNION ALL SELECT 'invoice', i.id FROM billing_invoice i LEFT JOIN LATERAL (
             SELECT after FROM packages_statechange WHERE subject = 'invoice' AND subject_id = i.id
             ORDER BY id DESC LIMIT 1) h ON true WHERE h.after IS DISTINCT FROM i.state
           UNION ALL SELECT 'order', o.id FROM billing_order o LEFT JOIN LATERAL (
             SELECT after FROM packages_statechange WHERE subject = 'order' AND subject_id = o.id
             ORDER BY id DESC LIMIT 1) h ON true WHERE h.after IS DISTINCT FROM o.state
           UNION ALL SELECT 'run', r.id FROM billing_run r LEFT JOIN LATERAL (
             SELECT after FROM packages_statechange WHERE subject = 'run' AND subject_id = r.id
             ORDER BY id DESC LIMIT 1) h ON true WHERE h.after IS DISTINCT FROM r.state
           UNION ALL SELECT 'method', p.id FROM billing_paymentmethod p LEFT JOIN LATERAL (
             SELECT after FROM packages_statechange
             WHERE subject = 'paymentmethod' AND subject_id = p.id
             ORDER BY id DESC LIMIT 1) h ON true WHERE h.after IS DISTINCT FROM p.state
           UNION ALL SELECT 'autotopup', t.id FROM billing_autotopup t LEFT JOIN LATERAL (
             SELECT after FROM packages_statechange WHERE subject = 'autotopup'
             AND subject_id = t.id
             ORDER BY id DESC LIMIT 1) h ON true WHERE h.after IS DISTINCT FROM t.state
           UNION ALL SELECT 'exchange', e.id FROM billing_exchange e LEFT JOIN LATERAL (
             SELECT after FROM packages_statechange WHERE subject = 'exchange' AND subject_id = e.id
             ORDER BY id DESC LIMIT 1) h ON true WHERE h.after IS DISTINCT FROM e.state
           UNION ALL SELECT 'refund', t.id FROM billing_topuprefund t LEFT JOIN LATERAL (
             SELECT after FROM packages_statechange WHERE subject = 'topuprefund'
             AND subject_id = t.id
             ORDER BY id DESC LIMIT 1) h ON true WHERE h.after IS DISTINCT FROM t.state
           UNION ALL SELECT 'mail', m.id FROM billing_mail m LEFT JOIN LATERAL (
             SELECT after FROM packages_statechange WHERE subject = 'mail' AND subject_id = m.id
             ORDER BY id DESC LIMIT 1) h ON true WHERE h.after IS DISTINCT FROM m.state""",
    ),
    Invariant(
        "MAIL-1",
        noop(
            "The login of an account that we made was mailed once, as soon as its jobs had ended."
        ),
        """SELECT a.id FROM provisioning_account a
           LEFT JOIN billing_mail m ON m.template = 'account_ready'
             AND m.cause = 'account-' || a.id
           WHERE a.state <> 'planned' AND a.password_sealed IS NULL
             AND NOT EXISTS (SELECT 1 FROM packages_statechange c WHERE c.subject = 'account'
               AND c.subject_id = a.id AND c.before = '' AND c.after <> 'planned')
           GROUP BY a.id HAVING count(m.id) <> 1
           UNION ALL SELECT a.id FROM provisioning_account a
           WHERE a.state = 'live' AND a.password_sealed IS NOT NULL AND NOT EXISTS (
             SELECT 1 FROM provisioning_job WHERE account_id = a.id
             AND state IN ('waiting', 'running', 'parked'))""",
    ),
)
