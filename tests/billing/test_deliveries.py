"""Outgoing mail against a real SMTP server: what was handed over, and what is tried again."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from django.db import connection
from pytest_django import Settings

from billing import deliveries, emails
from billing.models import Mail
from packages.states import history_of
from tests.billing import orders, smtp

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "k7Qm2vXp9LtRz8wB"
Dial = Callable[[int], None]


@pytest.fixture
def dial(settings: Settings) -> Dial:
    """Point the product's mail at a port of this machine."""

    def to(port: int) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        settings.EMAIL_TIMEOUT = 5
        settings.DEMO = False

    return to


@pytest.fixture
def mail(db: None) -> Mail:
    return _queued()


@pytest.fixture
def committed(transactional_db: None) -> Mail:
    return _queued()


def _queued() -> Mail:
    orders.seeded(at=AT)
    _, customer = orders.buyer(at=AT)
    mail = emails.queue(
        "topped_up",
        "credit-1",
        customer.email,
        {"customer": customer, "account": {"username": "ada"}, "amount": orders.euros(500)}
        | {"button_url": emails.SEALED},
        language="en",
        at=AT,
        customer=customer,
        sealed=f"http://shop.test/{PASSWORD}",
    )
    assert mail is not None
    return mail


def _after(mail: Mail, *, at: datetime = AT) -> Mail:
    deliveries.deliver(mail.pk, at=at)
    mail.refresh_from_db()
    return mail


def test_an_accepted_mail_is_sent_with_its_secret_which_is_then_destroyed(
    mail: Mail, dial: Dial
) -> None:
    with smtp.serving() as server:
        dial(server.port)
        mail = _after(mail)
    (arrived,) = server.mails
    assert mail.state == Mail.State.SENT
    assert mail.sent_at == AT
    assert mail.sealed is None
    for kind in ("plain", "html"):
        body = arrived.get_body((kind,))
        assert body is not None
        assert isinstance(body, EmailMessage)
        assert PASSWORD in body.get_content()
    assert [part.get_content_type() for part in arrived.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    assert arrived["To"] == "ada@example.com"
    assert arrived["Message-ID"] == f"<mail-{mail.pk}@nordcast.example>"


def test_the_demo_keeps_the_secret_to_be_read_in_the_browser(
    mail: Mail, dial: Dial, settings: Settings
) -> None:
    with smtp.serving() as server:
        dial(server.port)
        settings.DEMO = True
        mail = _after(mail)
    assert mail.sealed is not None
    assert PASSWORD in deliveries.opened(mail)[0]


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "END"])
def test_a_passing_refusal_is_tried_again_later(mail: Mail, dial: Dial, verb: str) -> None:
    with smtp.serving(**{verb: "451 try again later"}) as server:
        dial(server.port)
        mail = _after(mail)
        assert mail.state == Mail.State.QUEUED
        assert mail.next_attempt_at is not None
        assert mail.next_attempt_at > AT
        assert deliveries.waiting(at=AT) == []
        del server.answers[verb]
        mail = _after(mail, at=mail.next_attempt_at)
    assert mail.state == Mail.State.SENT
    assert len(server.mails) == 1


@pytest.mark.parametrize("verb", ["RCPT", "DATA", "END"])
def test_a_final_refusal_needs_staff(mail: Mail, dial: Dial, verb: str) -> None:
    with smtp.serving(**{verb: "550 no such person"}) as server:
        dial(server.port)
        mail = _after(mail)
    assert mail.state == Mail.State.FAILED
    assert "550" in mail.last_error
    assert deliveries.waiting(at=AT + timedelta(days=9)) == []


def test_a_hang_up_after_the_data_leaves_it_perhaps_sent_and_never_sends_it_again(
    mail: Mail, dial: Dial
) -> None:
    with smtp.serving(END="") as server:
        dial(server.port)
        mail = _after(mail)
        assert mail.state == Mail.State.UNKNOWN
        server.answers.clear()
        assert deliveries.waiting(at=AT + timedelta(days=9)) == []
        mail = _after(mail, at=AT + timedelta(days=9))
    assert mail.state == Mail.State.UNKNOWN
    assert server.received == []


@pytest.mark.parametrize("greeting", ["", "554 not today", "421 busy"])
def test_a_server_that_does_not_greet_is_tried_again(mail: Mail, dial: Dial, greeting: str) -> None:
    with smtp.serving(CONNECT=greeting) as server:
        dial(server.port)
        mail = _after(mail)
    assert mail.state == Mail.State.QUEUED


def test_a_refused_connection_is_tried_again(mail: Mail, dial: Dial) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    dial(port)
    mail = _after(mail)
    assert mail.state == Mail.State.QUEUED
    assert mail.last_error == "ConnectionRefusedError"


def test_the_last_attempt_gives_up(mail: Mail, dial: Dial) -> None:
    Mail.objects.filter(pk=mail.pk).update(attempts=deliveries.MAX_ATTEMPTS - 1)
    with smtp.serving(RCPT="451 later") as server:
        dial(server.port)
        mail = _after(mail)
    assert mail.state == Mail.State.FAILED


def test_a_worker_that_died_while_sending_leaves_it_perhaps_sent(mail: Mail, dial: Dial) -> None:
    assert deliveries._claim(mail.pk, at=AT) is not None
    with smtp.serving() as server:
        dial(server.port)
        assert _after(mail).state == Mail.State.SENDING
        later = AT + deliveries.LEASE
        assert deliveries.waiting(at=later) == [mail.pk]
        mail = _after(mail, at=later)
    assert mail.state == Mail.State.UNKNOWN
    assert server.received == []


def test_two_workers_send_a_mail_once(committed: Mail, dial: Dial) -> None:
    with smtp.serving() as server:
        dial(server.port)
        _side_by_side(lambda: deliveries.deliver(committed.pk, at=AT), times=4)
    assert len(server.mails) == 1
    assert [row.after for row in history_of(committed)] == ["queued", "sending", "sent"]


def test_the_same_cause_queued_by_two_transactions_is_one_mail(committed: Mail) -> None:
    values = {"account": {"username": "ada"}, "amount": orders.euros(500)}

    def again() -> None:
        emails.queue("topped_up", "c-2", "ada@example.com", values, language="en", at=AT)

    _side_by_side(again, times=4)
    assert Mail.objects.filter(cause="c-2").count() == 1


def _side_by_side(work: Callable[[], object], *, times: int) -> None:
    """Run it in threads that begin together; a failure in one of them fails the test."""
    begin = threading.Barrier(times)

    def one() -> None:
        begin.wait(timeout=10)
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        for future in [pool.submit(one) for _ in range(times)]:
            future.result(timeout=30)
