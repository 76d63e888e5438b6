"""Support requests: asked and answered once, mailed to the other side, files only downloaded."""

from __future__ import annotations

import re
import uuid
from datetime import datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from billing import tickets
from billing.models import Mail, Ticket, TicketFile, TicketMessage, User, current_brand
from packages.states import history_of
from tests.desk import pages
from tests.storefront.account.people import Person

HOSTILE = b"<script>alert(1)</script>"


def upload(name: str, content: bytes = HOSTILE) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="text/html")


def ask(person: Person, *files: SimpleUploadedFile, **typed: str) -> str:
    """Ask on the page for it, and return the page that comes of it."""
    url = reverse("storefront:ticket_new")
    browser = person.browser()
    key = re.search(r'name="key" value="([^"]+)"', browser.get(url).content.decode())
    assert key is not None
    form = {"key": key[1], "subject": "Echo", "text": "I hear one.", **typed, "attached": files}
    return browser.post(url, form, follow=True).content.decode()


def staff() -> tuple[User, Client]:
    user = User.objects.create_superuser("staff@shop.test", "correct-horse-battery")
    browser = Client()
    browser.force_login(user)
    return user, browser


def mails(template: str) -> list[Mail]:
    return list(Mail.objects.filter(template=template).order_by("pk"))


def test_a_request_goes_to_staff_and_their_answer_back(anna: Person) -> None:
    assert "I hear one." in ask(anna)
    ticket = Ticket.objects.get()
    (waits,) = mails("ticket_waits")
    assert (waits.recipient, waits.customer) == (current_brand().support_email, None)
    assert "I hear one." in waits.text
    _, desk = staff()
    assert "I hear one." in desk.get(pages.address(ticket)).content.decode()
    assert f">{anna.user.email}<" in pages.opened(desk, ticket, "answer")
    pages.press(desk, ticket, "answer", text="It is gone now.")
    (answered,) = mails("ticket_answered")
    assert (answered.recipient, answered.subject) == (anna.user.email, "Re: Echo")
    assert "It is gone now." in answered.text
    url = reverse("storefront:ticket", args=[ticket.public_id])
    assert "It is gone now." in anna.browser().get(url).content.decode()
    assert [change.after for change in history_of(ticket)] == ["open", "answered"]


def test_closed_by_the_customer_it_opens_with_the_next_word(anna: Person) -> None:
    ask(anna)
    ticket = Ticket.objects.get()
    browser = anna.browser()
    browser.post(reverse("storefront:ticket_close", args=[ticket.public_id]))
    ticket.refresh_from_db()
    assert ticket.state == Ticket.State.CLOSED
    form = {"key": str(uuid.uuid4()), "text": "It is back."}
    for _twice in range(2):
        browser.post(reverse("storefront:ticket", args=[ticket.public_id]), form)
    ticket.refresh_from_db()
    assert ticket.state == Ticket.State.OPEN
    assert [each.text for each in ticket.messages.all()] == ["I hear one.", "It is back."]
    assert len(mails("ticket_waits")) == 2


def test_a_file_is_only_ever_downloaded(anna: Person, bert: Person) -> None:
    ask(anna, upload("../../echo page.TXT"))
    row = TicketFile.objects.get()
    assert (row.name, row.size_bytes) == ("echo page.txt", len(HOSTILE))
    url = reverse("storefront:ticket_file", args=[row.public_id])
    answer = anna.browser().get(url)
    assert answer.content == HOSTILE
    assert answer["Content-Type"] == "text/plain"
    assert answer["Content-Disposition"] == 'attachment; filename="echo page.txt"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert bert.browser().get(url).status_code == 404


@pytest.mark.parametrize(
    "files",
    [
        [upload("page.html")],
        [upload("none")],
        [upload("a.pdf")] * 6,
        [upload("large.pdf", b"x" * (5 * 1024 * 1024 + 1))],
    ],
    ids=["kind", "no ending", "too many", "too large"],
)
def test_other_files_are_refused_and_nothing_is_asked(
    anna: Person, files: list[SimpleUploadedFile]
) -> None:
    text = ask(anna, *files)
    assert "I hear one." in text, "what was typed is kept"
    assert "Please check what you entered" in text
    assert not Ticket.objects.exists()
    assert not Mail.objects.filter(template="ticket_waits").exists()


def test_a_request_is_its_customers_alone(anna: Person, bert: Person) -> None:
    ask(anna)
    ticket = Ticket.objects.get()
    browser = bert.browser()
    assert "Echo" not in browser.get(reverse("storefront:tickets")).content.decode()
    for name in ("ticket", "ticket_close"):
        url = reverse(f"storefront:{name}", args=[ticket.public_id])
        form = {"key": str(uuid.uuid4()), "text": "Mine."}
        assert browser.post(url, form).status_code == 404
    ticket.refresh_from_db()
    assert (ticket.state, TicketMessage.objects.count()) == (Ticket.State.OPEN, 1)


def test_staff_find_out_whose_a_request_is(anna: Person, now: datetime) -> None:
    ticket = tickets.ask(
        tickets.Said("Hello."),
        subject="Echo",
        customer=None,
        user=None,
        email="other@example.com",
        language="de",
        at=now,
    )
    user, desk = staff()
    assert "no such customer" in pages.text(pages.press(desk, ticket, "customer", customer="0"))
    pages.press(desk, ticket, "customer", customer=str(anna.customer.pk))
    ticket.refresh_from_db()
    assert ticket.customer == anna.customer
    tickets.answer(ticket, tickets.Said("Yes?"), user=user, at=now)
    (answered,) = mails("ticket_answered")
    assert (answered.recipient, answered.language) == ("other@example.com", "de")
