"""Mail that comes in: stored once, then made part of the support request that it answers.

An address can be forged and a reply address forwarded, so only both together let somebody write in
a request. Everything else is a new request without a customer: staff find out whose it is.
"""

import re
import uuid
from datetime import datetime

import structlog
from celery import shared_task
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from billing import mail_parts, tickets
from billing.mail_parts import Letter
from billing.models import InboundMail, Membership, Ticket, TicketMessage, User, current_brand
from packages import clock
from packages.doorbell import ring
from packages.states import record_change
from packages.sweeping import written_once

log = structlog.get_logger()

State = InboundMail.State
ACTOR = "system:inbox"


@shared_task
def file_mail(mail_id: int) -> None:
    """Make a support request, or a part of one, of a mail that came in."""
    file(mail_id, at=clock.now())


def store(raw: bytes, *, at: datetime) -> InboundMail | None:
    """Store a mail and ring after commit; None for one whose Message-ID was stored before."""
    mail = InboundMail(digest=mail_parts.digest(raw), raw=raw, received_at=at)
    try:
        with transaction.atomic():
            mail.save(force_insert=True)
            record_change(mail, before="", at=at, actor=ACTOR, reason="handed in")
            ring(file_mail, mail.pk)
    except IntegrityError:
        return None
    return mail


def file(mail_id: int, *, at: datetime) -> None:
    """Make the mail part of its support request, if it waits; a machine's mail is left aside.

    A mail that cannot be read becomes a request that says so, and is kept. Locks the mail, then the
    ticket. Speaks no HTTP.
    """
    with transaction.atomic():
        mail = InboundMail.objects.select_for_update().filter(pk=mail_id).first()
        if mail is None or mail.state != State.RECEIVED:
            return
        letter = _read(mail)
        mail.sender, mail.subject = letter.sender[:254], letter.subject
        also: tuple[str, ...] = ("sender", "subject")
        if letter.by_machine:
            mail.move(State.IGNORED, at=at, actor=ACTOR, reason="sent by a machine", also=also)
            return
        said = _said(mail, letter)
        ticket = _filed(letter, said, at=at)
        mail.message = TicketMessage.objects.get(key=said.key)
        if letter.text or letter.files:
            mail.raw = b""
        also = (*also, "message", "raw")
        mail.move(State.FILED, at=at, actor=ACTOR, reason=f"ticket {ticket.pk}", also=also)


@written_once
def waiting() -> QuerySet[InboundMail, int]:
    """Return the ids of the mails that are to be filed, the oldest first."""
    rows = InboundMail.objects.filter(state=State.RECEIVED).order_by("pk")
    return rows.values_list("pk", flat=True)[:100]


def _read(mail: InboundMail) -> Letter:
    try:
        return mail_parts.read(bytes(mail.raw))
    except Exception as error:  # noqa: BLE001
        # Mail is what anybody on earth may send; the library has many ways to give up.
        log.warning("mail.unreadable", mail=mail.pk, error=type(error).__name__)
        return Letter("", frozenset(), "", "", (), (), by_machine=False)


def _said(mail: InboundMail, letter: Letter) -> tickets.Said:
    text = letter.text or _("This mail has no text that we can read. Its original is kept.")
    if letter.left_out:
        names = ", ".join(letter.left_out)
        text += "\n\n" + _("Files that we do not take: %(names)s") % {"names": names}
    key = uuid.UUID(mail.digest[:32])
    return tickets.Said(text, letter.files, key, sender=letter.sender)


def _filed(letter: Letter, said: tickets.Said, *, at: datetime) -> Ticket:
    ticket = _answered_by(letter)
    if ticket is not None:
        return tickets.reply(ticket, said, user=_user(ticket, letter.sender), at=at)
    return tickets.ask(
        said,
        subject=letter.subject or _("(no subject)"),
        customer=None,
        user=None,
        email=letter.sender,
        language=settings.LANGUAGE_CODE,
        at=at,
    )


def _answered_by(letter: Letter) -> Ticket | None:
    """Return the request whose reply address was written to by somebody who may write in it."""
    name, _at, host = current_brand().reply_address.lower().partition("@")
    token = re.compile(rf"{re.escape(name)}\+([0-9a-f]{{32}})@{re.escape(host)}")
    found = [match[1] for each in letter.recipients if (match := token.fullmatch(each))]
    if len(found) != 1 or not letter.sender:
        return None
    ticket = Ticket.objects.filter(public_id=uuid.UUID(found[0])).first()
    return ticket if ticket and letter.sender in _writers(ticket) else None


def _user(ticket: Ticket, sender: str) -> User | None:
    if ticket.customer is None:
        return None
    return ticket.customer.users.filter(email__iexact=sender).first()


def _writers(ticket: Ticket) -> set[str]:
    """Return the addresses from which this request may be replied to."""
    writers = {ticket.email}
    if ticket.customer is not None:
        members = ticket.customer.memberships.filter(Membership.MAY_ASK)
        writers |= {ticket.customer.email, *members.values_list("user__email", flat=True)}
    return {each.lower() for each in writers if each}
