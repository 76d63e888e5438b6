"""Send what waits in the outbox. A mail that may have gone out is never sent again by itself."""

import json
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from celery import shared_task
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.html import escape

from billing import rendering
from billing.models import Mail
from packages import clock
from packages.sweeping import rows_written_once, written_once
from provisioning import vault

ACTOR = "system:mail"
PURPOSE = "mail"
# Beyond the usual length of a conversation; all that a dead worker left is settled in two minutes.
LEASE = timedelta(seconds=110)
BACKOFF_CAP = timedelta(hours=4)
MAX_ATTEMPTS = 12


@shared_task
def deliver_mail(mail_id: int) -> None:
    """Send one mail."""
    deliver(mail_id, at=clock.now())


def deliver(mail_id: int, *, at: datetime) -> None:
    """Send the mail if it waits and is due; afterwards it is sent, waits again, or needs staff.

    Speaks SMTP outside of any transaction. A worker that died while sending leaves it "perhaps
    sent", since nobody can know.
    """
    mail = _claim(mail_id, at=at)
    if mail is None:
        return None
    message, connection = _message(mail), get_connection()
    try:
        connection.open()
    except (smtplib.SMTPException, OSError) as error:
        # Nothing of the mail has left yet, and the trouble is the server's or ours, not the mail's.
        return _again(mail, error, at=at)
    try:
        connection.send_messages([message])
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        return _after_refusal(mail, max(codes, default=550), error, at=at)
    except smtplib.SMTPResponseException as error:
        return _after_refusal(mail, error.smtp_code, error, at=at)
    except (smtplib.SMTPServerDisconnected, TimeoutError) as error:
        return _move(mail, Mail.State.UNKNOWN, error, at=at)
    except (smtplib.SMTPException, OSError) as error:
        return _again(mail, error, at=at)
    finally:
        connection.close()
    return _sent(mail, at=at)


@written_once
def waiting(*, at: datetime) -> QuerySet[Mail, int]:
    """Return the ids of the mails to be sent now, the oldest first."""
    due = Q(next_attempt_at__lte=at) & Q(state__in=(Mail.State.QUEUED, Mail.State.SENDING))
    rows = Mail.objects.filter(due).order_by("next_attempt_at", "pk")
    return rows.values_list("pk", flat=True)[:500]


def opened(mail: Mail) -> tuple[str, str]:
    """Return text and HTML with the sealed value in its place, if it still exists."""
    rendering.complete(mail)
    if mail.sealed is None:
        return mail.text, mail.html
    text, html = mail.text, mail.html
    for placeholder, value in json.loads(vault.unseal(mail.sealed, purpose=PURPOSE)).items():
        text, html = text.replace(placeholder, value), html.replace(placeholder, escape(value))
    return text, html


def _claim(mail_id: int, *, at: datetime) -> Mail | None:
    with transaction.atomic():
        mail = next(iter(_locked_if_due(mail_id, at)), None)
        if mail is None:
            return None
        if mail.state == Mail.State.SENDING:
            error = RuntimeError("the worker died while sending")
            _move_locked(mail, Mail.State.UNKNOWN, error, at=at)
            return None
        if mail.state != Mail.State.QUEUED:
            return None
        mail.attempts += 1
        mail.next_attempt_at = at + LEASE
        also = ("attempts", "next_attempt_at", *rendering.complete(mail))
        mail.move(Mail.State.SENDING, at=at, actor=ACTOR, reason="claimed", also=also)
    return mail


@rows_written_once
def _locked_if_due(mail_id: int, at: datetime) -> QuerySet[Mail]:
    return Mail.objects.filter(pk=mail_id, next_attempt_at__lte=at).select_for_update()


def _message(mail: Mail) -> EmailMultiAlternatives:
    text, html = opened(mail)
    host = mail.sender.rpartition("@")[2].rstrip(">")
    # The id is the row's, so that a receiver recognises a second copy. Exchange does not know the
    # second header (RFC 3834) and answers with "out of office" unless the third is there.
    headers = {
        "Message-ID": f"<mail-{mail.pk}@{host}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
    }
    message = EmailMultiAlternatives(
        mail.subject,
        text,
        mail.sender,
        [mail.recipient],
        headers=headers,
        reply_to=[mail.reply_to] if mail.reply_to else None,
    )
    if html:
        message.attach_alternative(html, "text/html")
    return message


@contextmanager
def _held(mail: Mail) -> Iterator[Mail | None]:
    """Open a transaction with the mail's lock; None when somebody else has taken it over."""
    with transaction.atomic():
        held = next(iter(_locked_if_leaving(mail.pk)), None)
        yield held if held is not None and held.attempts == mail.attempts else None


@rows_written_once
def _locked_if_leaving(mail_id: int) -> QuerySet[Mail]:
    return Mail.objects.filter(pk=mail_id, state=Mail.State.SENDING).select_for_update()


def _sent(mail: Mail, *, at: datetime) -> None:
    """The secret has left with the mail; only the demo keeps it, to be read in the browser."""
    mail.sent_at, mail.next_attempt_at, mail.last_error = at, None, ""
    if not settings.DEMO:
        mail.sealed = None
    also = ("sent_at", "next_attempt_at", "last_error", "sealed")
    sent = Mail.State.SENT
    mail.move_if_still("attempts", to=sent, at=at, actor=ACTOR, reason="handed over", also=also)


def _after_refusal(mail: Mail, code: int, error: Exception, *, at: datetime) -> None:
    if 400 <= code < 500:
        return _again(mail, error, at=at)
    return _move(mail, Mail.State.FAILED, error, at=at)


def _again(tried: Mail, error: Exception, *, at: datetime) -> None:
    if tried.attempts >= MAX_ATTEMPTS:
        return _move(tried, Mail.State.FAILED, error, at=at)
    with _held(tried) as mail:
        if mail is None:
            return None
        pause = min(BACKOFF_CAP, timedelta(minutes=1) * 2 ** min(mail.attempts, 10))
        mail.next_attempt_at, mail.last_error = at + pause, type(error).__name__
        also = ("next_attempt_at", "last_error")
        mail.move(Mail.State.QUEUED, at=at, actor=ACTOR, reason="will be tried again", also=also)
    return None


def _move(tried: Mail, state: Mail.State, error: Exception, *, at: datetime) -> None:
    with _held(tried) as mail:
        if mail is not None:
            _move_locked(mail, state, error, at=at)


def _move_locked(mail: Mail, state: Mail.State, error: Exception, *, at: datetime) -> None:
    mail.next_attempt_at, mail.last_error = None, f"{type(error).__name__}: {error}"[:300]
    also = ("next_attempt_at", "last_error")
    mail.move(state, at=at, actor=ACTOR, reason=mail.last_error, also=also)
