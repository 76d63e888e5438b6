"""Why a row came to its state and who did it, as staff read it: in their language, by a name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from billing.models import Invoice, User
from packages.desk import actors, reasons
from provisioning.models import Account, Job
from tests.clock import Clock
from tests.desk import pages

APPS = ("packages", "provisioning", "billing", "storefront")
# Written for the log of prices, texts and files, and for the desk's own list of open steps.
OWN_WORDS = {"billing/mail_texts.py", "packages/prices.py", "packages/desk/downloads.py"}


def test_all_that_flows_say_can_be_told_in_every_language() -> None:
    unknown = [f"{where}: {said}" for where, said in sorted(_said()) if not reasons.is_known(said)]
    assert unknown == []
    assert len(list(_said())) > 80


@pytest.mark.parametrize(
    ("reason", "german"),
    [
        ("nothing is due", "nichts mehr zu zahlen"),
        ("charge 2", "Abbuchung 2"),
        ("by hand: seen at 3 % of load", "von Hand: seen at 3 % of load"),
        ("cancelled to 2026-04-01: paid too late", "gekündigt zum 1. April 2026: zu spät bezahlt"),
        ("cancelled to 2026-13-01", "gekündigt zum 2026-13-01"),
        (
            "0.50 EUR arrived instead of 1046.41 EUR",
            "0,50\xa0€ statt 1.046,41\xa0€ eingegangen",
        ),
        (
            "NotSent: The server was not reached (no route).",
            "nichts gesendet: Der Server war nicht zu erreichen (no route).",
        ),
        ("invoices 4, reminder 12", "Rechnungen ausgestellt: 4, erinnert: 12"),
        (
            "would do charges 900, invoices 3",
            "würde tun: abgebucht: 900, Rechnungen ausgestellt: 3",
        ),
        ("at the end of the period: on the phone", "zum Ende des Zeitraums: on the phone"),
        ("39.00 EUR there, 29.00 EUR here", "39,00\xa0€ dort, 29,00\xa0€ hier"),
        (
            "3 events did not reach us in the last 72 hours: is the endpoint set?",
            "3 Ereignisse der letzten 72 Stunden haben uns nicht erreicht: "
            "Ist der Endpunkt eingetragen?",
        ),
        # What a person typed, though it begins as a flow's own words.
        ("charge it to nobody", "charge it to nobody"),
        ("invoices 4, and a call", "invoices 4, and a call"),
        ("%(why)s", "%(why)s"),
    ],
)
def test_a_reason_is_told_in_the_readers_language(reason: str, german: str) -> None:
    with translation.override("de"):
        assert reasons.told(reason) == german


def test_an_error_is_told_in_words_in_english_too() -> None:
    with translation.override("en"):
        assert reasons.told("Declined at the gateway") == "declined"
        assert reasons.told("placed") == "placed"


def test_whoever_acted_has_a_name(staff: Client) -> None:
    user = User.objects.get(is_staff=True)
    strange = ["worker:box:17", "system:tomorrow", "staff:999999", "user:x", ""]
    with translation.override("de"):
        named = actors.told([f"staff:{user.pk}", "system:dunning", "event:7", *strange])
    assert f">{user}</a>" in named[f"staff:{user.pk}"]
    assert named["system:dunning"] == "das Mahnwesen"
    assert named["event:7"] == '<a href="/admin/billing/gatewayevent/7/change/">Webhook 7</a>'
    assert named["worker:box:17"] == "ein Worker"
    assert [named[each] for each in strange[1:]] == strange[1:]


def test_german_staff_read_german_histories(staff: Client, account: Account, clock: Clock) -> None:
    clock.work()
    User.objects.filter(is_staff=True).update(language="de")
    staff.cookies[settings.LANGUAGE_COOKIE_NAME] = "de"
    invoice = pages.text(staff.get(pages.address(Invoice.objects.get())))
    assert "ausgestellt" in invoice
    assert "nichts mehr zu zahlen" in invoice
    assert "nothing is due" not in invoice
    job = pages.text(staff.get(pages.address(Job.objects.filter(state="done")[0])))
    assert "in Arbeit genommen" in job
    assert "Arbeit am Wählsystem" in job
    log = pages.text(staff.get("/admin/packages/statechange/"))
    assert "Bestellung bezahlt" in log
    assert "order paid" not in log


def _said() -> Iterator[tuple[str, str]]:
    """Give what the flows write as the reason of a step; for what differs, a word stands in."""
    for path in (each for app in APPS for each in Path(app).rglob("*.py")):
        if path.as_posix() in OWN_WORDS or "simulator" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if value := _reason(node):
                yield from ((path.as_posix(), said) for said in _texts(value))


def _reason(node: ast.AST) -> ast.expr | None:
    """Return what is given, or assigned, as a reason; what differs from a gateway's books or makes
    a bank statement unreadable is told in the same way.
    """
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "Unreadable":
        return node.args[0]
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "Found" and len(node.args) > 2:
        return node.args[2]
    if isinstance(node, ast.keyword) and node.arg == "reason":
        return node.value
    if isinstance(node, ast.Assign) and "reason" in map(ast.unparse, node.targets):
        return node.value
    return None


def _texts(value: ast.expr) -> Iterator[str]:
    """Give the words in it; what is nothing but values has none of its own."""
    if isinstance(value, ast.Constant) and value.value and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.JoinedStr):
        if any(
            isinstance(part, ast.Constant) and str(part.value).strip(" :,") for part in value.values
        ):
            yield "".join(map(_part, value.values))
    elif isinstance(value, ast.IfExp):
        yield from (*_texts(value.body), *_texts(value.orelse))
    elif isinstance(value, ast.BoolOp):
        for each in value.values:
            yield from _texts(each)


def _part(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    source = ast.unparse(part)
    return "Declined" if "__name__" in source else "payment" if "model_name" in source else "x"
