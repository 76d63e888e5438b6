"""What each mail says about a customer who does not exist, for those who look at mails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from billing import legal_texts, rendering
from billing.gateways import failures
from billing.models import (
    Brand,
    CreditBucket,
    DataExport,
    Declaration,
    DeletionRequest,
    Exchange,
    Invitation,
    LegalText,
    Refund,
    TicketMessage,
    VatCheck,
)
from billing.sample_rows import Sample
from billing.statements import Line
from billing.usage import Units

SEEN = "[…]"
Values = dict[str, Any]


def of(kind: str, situation: str, *, brand: Brand, language: str, at: datetime) -> Values:
    """Return what the templates of a kind of mail need, in one of its situations.

    Reads and stores nothing; raises KeyError for a kind that has no sample.
    """
    with translation.override(language):
        sample = Sample(brand, language, at)
        button = {"button_url": rendering.link("storefront:home"), "customer": sample.customer}
        return {**button, **SAMPLES[kind](sample, situation)}


def _order(each: Sample, situation: str) -> Values:
    invoice = each.invoice(paid=situation == "paid")
    if situation == "free":
        invoice.net_minor = invoice.tax_minor = invoice.total_minor = 0
        invoice._prefetched_objects_cache["taxes"] = []  # type: ignore[attr-defined]
    page = LegalText.Page.WITHDRAWAL
    legal = [legal_texts.told(page, legal_texts.model(each.language, each.brand))]
    return {"order": each.order, "invoice": invoice, "legal": legal}


def _receipt(each: Sample, situation: str) -> Values:
    used = {"balance": 4641, "part": 1500}.get(situation, 0)
    return {"invoice": each.invoice(paid=True), "from_balance": each.money(used)}


def _overdue(each: Sample, situation: str) -> Values:
    return {**_about_invoice(each, situation), "invoice": each.invoice(due_in=-10)}


def _about_invoice(each: Sample, situation: str) -> Values:
    charged = each.method if situation == "charged" else None
    suspended = None if situation == "open" else each.day(7)
    floor = each.money(10000) if situation == "floor" else None
    ended = {"suspended": None}.get(situation, each.day(30))
    return {
        "invoice": each.invoice(),
        "charged_to": charged,
        "suspended_on": suspended,
        "floor": floor,
        "ended_on": ended,
    }


def _part(each: Sample, situation: str) -> Values:
    invoice, payment = each.invoice(), each.payment(2000)
    invoice.paid_minor = payment.amount_minor
    return {"invoice": invoice, "payment": payment, "charged_to": None}


def _suspended(each: Sample, situation: str) -> Values:
    ends = each.day(30) if situation == "final" else None
    return {"invoice": each.invoice(due_in=-17), "ended_on": ends}


def _charge(each: Sample, situation: str) -> Values:
    return {
        "invoice": each.invoice(due_in=0),
        "method": each.method,
        "reason": failures.message("card_declined"),
        "next_on": None if situation == "last" else each.day(3),
    }


def _credit_note(each: Sample, situation: str) -> Values:
    note = each.invoice(number="G-2026-0007")
    note.corrects, note.reason = each.invoice(), _("Cancelled within the withdrawal period")
    return {"note": note}


def _refund(each: Sample, situation: str) -> Values:
    way = Refund.Way.TRANSFER if situation == "transfer" else Refund.Way.GATEWAY
    return {
        "refund": Refund(payment=each.payment(), way=way, amount_minor=4641, currency=each.currency)
    }


def _ready(each: Sample, situation: str) -> Values:
    by_link = situation != "password"
    return {"account": each.account, "by_link": by_link, "sealed": SEEN, "hours": 72}


def _credit(each: Sample, situation: str) -> Values:
    return {
        "account": each.account,
        "amount": each.money(2500),
        "balance": each.money(412),
        "below": each.money(500),
        "why": failures.message("card_declined"),
    }


def _units(each: Sample, situation: str) -> Values:
    left, level = (0, 100) if situation == "all" else (400, 80)
    said = {"service": _("Voice"), "units": Units("voice", 2000, left), "level": level}
    return {"account": each.account, **said}


def _credit_used(each: Sample, situation: str) -> Values:
    used = 2000 if situation == "all" else 1600
    granted, nothing = each.money(2000), each.money(0)
    left = granted - each.money(used)
    line = Line(CreditBucket(), granted, each.money(used), nothing, left, None, None)
    return {"account": each.account, "line": line, "level": used // 20}


def _service(each: Sample, situation: str) -> Values:
    return {
        "name": each.package.text("name"),
        "deleted_on": each.day(30),
        "unpaid": "R-2026-0042" if situation == "unpaid" else "",
        "by_staff": situation == "by_staff",
        "free": situation == "free",
        "until": each.day(31),
    }


def _trial(each: Sample, situation: str) -> Values:
    return {
        "name": each.package.text("name"),
        "cycle": each.subscription.get_cycle_display(),
        "invoice": each.invoice(),
        "ends_on": each.day(5),
        "charged": situation == "charged",
    }


def _exchange(each: Sample, situation: str) -> Values:
    exchange = Exchange(subscription=each.subscription, amount_minor=7900, on=each.day(14))
    return {"name": "Professional", "old": each.package.text("name"), "exchange": exchange}


def _price(each: Sample, situation: str) -> Values:
    return {
        "name": each.package.text("name"),
        "starts_on": each.day(60),
        "before": each.money(4641),
        "after": each.money(5236),
        "taxed": True,
        "credit_before": each.money(1000),
        "credit_after": each.money(1500),
        "cancel_url": rendering.link("storefront:home"),
    }


def _declaration(each: Sample, situation: str) -> Values:
    row = each.declaration
    if situation == "withdrawal":
        row.kind = Declaration.Kind.WITHDRAWAL
    return {"declaration": row, "ends_on": each.day(14), "customer": None}


def _acknowledged(each: Sample, situation: str) -> Values:
    """Give no button: who declares need have no account to go to."""
    return {**_declaration(each, situation), "button_url": ""}


def _answer(each: Sample, situation: str) -> Values:
    said = _("They see the number that you confirmed for your account.")
    return {"ticket": each.ticket, "message": TicketMessage(side="staff", text=said)}


def _question(each: Sample, situation: str) -> Values:
    said = TicketMessage(side="customer", text=each.ticket.subject)
    return {"ticket": each.ticket, "message": said, "files": 1}


def _invitation(each: Sample, situation: str) -> Values:
    invitation = Invitation(customer=each.customer, expires_at=each.at + timedelta(days=7))
    return {"invitation": invitation, "inviter": _("Ada Sample")}


def _data(each: Sample, situation: str) -> Values:
    return {
        "export": DataExport(expires_at=each.at + timedelta(days=7)),
        "row": DeletionRequest(customer=each.customer, asked_at=each.at),
    }


def _paid_after_end(each: Sample, situation: str) -> Values:
    said = {"who": each.customer, "subscription": each.subscription, "invoice": each.invoice()}
    return {**said, "customer": None}


def _method(each: Sample, situation: str) -> Values:
    return {"method": each.method}


def _dispute(each: Sample, situation: str) -> Values:
    return {"payment": each.payment(), "invoice": each.invoice()}


def _vat(each: Sample, situation: str) -> Values:
    return {"check": VatCheck(vat_id="DE123456789")}


def _nothing(each: Sample, situation: str) -> Values:
    return {}


SAMPLES: dict[str, Callable[[Sample, str], Values]] = {
    "order_placed": _order,
    "receipt": _receipt,
    **dict.fromkeys(("invoice_issued", "reminder"), _about_invoice),
    "part_paid": _part,
    **dict.fromkeys(("overdue_first", "overdue_second", "revocation_warning"), _overdue),
    "suspended": _suspended,
    **dict.fromkeys(("charge_failed", "needs_authentication"), _charge),
    "credit_note": _credit_note,
    **dict.fromkeys(("refund", "refund_returned"), _refund),
    "account_ready": _ready,
    **dict.fromkeys(("topped_up", "low_balance", "auto_top_up_stopped"), _credit),
    "units_used": _units,
    "credit_used": _credit_used,
    **dict.fromkeys(("ended", "restored", "returned"), _service),
    "trial_ending": _trial,
    **dict.fromkeys(("exchange_done", "exchange_scheduled"), _exchange),
    "price_changed": _price,
    "declaration_received": _acknowledged,
    "declaration_waits": _declaration,
    "ticket_answered": _answer,
    "ticket_waits": _question,
    "colleague_invited": _invitation,
    **dict.fromkeys(("data_ready", "deletion_received", "deletion_waits"), _data),
    "paid_after_end": _paid_after_end,
    "method_expiring": _method,
    **dict.fromkeys(("disputed", "kept_on_balance"), _dispute),
    "vat_id_invalid": _vat,
    "mail_test": _nothing,
}
