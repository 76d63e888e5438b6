"""VAT ids are asked about in the background; reverse charge rests on a stored yes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from billing import demo, invariants, invoices, tax, vat_ids
from billing.models import Customer, InvoiceLine, Mail, VatCheck
from tests import world
from tests.billing.orders import euros

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
YES = {"valid": True, "requestIdentifier": "WAPIAAAAYx1", "name": "Muster AG", "address": "---"}
NO = {"valid": False, "requestIdentifier": "WAPIAAAAYx2", "name": "---", "address": "---"}
AWAY = {"actionSucceed": False, "errorWrappers": [{"error": "MS_UNAVAILABLE"}]}
State = VatCheck.State
pytestmark = pytest.mark.django_db


class Register:
    """A stand-in for VIES: answers what it is told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.says: Any = YES
        self.asked: list[dict[str, str]] = []
        register = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                register.asked.append(json.loads(self.rfile.read(length)))
                body = json.dumps(register.says).encode()
                self.send_response(200 if "valid" in register.says else 500)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/check-vat-number"


@pytest.fixture
def register(settings: Any) -> Iterator[Register]:
    running = Register()
    settings.VIES_REQUIRED, settings.VIES_URL = True, running.url
    demo.seed_operator(at=AT)
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture
def buyer(register: Register) -> Customer:
    _, customer = world.customer("ada@example.com", at=AT, country="AT")
    customer.is_business, customer.company, customer.vat_id = True, "Muster AG", "ATU13585627"
    customer.save()
    return customer


def test_vat_is_charged_until_the_register_says_yes(register: Register, buyer: Customer) -> None:
    early = tax_note(buyer)
    check = asked(buyer)
    assert vat_ids.check(check.pk, at=AT).state == State.VALID
    check.refresh_from_db()
    assert (check.consultation, check.name, check.address) == ("WAPIAAAAYx1", "Muster AG", "")
    seller = world.brand().vat_id
    assert register.asked == [
        {
            "countryCode": "AT",
            "vatNumber": "U13585627",
            "requesterMemberStateCode": seller[:2],
            "requesterNumber": seller[2:],
        }
    ]
    assert (early, tax_note(buyer)) == ("", tax.REVERSE_CHARGE)
    assert invariants.violations() == []


def test_without_an_answer_it_is_asked_again_later(register: Register, buyer: Customer) -> None:
    register.says = AWAY
    check = vat_ids.check(asked(buyer).pk, at=AT)
    assert (check.state, check.note) == (State.WAITING, "MS_UNAVAILABLE")
    assert tax_note(buyer) == ""
    assert vat_ids.waiting(at=AT + timedelta(seconds=59)) == []
    vat_ids.check(check.pk, at=AT + timedelta(seconds=59))
    assert len(register.asked) == 1
    register.says = YES
    (due,) = vat_ids.waiting(at=AT + timedelta(minutes=1))
    assert vat_ids.check(due, at=AT + timedelta(minutes=1)).state == State.VALID


def test_a_no_is_told_with_what_to_do_and_asked_again_when_saved(
    register: Register, buyer: Customer
) -> None:
    register.says = NO
    assert vat_ids.check(asked(buyer).pk, at=AT).state == State.INVALID
    mail = Mail.objects.get(template="vat_id_invalid")
    assert "ATU13585627" in mail.subject
    assert "save your profile once more" in mail.text
    assert tax_note(buyer) == ""
    vat_ids.ask(buyer, world.brand(), at=AT + timedelta(minutes=30))
    assert vat_ids.standing(buyer.vat_id) == State.INVALID
    vat_ids.ask(buyer, world.brand(), at=AT + timedelta(hours=2))
    assert vat_ids.standing(buyer.vat_id) == State.WAITING


def test_an_old_answer_is_renewed_and_counts_meanwhile(register: Register, buyer: Customer) -> None:
    vat_ids.check(asked(buyer).pk, at=AT)
    vat_ids.renew(at=AT + timedelta(days=29))
    assert VatCheck.objects.count() == 1
    vat_ids.renew(at=AT + timedelta(days=31))
    vat_ids.renew(at=AT + timedelta(days=31))
    assert VatCheck.objects.count() == 2
    ids = [buyer.vat_id]
    assert vat_ids.proven(ids, on=(AT + timedelta(days=44)).date()) == frozenset(ids)
    assert vat_ids.proven(ids, on=(AT + timedelta(days=45)).date()) == frozenset()


def test_only_an_id_that_decides_about_the_tax_is_asked_about(
    register: Register, buyer: Customer
) -> None:
    for changes in ({"country": "DE"}, {"is_business": False}, {"vat_id": ""}, {"country": "CH"}):
        other = Customer(country="AT", is_business=True, vat_id="ATU13585627")
        for name, value in changes.items():
            setattr(other, name, value)
        vat_ids.ask(other, world.brand(), at=AT)
    assert not VatCheck.objects.exists()


def test_a_demo_asks_nobody_and_says_so(register: Register, buyer: Customer, settings: Any) -> None:
    settings.DEMO = True
    check = vat_ids.check(asked(buyer).pk, at=AT)
    assert (check.state, check.simulated, register.asked) == (State.VALID, True, [])


def asked(buyer: Customer) -> VatCheck:
    vat_ids.ask(buyer, world.brand(), at=AT)
    vat_ids.ask(buyer, world.brand(), at=AT)
    return VatCheck.objects.get()


def tax_note(buyer: Customer) -> str:
    """Issue an invoice and return why it has no VAT, if so."""
    charge = invoices.Line(InvoiceLine.Kind.SETUP, "Line", euros(49_00))
    draft = invoices.Draft(buyer, "EUR", "en", (charge,))
    (invoice,) = invoices.issue([draft], world.brand(), at=AT, actor="test")
    return invoice.tax_note
