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
from billing.models import Brand, Customer, InvoiceLine, Mail, VatCheck
from tests import world
from tests.billing.orders import euros

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
YES = {"valid": True, "requestIdentifier": "WAPIAAAAYx1", "name": "Muster AG", "address": "---"}
NO = {"valid": False, "requestIdentifier": "WAPIAAAAYx2", "name": "---", "address": "---"}
AWAY = {"actionSucceed": False, "errorWrappers": [{"error": "MS_UNAVAILABLE"}]}
# A whole answer, as the register gives it.
WHOLE = {
    "countryCode": "AT",
    "vatNumber": "U13585627",
    "requestDate": "2026-10-03T21:02:05.093Z",
    "valid": True,
    "requestIdentifier": "WAPIAAAAaEDkvhHx",
    "name": "Muster AG",
    "address": "Ring 1\nAT-1010 Wien",
    "traderName": "---",
    "traderNameMatch": "NOT_PROCESSED",
}
State = VatCheck.State
pytestmark = pytest.mark.django_db


class Register:
    """A stand-in for VIES: answers what it is told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.says: Any = YES
        self.status = 200
        self.asked: list[dict[str, str]] = []
        register = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                register.asked.append(json.loads(self.rfile.read(length)))
                says = register.says
                body = says if isinstance(says, bytes) else json.dumps(says).encode()
                self.send_response(register.status)
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


def failed(*codes: str, **more: Any) -> dict[str, Any]:
    return {"actionSucceed": False, "errorWrappers": [{"error": code} for code in codes], **more}


@pytest.mark.parametrize(
    ("status", "says", "state", "note"),
    [
        (200, WHOLE, State.VALID, ""),
        (200, {**WHOLE, "valid": False, "userError": "INVALID"}, State.INVALID, ""),
        (200, failed("INVALID_INPUT"), State.INVALID, ""),
        # Its errors come with any status, and beside a no that is none.
        (200, failed("MS_MAX_CONCURRENT_REQ"), State.WAITING, "MS_MAX_CONCURRENT_REQ"),
        (200, failed("INVALID_REQUESTER_INFO"), State.WAITING, "INVALID_REQUESTER_INFO"),
        (400, failed("VOW-ERR-11", message="x"), State.WAITING, "VOW-ERR-11"),
        (200, failed("MS_UNAVAILABLE", valid=False), State.WAITING, "MS_UNAVAILABLE"),
        (200, {"valid": False, "userError": "TIMEOUT"}, State.WAITING, "TIMEOUT"),
        (200, {**WHOLE, "errorWrappers": [{"error": "X"}]}, State.WAITING, "X"),
        (200, failed(), State.WAITING, "failed without a reason"),
        (503, WHOLE, State.WAITING, "no yes and no no (HTTP 503)"),
        (200, {**WHOLE, "valid": "true"}, State.WAITING, "no yes and no no (HTTP 200)"),
        (500, b"<html>Internal Server Error</html>", State.WAITING, "JSONDecodeError"),
        (200, b"", State.WAITING, "JSONDecodeError"),
        (200, [WHOLE], State.WAITING, "no object (HTTP 200)"),
    ],
)
def test_only_a_clear_word_is_an_answer(
    register: Register, buyer: Customer, status: int, says: Any, state: str, note: str
) -> None:
    register.status, register.says = status, says
    check = vat_ids.check(asked(buyer).pk, at=AT)
    assert (check.state, check.note) == (state, note)
    if state == State.VALID:
        assert (check.consultation, check.name) == ("WAPIAAAAaEDkvhHx", "Muster AG")
        assert check.address == "Ring 1 AT-1010 Wien"


def test_the_seller_s_id_is_sent_as_the_register_wants_it(
    register: Register, buyer: Customer
) -> None:
    Brand.objects.update(vat_id="de 136.695 976")
    vat_ids.check(asked(buyer).pk, at=AT)
    (question,) = register.asked
    assert question["requesterMemberStateCode"] == "DE"
    assert question["requesterNumber"] == "136695976"


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
