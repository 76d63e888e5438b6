"""Send alerts: straight to the mail server and to the operator's webhook, with short time-outs.

No queue, no broker and no outbox is between. A message is a committed row before its first byte
leaves, and is sent outside of any transaction. It may arrive twice: its id tells.
"""

import json
import smtplib
from datetime import datetime, timedelta

import requests
import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db.models import F
from django.utils import translation

from billing import alert_texts, alerts
from billing.gateways import signatures
from billing.models import AlertMessage, AlertSettings, current_brand
from provisioning import vault

log = structlog.get_logger()

SECRET = "alert-webhook"
MAIL_SECONDS = 10
HTTP_SECONDS = (3, 7)
LEASE = timedelta(minutes=2)
BACKOFF = timedelta(minutes=1)
BACKOFF_CAP = timedelta(hours=1)
MAX_ATTEMPTS = 24
MOST_IN_A_TURN = 20
State = AlertMessage.State


class Refused(Exception):
    """The operator's webhook answered something else than 2xx."""


def send_waiting(*, at: datetime, now: datetime) -> None:
    """Send the messages that are due, the oldest first. Speaks SMTP and HTTP; raises nothing of it.

    `now` is the machine's time: the receiver of a webhook compares it with its own.
    """
    due = AlertMessage.objects.filter(state=State.WAITING, next_attempt_at__lte=at)
    for message in due.select_related("alert")[:MOST_IN_A_TURN]:
        send(message, at=at, now=now)


def send(message: AlertMessage, *, at: datetime, now: datetime) -> None:
    """Send one message if nobody else just does; afterwards it is sent, waits again, or failed."""
    ours = AlertMessage.objects.filter(
        pk=message.pk, state=State.WAITING, next_attempt_at=message.next_attempt_at
    )
    if not ours.update(next_attempt_at=at + LEASE, attempts=F("attempts") + 1):
        return
    message.refresh_from_db(fields=["attempts"])
    post = {AlertMessage.Channel.MAIL: _mail, AlertMessage.Channel.WEBHOOK: _webhook}
    try:
        post[AlertMessage.Channel(message.channel)](message, now)
    except (
        smtplib.SMTPException,
        OSError,
        requests.RequestException,
        Refused,
        vault.Unsealable,
    ) as error:
        # An OSError of SMTP may carry an address, so only a refusal's own words are kept.
        said = str(error) if isinstance(error, Refused) else type(error).__name__
        _again(message, said, at=at)
    else:
        AlertMessage.objects.filter(pk=message.pk).update(state=State.SENT, sent_at=at, error="")


def body_of(message: AlertMessage) -> bytes:
    """Return the JSON that the webhook gets: docs/operations.md has the fields."""
    alert = message.alert
    with translation.override(_language()):
        return json.dumps(
            {
                "id": f"alert-message-{message.pk}",
                "news": message.news,
                "alert": {
                    "id": alert.pk,
                    "kind": alert.kind,
                    "cause": alert.cause,
                    "title": alert_texts.title(alert),
                    "advice": alert_texts.advice(alert),
                    "facts": alert.facts,
                    "url": _url(message),
                    "found_at": alert.found_at.isoformat(),
                    "resolved_at": alert.resolved_at and alert.resolved_at.isoformat(),
                },
            },
            sort_keys=True,
        ).encode()


def _mail(message: AlertMessage, now: datetime) -> None:
    alert, brand = message.alert, current_brand()
    with translation.override(_language()):
        title = alert_texts.title(alert)
        lines = [title, "", alert_texts.advice(alert), "", _url(message)]
        subject = f"[{brand.name}] {message.get_news_display()}: {title}"
    mail = EmailMessage(
        subject=" ".join(subject.split())[:180],
        body="\n".join(lines),
        from_email=brand.mail_sender,
        to=alerts.recipients(),
        connection=get_connection(timeout=MAIL_SECONDS),
        headers={
            "Message-ID": f"<alert-message-{message.pk}@{brand.mail_sender.rpartition('@')[2]}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    mail.send()


def _webhook(message: AlertMessage, now: datetime) -> None:
    row = AlertSettings.objects.get()
    secret = vault.unseal(row.secret_sealed, purpose=SECRET)
    body = body_of(message)
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            row.url,
            data=body,
            headers={
                "Content-Type": "application/json",
                "User-Agent": "Castfront",
                "Castfront-Signature": signatures.sign(body, secret=secret, at=now),
            },
            timeout=HTTP_SECONDS,
            allow_redirects=False,
            # What it answers is not read: its status says all.
            stream=True,
        )
        answer.close()
    if not 200 <= answer.status_code < 300:
        raise Refused(f"answered {answer.status_code}")


def _again(message: AlertMessage, error: str, *, at: datetime) -> None:
    log.warning("alert.unsent", message=message.pk, channel=message.channel, error=error)
    pause = min(BACKOFF_CAP, BACKOFF * 2 ** min(message.attempts - 1, 10))
    over = message.attempts >= MAX_ATTEMPTS
    AlertMessage.objects.filter(pk=message.pk).update(
        state=State.FAILED if over else State.WAITING, next_attempt_at=at + pause, error=error[:200]
    )


def _language() -> str:
    row = AlertSettings.objects.first()
    return row.language if row else "en"


def _url(message: AlertMessage) -> str:
    return f"{settings.SITE_URL}{message.alert.path}"
