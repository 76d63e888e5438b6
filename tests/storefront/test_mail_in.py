"""Mail that comes in: believed when signed, stored once, and put where it belongs or to staff."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from billing import inbound_mails, tickets
from billing.gateways import signatures
from billing.mail_webhook import MAX_MAIL
from billing.models import Brand, InboundMail, Mail, Ticket, TicketFile, User
from tests import world
from tests.storefront.account import people
from tests.storefront.account.people import Person

SECRET = "mail-secret"
pytestmark = pytest.mark.django_db


@pytest.fixture
def at(settings: Settings) -> datetime:
    settings.INBOUND_MAIL_SECRETS = [SECRET]
    at = timezone.now()
    world.settle_in("http://127.0.0.1:9", at=at)
    Brand.objects.update(reply_address="support@reply.test")
    return at


@pytest.fixture
def anna(at: datetime) -> Person:
    return people.waiting("anna@example.com", at=at)


@pytest.fixture
def answered(anna: Person, at: datetime) -> Ticket:
    """Anna's request, which staff have answered."""
    ticket = tickets.ask(
        tickets.Said("I hear one."),
        subject="Echo",
        customer=anna.customer,
        user=anna.user,
        email=anna.user.email,
        language="en",
        at=at,
    )
    staff = User.objects.create_superuser("staff@shop.test", "correct-horse-battery")
    return tickets.answer(ticket, tickets.Said("Still?"), user=staff, at=at)


def letter(to: str, sender: str = "Anna <anna@example.com>", **headers: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, "Re: Echo"
    mail["Message-ID"] = "<1@example.com>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("Yes, still.\n\n> Still?\n")
    return mail


def reply_to(ticket: Ticket) -> str:
    return Mail.objects.get(template="ticket_answered", customer=ticket.customer).reply_to


def hand_in(raw: bytes, *, at: datetime | None = None, header: str = "", **more: Any) -> int:
    header = header or signatures.sign(raw, secret=SECRET, at=at or timezone.now())
    answer = Client().post(
        reverse("mail_webhook"),
        raw,
        content_type="message/rfc822",
        headers={"Castfront-Signature": header},
        **more,
    )
    return answer.status_code


def filed(mail: EmailMessage, at: datetime) -> InboundMail:
    assert hand_in(mail.as_bytes()) == 200
    for pk in inbound_mails.waiting():
        inbound_mails.file(pk, at=at)
    return InboundMail.objects.latest("pk")


def test_a_reply_by_mail_joins_its_request_once(
    answered: Ticket, anna: Person, at: datetime
) -> None:
    mail = letter(reply_to(answered))
    mail.add_attachment(b"RIFF", maintype="audio", subtype="wav", filename="echo.wav")
    mail.add_attachment(b"MZ", maintype="application", subtype="exe", filename="run.exe")
    row = filed(mail, at)
    assert hand_in(mail.as_bytes()) == 200
    assert InboundMail.objects.count() == 1
    answered.refresh_from_db()
    assert (answered.state, row.state, bytes(row.raw)) == ("open", "filed", b"")
    latest = answered.messages.latest("pk")
    assert latest.text == "Yes, still.\n\nFiles that we do not take: run.exe"
    assert (latest.author, latest.sender) == (anna.user, "anna@example.com")
    assert [each.name for each in TicketFile.objects.all()] == ["echo.wav"]


@pytest.mark.parametrize(
    ("sender", "token"),
    [("eve@example.com", True), ("anna@example.com", False), ("a@x.test, anna@example.com", True)],
    ids=["another's address", "another's token", "two senders"],
)
def test_token_and_sender_must_both_fit(
    answered: Ticket, at: datetime, sender: str, token: bool
) -> None:
    to = reply_to(answered) if token else f"support+{'0' * 32}@reply.test"
    row = filed(letter(to, sender), at)
    assert answered.messages.count() == 2
    assert row.message is not None
    theirs = row.message.ticket
    assert (theirs.customer, theirs.subject) == (None, "Re: Echo")
    assert Mail.objects.filter(template="ticket_waits").count() == 2


def test_a_machines_mail_opens_and_answers_nothing(answered: Ticket, at: datetime) -> None:
    before = Mail.objects.count()
    row = filed(letter(reply_to(answered), Auto_Submitted="auto-replied"), at)
    assert row.state == InboundMail.State.IGNORED
    assert (answered.messages.count(), Mail.objects.count()) == (2, before)


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xff\xfe garbage", b"Content-Type: text/plain; charset=nonsense\n\n\xff"],
    ids=["empty", "no mail", "unknown characters"],
)
def test_what_cannot_be_read_is_kept_and_told_to_staff(at: datetime, raw: bytes) -> None:
    assert hand_in(raw) == 200
    inbound_mails.file(InboundMail.objects.get().pk, at=at)
    row = InboundMail.objects.get()
    assert row.state == InboundMail.State.FILED
    assert row.message is not None
    assert row.message.ticket.customer is None
    if "cannot" in row.message.text or "no text" in row.message.text:
        assert bytes(row.raw) == raw


def test_only_what_is_signed_is_stored(at: datetime, settings: Settings) -> None:
    raw = letter("support@reply.test").as_bytes()
    good = signatures.sign(raw, secret=SECRET, at=timezone.now())
    assert hand_in(raw + b"!", header=good) == 400
    assert hand_in(raw, header="t=1,v1=00") == 400
    assert hand_in(b"x" * (MAX_MAIL + 1), header=good) == 413
    assert hand_in(raw, header=good, CONTENT_LENGTH=str(MAX_MAIL + 1)) == 413
    settings.INBOUND_MAIL_SECRETS = []
    assert hand_in(raw, header=good) == 404
    assert not InboundMail.objects.exists()
