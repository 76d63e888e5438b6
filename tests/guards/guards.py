"""The unique keys, checks and triggers of the database, each with a write that it must refuse.

A copy names a row of `rows.py` and the columns in which the copy differs, as SQL expressions: all
other unique columns get fresh values, so that nothing but the guard itself can refuse it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

UUID = "gen_random_uuid()"


@dataclass(frozen=True)
class Copy:
    """A second row that the guard refuses."""

    guard: str
    row: str
    changes: dict[str, str] = field(default_factory=dict)
    # A second guard that refuses the same row: Django insists on a key beside our stricter one,
    # and the operator is one row.
    twin: str = ""

    def __str__(self) -> str:
        return self.guard


@dataclass(frozen=True)
class Change:
    """A statement that the trigger refuses; `{}` is the id of the row."""

    guard: str
    row: str
    statement: str

    def __str__(self) -> str:
        return f"{self.guard}: {self.statement.split()[0]}"


PAYMENT = {"public_id": UUID, "key": UUID, "external_id": "'pay_2'", "state": "'failed'"}
CHARGE = {"public_id": UUID, "key": UUID, "external_id": "'pay_2'"}
METHOD = {"public_id": UUID, "token_digest": "'other'::bytea", "is_default": "false"}
JOB = {"cause": "'other'", "seq": "2", "state": "'waiting'"}
ACCOUNT = {"public_id": UUID, "marker": UUID, "username": "'other'", "remote_id": "'8'"}
ISSUED = {
    "public_id": UUID, "order_id": "NULL", "sequence": "9", "number": "'R-2026-0009'",
}  # fmt: skip
NOTE = {"public_id": UUID, "sequence": "9", "number": "'G-2026-0009'"}
SUBSCRIPTION = {"public_id": UUID, "account_id": "NULL"}
ORDER = {"public_id": UUID, "checkout_key": UUID}
EXCHANGE = {"order_line_id": "NULL", "state": "'done'"}
PERIOD = {"index": "1", "start_on": "start_on + 31", "end_on": "end_on + 31"}
ATTEMPT = {"number": "2", "outcome": "'absent'"}
# The invoice that nothing points to.
BARE = "(SELECT id FROM billing_invoice WHERE number = 'R-2026-0002')"
TIMETABLE = {"is_default": "false"}
OTHER_DRAFT = "(SELECT max(id) FROM billing_invoice WHERE state = 'draft')"
OTHER_CHANGE = "(SELECT max(id) FROM billing_pricechange)"
OTHER_MAIL = "(SELECT max(id) FROM billing_mail)"
OTHER_LINE = "(SELECT max(id) FROM billing_orderline)"
PURCHASE = {
    "order_id": "(SELECT max(id) FROM billing_order)",
    "read_at": "read_at + interval '1 hour'",
    "closed_at": "now()",
}
BUCKET = {"cause": "'other'"}
LINE = {"position": "2", "period_start_on": "NULL"}


def without(changes: dict[str, str], name: str) -> dict[str, str]:
    """Return the changes, with the column that the guard is about left as in the first row."""
    return {key: value for key, value in changes.items() if key != name}


UNIQUE = (
    # Payments and gateways.
    Copy("gateway_event_once", "event"),
    Copy("payment_external_once", "payment", without(PAYMENT, "external_id")),
    Copy("payment_one_open_per_invoice", "payment", without(PAYMENT, "state")),
    Copy("billing_payment_key_key", "payment", without(PAYMENT, "key")),
    Copy("billing_payment_public_id_key", "payment", without(PAYMENT, "public_id")),
    Copy("payment_turn_once", "charge", {**CHARGE, "turn_on": "turn_on + 1"}),
    Copy("payment_one_turn_a_day", "charge", {**CHARGE, "turn": "turn + 1"}),
    Copy("payer_once", "payer", {"key": UUID}),
    Copy("billing_payer_key_key", "payer", {"account": "'another'"}),
    Copy("payment_method_once", "method", without(METHOD, "token_digest")),
    Copy("payment_method_one_default", "method", without(METHOD, "is_default")),
    Copy("billing_paymentmethod_public_id_key", "method", without(METHOD, "public_id")),
    Copy("setup_external_once", "setup", {"key": UUID, "public_id": UUID}),
    Copy("billing_methodsetup_key_key", "setup", {"external_id": "'cs_2'", "public_id": UUID}),
    Copy("billing_methodsetup_public_id_key", "setup", {"external_id": "'cs_2'", "key": UUID}),
    Copy("movement_once", "movement"),
    Copy("difference_once", "difference"),
    Copy("payment_part_once", "part"),
    Copy("allocation_once", "allocation"),
    Copy("allocation_use_once", "use"),
    Copy("billing_refund_key_key", "refund", {"external_id": "'re_2'"}),
    Copy("refund_external_once", "refund", {"key": UUID}),
    Copy("vat_check_one_waiting", "vatcheck"),
    Copy("bank_entry_once", "bankentry"),
    Copy("billing_statementlayout_name_key", "layout"),
    # Invoices and numbers.
    Copy("invoice_number_once", "invoice", without(ISSUED, "sequence")),
    Copy("billing_invoice_number_key", "invoice", without(ISSUED, "number")),
    Copy("billing_invoice_order_id_key", "invoice", without(ISSUED, "order_id")),
    Copy("billing_invoice_public_id_key", "invoice", without(ISSUED, "public_id")),
    Copy("invoice_correction_once", "note", NOTE),
    Copy("invoice_position_once", "draft_line", without(LINE, "position")),
    Copy("invoice_period_once", "draft_line", without(LINE, "period_start_on")),
    Copy("invoice_tax_once", "draft_tax"),
    Copy("discount_once", "discount", {"position": "6", "period_start_on": "NULL"}),
    Copy("discount_period_once", "discount", {"invoice_id": OTHER_DRAFT}),
    Copy("number_series_once", "series"),
    Copy("timetable_one_default", "timetable"),
    Copy("billing_packagetimetable_package_id_key", "packagetimetable"),
    Copy("billing_run_on_key", "run"),
    Copy("tax_rate_once", "taxrate"),
    Copy("notice_once", "notice", {"on": '"on" + 1'}),
    Copy("notice_one_a_day", "notice", {"step": "'overdue_first'"}),
    # Ledger.
    Copy("billing_ledgertransaction_cause_key", "booking"),
    Copy("ledger_account_once", "book"),
    # Carts, orders, subscriptions.
    Copy("billing_declaration_key_key", "declaration", {"public_id": UUID}),
    Copy("billing_declaration_public_id_key", "declaration", {"key": UUID}),
    Copy("billing_ticket_public_id_key", "ticket"),
    Copy("billing_invitation_token_digest_key", "invitation", {"state": "'accepted'"}),
    Copy(
        "invitation_one_open",
        "invitation",
        {"token_digest": "'1'", "email": "upper(email)"},
    ),
    Copy("data_export_one_open", "dataexport", {"state": "'ready'"}),
    Copy("deletion_one_open", "deletionrequest"),
    Copy("billing_inboundmail_digest_key", "inboundmail", {"message_id": "NULL"}),
    Copy("billing_inboundmail_message_id_key", "inboundmail", {"digest": "'1'"}),
    Copy("billing_ticketmessage_key_key", "ticketmessage"),
    Copy("billing_ticketfile_public_id_key", "ticketfile"),
    Copy("billing_cart_token_key", "cart"),
    Copy("cart_line_once", "cartline"),
    Copy("coupon_code_once", "coupon", {"code": "lower(code)"}),
    Copy("coupon_amount_once", "coupon_amount"),
    Copy("price_notice_once", "price_notice", {"mail_id": OTHER_MAIL}),
    Copy("campaign_price_once", "campaign_price"),
    Copy("price_change_once_in_a_campaign", "price_change"),
    Copy("billing_pricenotice_mail_id_key", "price_notice", {"change_id": OTHER_CHANGE}),
    Copy("billing_coupon_packages_coupon_id_package_id_b3304eb1_uniq", "coupon_package"),
    Copy("billing_redemption_order_line_id_key", "redemption"),
    Copy("billing_order_checkout_key_key", "order", without(ORDER, "checkout_key")),
    Copy("billing_order_public_id_key", "order", without(ORDER, "public_id")),
    Copy("billing_subscription_account_id_key", "subscription", {"public_id": UUID}),
    Copy("billing_subscription_public_id_key", "subscription", {"account_id": "NULL"}),
    Copy("exchange_one_pending", "exchange", without(EXCHANGE, "state")),
    Copy("billing_exchange_order_line_id_key", "exchange", without(EXCHANGE, "order_line_id")),
    Copy("billing_exchange_credit__exchange_id_invoice_id_9f3082ed_uniq", "exchange_note"),
    Copy("period_index_once", "period", without(PERIOD, "index")),
    Copy("period_start_once", "period", without(PERIOD, "start_on")),
    Copy("billing_topupterms_currency_key", "topupterms"),
    Copy("billing_topuprefund_note_id_key", "topuprefund", {"state": "'credited'"}),
    Copy("top_up_refund_one_open", "openrefund"),
    Copy("billing_autotopup_subscription_id_key", "autotopup"),
    Copy("billing_autopurchase_order_id_key", "autopurchase", without(PURCHASE, "order_id")),
    Copy("auto_purchase_once", "autopurchase", without(PURCHASE, "read_at")),
    Copy("auto_purchase_one_open", "autopurchase", without(PURCHASE, "closed_at")),
    # Credit.
    Copy("billing_creditbucket_cause_key", "bucket"),
    Copy("bucket_entry_once", "bucket_entry"),
    # People, mails, the operator.
    Copy("mail_once", "mail"),
    Copy("mail_text_once", "mailtext"),
    Copy("membership_once", "membership"),
    Copy("billing_user_email_key", "user", twin="user_email_once"),
    Copy("user_email_once", "user", {"email": "upper(email)"}),
    Copy("billing_legaltext_page_key", "legaltext"),
    # The catalogue.
    Copy("packages_package_slug_key", "package"),
    Copy("packages_package_exchang_from_package_id_to_packa_ab5d123a_uniq", "target"),
    Copy("packages_packagegroup_slug_key", "group"),
    Copy("packages_tariff_name_key", "tariff"),
    Copy("price_once", "price"),
    Copy("rate_once", "rate"),
    # The dialler.
    Copy("account_username_once", "account", {**ACCOUNT, "username": "upper(username)"}),
    Copy("account_remote_once", "account", without(ACCOUNT, "remote_id")),
    Copy("reading_once", "reading"),
    Copy("alert_one_open", "alert"),
    Copy("alert_message_once", "alertmessage"),
    Copy("proposal_one_open", "proposal"),
    Copy("survey_one_open_per_server", "survey"),
    Copy("packages_secondperson_currency_key", "secondperson"),
    Copy("audit_once", "audit"),
    Copy("drift_one_standing", "drift"),
    Copy("unknown_account_once", "unknownaccount"),
    Copy("provisioning_account_marker_key", "account", without(ACCOUNT, "marker")),
    Copy("provisioning_account_public_id_key", "account", without(ACCOUNT, "public_id")),
    Copy("provisioning_job_cause_key", "job", without(JOB, "cause")),
    Copy("job_seq_once", "job", without(JOB, "seq")),
    Copy("job_one_running_per_account", "job", without(JOB, "state")),
    Copy("attempt_number_once", "attempt", without(ATTEMPT, "number")),
    Copy("attempt_one_open_per_job", "attempt", without(ATTEMPT, "outcome")),
    Copy("provisioning_onetimesecret_cause_key", "secret", {"token_digest": "'other'::bytea"}),
    Copy("provisioning_onetimesecret_token_digest_key", "secret", {"cause": "'other'"}),
    Copy("provisioning_server_name_key", "server"),
    Copy("provisioning_circuit_server_id_key", "circuit"),
    Copy("provisioning_pool_name_key", "pool", {"is_default": "false"}),
    Copy("pool_one_default", "pool", {"name": "'Other'"}),
    Copy("provisioning_poolpackage_package_id_key", "pool_package"),
    Copy("provisioning_server_pools_server_id_pool_id_bee73efa_uniq", "pool_server"),
)

CHECKS = (
    Copy("brand_is_one_row", "brand", {"id": "2"}),
    Copy(
        "brand_ahead_is_short",
        "brand",
        {"id": "2", "lead_monthly": "28"},
        twin="brand_is_one_row",
    ),
    Copy("proposal_needs_two", "proposal", {"state": "'approved'", "decided_by": "proposed_by"}),
    Copy("second_person_not_negative", "secondperson", {"currency": "'USD'", "above_minor": "-1"}),
    Copy("alert_settings_is_one_row", "alertsettings", {"id": "2"}),
    Copy("price_not_negative", "price", {"cycle": "'yearly'", "amount_minor": "-1"}),
    Copy("package_account_needs_tariff", "package", {"slug": "'other'", "tariff_id": "NULL"}),
    Copy("package_draft_is_hidden", "package", {"slug": "'other'", "draft": "true"}),
    Copy(
        "package_trial_only_for_subscriptions",
        "package",
        {"slug": "'other'", "kind": "'pay_as_you_go'", "trial_days": "14"},
    ),
    Copy("order_line_not_negative", "orderline", {"amount_minor": "-1"}),
    Copy("order_line_has_package", "orderline", {"package_id": "NULL"}),
    Copy(
        "top_up_terms_make_sense",
        "topupterms",
        {"currency": "'USD'", "max_minor": "min_minor - 1"},
    ),
    Copy(
        "auto_top_up_within_month",
        "autotopup",
        {
            "subscription_id": "(SELECT max(id) FROM billing_subscription)",
            "month_minor": "amount_minor - 1",
        },
    ),
    Copy("top_up_refund_within_most", "topuprefund", {"note_id": "NULL"}),
    Copy("top_up_limit_not_negative", "topuplimit", {"day_minor": "-1"}),
    Copy("subscription_active_has_anchor", "subscription", {**SUBSCRIPTION, "anchor_on": "NULL"}),
    Copy(
        "subscription_invoiced_while_active",
        "subscription",
        {**SUBSCRIPTION, "state": "'suspended'", "next_invoice_on": "paid_until"},
    ),
    Copy("subscription_amount_by_quantity", "subscription", {**SUBSCRIPTION, "quantity": "3"}),
    Copy(
        "declaration_good_cause_is_a_cancellation",
        "declaration",
        {"key": UUID, "public_id": UUID, "kind": "'withdrawal'", "extraordinary": "true"},
    ),
    Copy(
        "price_change_not_negative", "price_change", {"amount_minor": "-1", "campaign_id": "NULL"}
    ),
    Copy(
        "campaign_price_percent_or_amount",
        "campaign_price",
        {"campaign_id": "(SELECT max(id) FROM billing_pricecampaign)", "step_minor": "1"},
    ),
    Copy(
        "redemption_takes_off",
        "redemption",
        {"order_line_id": OTHER_LINE, "percent_bp": "NULL"},
    ),
    Copy(
        "discount_takes_off",
        "discount",
        {"position": "6", "period_start_on": "NULL", "redemption_id": "NULL"},
    ),
    Copy("set_off_takes_off", "draft_line", {**LINE, "sets_off_id": "id"}),
    Copy("exchange_not_negative", "exchange", {**EXCHANGE, "rest_minor": "-1"}),
    Copy("exchange_now_has_days", "exchange", {**EXCHANGE, "end_on": '"on"'}),
    Copy("exchange_now_has_days", "exchange", {**EXCHANGE, "end_on": "NULL"}),
    Copy("period_given_back_in_part", "period", {**PERIOD, "given_back_on": "start_on + 31"}),
    Copy("period_given_back_in_part", "period", {**PERIOD, "given_back_on": "end_on + 31"}),
    Copy("period_has_days", "period", {**PERIOD, "end_on": "start_on + 31"}),
    Copy("invoice_draft_has_no_number", "invoice", {**ISSUED, "state": "'draft'"}),
    Copy("invoice_adds_up", "invoice", {**ISSUED, "total_minor": "total_minor + 1"}),
    Copy("invoice_not_overpaid", "invoice", {**ISSUED, "paid_minor": "total_minor + 1"}),
    Copy("invoice_paid_in_full", "invoice", {**ISSUED, "state": "'paid'"}),
    Copy("invoice_not_overpaid", "invoice", {**ISSUED, "credited_minor": "total_minor + 1"}),
    Copy("invoice_kind_fits", "invoice", {**ISSUED, "kind": "'credit_note'"}),
    Copy("invoice_kind_fits", "invoice", {**ISSUED, "state": "'issued'"}),
    Copy("invoice_kind_fits", "note", {**NOTE, "correction": "2", "state": "'open'"}),
    Copy("payment_not_over_refunded", "payment", {**PAYMENT, "refunded_minor": "amount_minor + 1"}),
    Copy("payment_not_over_refunded", "payment", {**PAYMENT, "refunded_minor": "-1"}),
    Copy(
        "refund_positive",
        "refund",
        {"key": UUID, "external_id": "'re_2'", "amount_minor": "0"},
    ),
    Copy("vat_check_answered", "vatcheck", {"state": "'valid'"}),
    Copy("bank_entry_not_zero", "bankentry", {"key": "'2'", "amount_minor": "0"}),
    Copy("bank_entry_not_over_assigned", "bankentry", {"key": "'2'", "assigned_minor": "4901"}),
    Copy("bank_entry_not_over_assigned", "bankentry", {"key": "'2'", "assigned_minor": "-1"}),
    Copy("bank_entry_booked_in_full", "bankentry", {"key": "'2'", "state": "'booked'"}),
    Copy("bank_entry_outgoing_is_negative", "bankentry", {"key": "'2'", "state": "'outgoing'"}),
    Copy("layout_has_amount", "layout", {"name": "'other'", "amount_column": "''"}),
    Copy("payment_positive", "payment", {**PAYMENT, "amount_minor": "0"}),
    Copy("payment_success_was_fetched", "payment", {**PAYMENT, "state": "'succeeded'"}),
    Copy("invoice_written_off_in_full", "invoice", {**ISSUED, "written_off_minor": "1"}),
    Copy("invoice_written_off_in_full", "invoice", {**ISSUED, "state": "'written_off'"}),
    Copy("invoice_prepaid_was_paid", "invoice", {**ISSUED, "prepaid_minor": "1"}),
    Copy("invoice_prepaid_was_paid", "invoice", {**ISSUED, "prepaid_minor": "-1"}),
    Copy("allocation_has_source", "use", {"use": "NULL"}),
    Copy("allocation_has_source", "allocation", {"use": "1", "invoice_id": BARE}),
    Copy(
        "allocation_positive",
        "allocation",
        {"invoice_id": "(SELECT max(id) FROM billing_invoice)", "amount_minor": "0"},
    ),
    Copy(
        "payment_success_was_fetched",
        "payment",
        {**PAYMENT, "state": "'succeeded'", "confirmed_at": "now()", "fetched_currency": "'EUR'"},
    ),
    Copy("payment_turn_has_method", "charge", {**CHARGE, "turn": "2", "turn_on": "NULL"}),
    Copy(
        "payment_method_default_is_active",
        "spare_method",
        {**METHOD, "is_default": "true", "state": "'removed'"},
    ),
    Copy("posting_not_zero", "posting", {"amount_minor": "0"}),
    Copy("pause_of_one_thing", "pause", {"invoice_id": "NULL"}),
    Copy("pause_not_backwards", "pause", {"until_on": "from_on - 1"}),
    Copy("timetable_runs_forward", "timetable", {**TIMETABLE, "suspended": "overdue_second"}),
    Copy("timetable_runs_forward", "timetable", {**TIMETABLE, "overdue_second": "NULL"}),
    Copy("timetable_runs_forward", "timetable", {**TIMETABLE, "revocation_warning": "NULL"}),
    Copy("bucket_not_negative", "bucket", {**BUCKET, "left_minor": "-1"}),
    Copy("bucket_not_negative", "bucket", {**BUCKET, "left_minor": "granted_minor + 1"}),
    Copy("bucket_promotion_expires", "bucket", {**BUCKET, "kind": "'promotional'"}),
    Copy("bucket_promotion_expires", "bucket", {**BUCKET, "expires_on": "'2026-03-02'"}),
    Copy("bucket_entry_sign", "bucket_entry", {"kind": "'used'", "cause": "'other'"}),
    Copy("job_credit_has_amount", "job", {**JOB, "amount_minor": "0"}),
    Copy("job_credit_has_amount", "job", {**JOB, "amount_minor": "NULL"}),
    Copy("attempt_has_deadline", "attempt", {**ATTEMPT, "deadline_at": "sent_at"}),
    Copy("server_weight_positive", "server", {"name": "'Other'", "weight": "0"}),
    Copy("account_runs_where_placed", "account", {**ACCOUNT, "state": "'live'", "placed": "false"}),
    Copy(
        "circuit_open_has_probe",
        "circuit",
        {"server_id": "(SELECT max(id) FROM provisioning_server)", "probe_at": "NULL"},
    ),
)

TRIGGERS = (
    Change("statechange_append_only", "statechange",
           "UPDATE packages_statechange SET reason = 'x' WHERE id = {}"),
    Change("statechange_append_only", "statechange",
           "DELETE FROM packages_statechange WHERE id = {}"),
    Change("ledgertransaction_append_only", "booking",
           "UPDATE billing_ledgertransaction SET cause = 'x' WHERE id = {}"),
    Change("ledgertransaction_append_only", "empty_booking",
           "DELETE FROM billing_ledgertransaction WHERE id = {}"),
    Change("bucketentry_append_only", "bucket_entry",
           "UPDATE billing_bucketentry SET amount_minor = 1 WHERE id = {}"),
    Change("bucketentry_append_only", "bucket_entry",
           "DELETE FROM billing_bucketentry WHERE id = {}"),
    Change("posting_append_only", "posting",
           "UPDATE billing_posting SET amount_minor = 1 WHERE id = {}"),
    Change("posting_append_only", "posting",
           "DELETE FROM billing_posting WHERE id = {}"),
    Change("posting_sums_to_zero", "posting",
           "INSERT INTO billing_posting (transaction_id, account_id, amount_minor) "
           "SELECT transaction_id, account_id, 1 FROM billing_posting WHERE id = {}"),
    Change("invoice_is_final", "invoice",
           "UPDATE billing_invoice SET buyer = '{{\"name\": \"x\"}}' WHERE id = {}"),
    Change("invoice_is_final", "invoice",
           "UPDATE billing_invoice SET net_minor = 1, total_minor = 1 + tax_minor WHERE id = {}"),
    Change("invoice_is_final", "note",
           "UPDATE billing_invoice SET corrects_id = id WHERE id = {}"),
    Change("invoice_is_final", "bare",
           "DELETE FROM billing_invoice WHERE id = {}"),
    Change("invoiceline_is_final", "invoice_line",
           "UPDATE billing_invoiceline SET net_minor = 1 WHERE id = {}"),
    Change("invoiceline_is_final", "invoice_line",
           "DELETE FROM billing_invoiceline WHERE id = {}"),
    Change("invoiceline_is_final", "bare",
           "UPDATE billing_invoiceline SET invoice_id = {} "
           "WHERE period_start_on IS NOT NULL AND kind = 'recurring'"),
    Change("invoicetax_is_final", "invoice_tax",
           "UPDATE billing_invoicetax SET tax_minor = 1 WHERE id = {}"),
    Change("invoicetax_is_final", "invoice_tax",
           "DELETE FROM billing_invoicetax WHERE id = {}"),
    Change("invoicetax_is_final", "bare",
           "INSERT INTO billing_invoicetax (invoice_id, tax_bp, net_minor, tax_minor) "
           "VALUES ({}, 700, 1, 0)"),
)  # fmt: skip
