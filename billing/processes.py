"""Our processes and what they do by the clock, by the names that people know them by."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# docs/operations.md, "What runs by the clock", says of each what it finds.
NAMES: dict[str, str | Promise] = {
    "beat": _("The clock that rings for all of it"),
    "worker": _("Worker for billing and mails"),
    "dialler-worker": _("Worker for the dialler"),
    "watch": _("Watch over everything here"),
    "bill_due": _("The day's run"),
    "sweep_events": _("Events of the gateways"),
    "sweep_payments": _("Open payments"),
    "sweep_methods": _("Saved payment methods"),
    "sweep_refunds": _("Refunds"),
    "sweep_statements": _("Bank statements"),
    "compare_gateways": _("Payments held against the gateways"),
    "reconcile_gateways": _("Statements of the gateways"),
    "sweep_vat_ids": _("Checks of VAT numbers"),
    "sweep_data_exports": _("Copies of customers' data"),
    "sweep_mails": _("Mails out and in"),
    "sweep_jobs": _("Jobs for the dialler"),
    "sweep_readings": _("Readings of the accounts"),
    "weigh_readings": _("Warnings of used units"),
    "watch_balances": _("Low credit and automatic top-ups"),
    "thin_readings": _("Old readings thinned"),
    "sweep_audits": _("Audits of the servers"),
    "check_servers": _("Tests of the servers"),
    "check_invariants": _("Call for the hourly check of the books"),
    "invariants": _("Hourly check of the books"),
}


def named(process: str) -> str:
    """Return its name for people; one that has none keeps its own."""
    return str(NAMES.get(process, process))
