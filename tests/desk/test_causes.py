"""Why there are jobs, bookings and mails, as staff read it: in words, with a link to the page."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from billing.models import Invoice, LedgerTransaction, Mail, Order, User
from packages.desk import causes
from provisioning.models import Account, Job
from tests.clock import Clock
from tests.desk import pages

APPS = ("packages", "provisioning", "billing", "storefront")
UUID = "0b8f3a52-7d0c-4e0a-9d2c-1f6d2c3b4a59"
# Told by alerts in words of their own, kept by accounts' credit and secrets, or shown to nobody.
NOT_SHOWN = {"billing/alerts.py", "billing/troubles.py", "provisioning/troubles.py"} | {
    *("billing/management/commands/test_alert.py", "billing/mail_texts.py"),
    *("provisioning/audits.py", "billing/imports.py"),
}
# Where mails are queued: what they are, then their cause.
QUEUES = ("queue", "to_customer", "emails.queue", "emails.to_customer")
# What flows write, and what comes of it: a maker of causes that is not here fails.
MADE = {
    "x:create": ["order-line-7:create"],
    "x:limits": ["order-line-7:limits", "exchange-7:limits", "drift-7-1:limits"],
    "x:credit": ["order-line-7:credit", "invoice-line-7:credit", "exchange-7:credit"],
    "x:take-back": ["invoice-line-7:take-back"],
    "x:units": ["invoice-line-7:units"],
    "x:unsuspend": ["order-line-7:unsuspend"],
    "x:again": ["dispute-7:again", f"staff-{UUID}:again"],
    "x:suspend": ["invoice-7:ended:3:suspend", "subscription-7:end-1:suspend"],
    "x:delete": [f"staff-{UUID}:delete", "subscription-7:end-1:delete"],
    "x:reopened": ["subscription-7:end-1:reopened"],
    "x:x": ["drift-7-1:suspended", "drift-7-1:active"],
    "order-line-x": ["order-line-7"],
    "order-line-x:credit": ["order-line-7:credit"],
    "invoice-line-x": [],
    "invoice-line-x:credit": ["invoice-line-7:credit"],
    "invoice-line-x:restore": ["invoice-line-7:restore"],
    "invoice-x:x:x": ["invoice-7:suspended:3", "invoice-7:ended:3"],
    "invoice-x:x:": ["invoice-7:suspended:"],
    "subscription-x:end-x": ["subscription-7:end-2"],
    "exchange-x": ["exchange-7"],
    "dispute-x": ["dispute-7"],
    "dispute-x:over": ["dispute-7:over"],
    "bucket-x:expired": ["bucket-7:expired"],
    "bucket-x:refund-x": ["bucket-7:refund-3"],
    "gift-x": [f"gift-{UUID}"],
    "staff-x": [f"staff-{UUID}"],
    "drift-x-x": [],
    "balance-x-x": ["balance-7-20260309T0900"],
    "password-x-x": ["password-7-0b8f3a527d0c4e0a9d2c1f6d2c3b4a59"],
    "invoice-x:issued": ["invoice-7:issued"],
    "invoice-x:written-off": ["invoice-7:written-off"],
    "payment-x:succeeded": ["payment-7:succeeded"],
    "allocation-x:used": ["allocation-7:used"],
    "refund-x:x": [f"refund-7:{step}" for step in ("requested", "succeeded", "failed", "returned")],
    "movement-x": ["movement-7"],
    "account-x": ["account-7"],
    "account-x:x": ["account-7:2026-03-09 09:00:00+00:00"],
    "auto-purchase-x": ["auto-purchase-7"],
    "data-export-x": ["data-export-7"],
    "declaration-x": ["declaration-7"],
    "deletion-x": ["deletion-7"],
    "invitation-x": ["invitation-7"],
    "invoice-x": ["invoice-7"],
    "invoice-x-subscription-x": ["invoice-7-subscription-3"],
    "method-x": ["method-7"],
    "order-x": ["order-7"],
    "payment-x": ["payment-7"],
    "period-x:x-x": ["period-7:voice-80", "period-7:credit-100"],
    "price-change-x:x": ["price-change-7:3"],
    "refund-x": ["refund-7"],
    "subscription-x": ["subscription-7"],
    "ticket-message-x": ["ticket-message-7"],
    "vat-check-x-x": ["vat-check-7-3"],
    "at-x": ["at-2026-03-09T09:00:00+00:00"],
    "x-x": [f"password_reset_key-{UUID}"],
    "found-x": [],
}


def test_whatever_makes_a_cause_is_told_in_every_language() -> None:
    made = {said for _where, said in _made()}
    assert made - set(MADE) == set(), [each for each in _made() if each[1] not in MADE]
    for codes in MADE.values():
        assert [each for each in codes if not causes.is_known(each)] == []


def test_staff_and_their_gifts_are_not_taken_for_letters() -> None:
    codes = [f"staff-{UUID}", f"gift-{UUID}", f"password_reset_key-{UUID}"]
    with translation.override("en"):
        told = causes.plain(codes)
    assert [told[each] for each in codes] == [
        *("asked for by staff", "credit given by staff", "asked for at the sign-in")
    ]


@pytest.mark.django_db
def test_a_cause_whose_row_is_gone_is_told_by_its_number() -> None:
    with translation.override("de"):
        told = causes.told(
            ["invoice-77:suspended:3", "overtaken by dispute-8", "typed by a person"]
        )
    assert told == {
        "invoice-77:suspended:3": "Rechnung #77 wurde nicht bezahlt",
        "overtaken by dispute-8": "überholt durch Anfechtung der Zahlung #8",
        "typed by a person": "typed by a person",
    }


def test_german_staff_read_what_caused_a_job_and_go_there(
    staff: Client, account: Account, clock: Clock
) -> None:
    clock.work()
    User.objects.filter(is_staff=True).update(language="de")
    staff.cookies[settings.LANGUAGE_COOKIE_NAME] = "de"
    order, invoice = Order.objects.get(), Invoice.objects.get()
    to_order = f'Bestellung <a href="{pages.address(order)}">{order}</a>'
    job = Job.objects.filter(kind=Job.Kind.CREATE).get()
    for row in (account, job):
        html = staff.get(pages.address(row)).content.decode()
        assert to_order in html
        assert "order-line-" not in html
    assert f"Konto anlegen · {account}" in pages.text(staff.get(pages.address(job)))
    log = staff.get("/admin/packages/statechange/").content.decode()
    assert to_order in log
    mail = Mail.objects.get(template="order_placed")
    words = pages.text(staff.get(pages.address(mail)))
    assert "Bestellbestätigung" in words
    assert "order_placed" not in words
    booking = LedgerTransaction.objects.get(cause=f"invoice-{invoice.pk}:issued")
    for address in ("/admin/billing/ledgertransaction/", pages.address(booking)):
        assert f"{invoice.number} ausgestellt" in pages.text(staff.get(address))
    customer = pages.text(staff.get(pages.address(order.customer)))
    assert f"{invoice.number} ausgestellt" in customer


def _made() -> Iterator[tuple[str, str]]:
    """Give what is written as a cause; for what differs, an x stands in."""
    for path in (each for app in APPS for each in Path(app).rglob("*.py")):
        name = path.as_posix()
        if name in NOT_SHOWN or {"migrations", "simulator", "gateways"} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            yield from ((name, said) for value in _values(node) for said in _texts(value))


def _values(node: ast.AST) -> Iterator[ast.expr]:
    """Give what is passed, assigned or returned as a cause."""
    if isinstance(node, ast.keyword) and node.arg in ("cause", "bundle"):
        yield node.value
    elif isinstance(node, ast.Assign) and "cause" in ast.unparse(node.targets[0]):
        yield from node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
    elif isinstance(node, ast.FunctionDef) and "cause" in node.name:
        yield from (e.value for e in ast.walk(node) if isinstance(e, ast.Return) and e.value)
    elif isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        yield from (value for key, value in pairs if key and ast.unparse(key) == "'cause'")
    elif isinstance(node, ast.Call):
        yield from _of_call(node)


def _of_call(node: ast.Call) -> Iterator[ast.expr]:
    name = ast.unparse(node.func)
    if name in QUEUES:
        yield from node.args[1:2]
    elif name == "Booking":
        yield from node.args[:1]
    elif name == "Wish":
        yield from node.args[2:4]
    elif name == "_grant":
        yield from node.args[3:4]


def _texts(value: ast.expr) -> Iterator[str]:
    """Give the codes in it, those with words of their own."""
    if isinstance(value, ast.JoinedStr):
        yield "".join(
            str(part.value) if isinstance(part, ast.Constant) else "x" for part in value.values
        )
    elif isinstance(value, ast.Constant) and re.fullmatch(r"\w+-.*", str(value.value)):
        yield str(value.value)
