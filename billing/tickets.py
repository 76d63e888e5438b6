"""Support requests: customers ask and reply, staff answer, either side closes; mails say so."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, transaction

from billing import ticket_emails, ticket_files
from billing.models import Customer, Ticket, TicketMessage, User
from billing.ticket_files import File
from packages.states import record_change

State, Side = Ticket.State, TicketMessage.Side
# Each message is mailed to the other side.
TELL = {Side.CUSTOMER: ticket_emails.ticket_waits, Side.STAFF: ticket_emails.ticket_answered}


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says, from a form or a mail; the same `key` is said once."""

    text: str
    files: Sequence[File] = ()
    key: uuid.UUID = field(default_factory=uuid.uuid4)
    sender: str = ""


def ask(
    said: Said,
    *,
    subject: str,
    customer: Customer | None,
    user: User | None,
    email: str,
    language: str,
    at: datetime,
) -> Ticket:
    """Open a request and tell staff by mail; a repetition of `said.key` returns the first one.

    Answers go to `user`, else to `email`. Without a customer staff find out whose it is.
    Raises ticket_files.Unsuitable. Speaks no HTTP.
    """

    def open_it() -> Ticket:
        return _opened(
            Ticket(
                customer=customer,
                opened_by=user,
                email=email,
                subject=subject,
                language=language,
                opened_at=at,
                changed_at=at,
            ),
            at=at,
            actor=f"user:{user.pk}" if user else "mail",
        )

    return _once(said, open_it, side=Side.CUSTOMER, author=user, at=at)


def reply(ticket: Ticket, said: Said, *, user: User | None, at: datetime) -> Ticket:
    """Add what the customer says, open the request again where it is not, and tell staff by mail.

    Raises ticket_files.Unsuitable. Locks the ticket.
    """
    actor = f"user:{user.pk}" if user else "mail"

    def take() -> Ticket:
        return _moved(ticket, State.OPEN, reason="a reply", at=at, actor=actor)

    return _once(said, take, side=Side.CUSTOMER, author=user, at=at)


def answer(ticket: Ticket, said: Said, *, user: User, at: datetime) -> Ticket:
    """Add what staff say, and mail it to who asked. Locks the ticket."""

    def take() -> Ticket:
        actor = f"staff:{user.pk}"
        return _moved(ticket, State.ANSWERED, reason="answered", at=at, actor=actor)

    return _once(said, take, side=Side.STAFF, author=user, at=at)


def close(ticket: Ticket, *, reason: str, at: datetime, actor: str) -> None:
    """Close the request, if it is open; whoever writes again opens it. Locks the ticket."""
    with transaction.atomic():
        _moved(ticket, State.CLOSED, reason=reason, at=at, actor=actor)


def assign(ticket: Ticket, customer: Customer, *, at: datetime, actor: str) -> None:
    """Give a request to the customer whose it is: from then on they read and reply to it."""
    with transaction.atomic():
        held = _held(ticket)
        held.customer = customer
        held.save(update_fields=["customer"])
        why = f"belongs to customer {customer.pk}"
        record_change(held, before=held.state, at=at, actor=actor, reason=why)


def _once(
    said: Said,
    take: Callable[[], Ticket],
    *,
    side: TicketMessage.Side,
    author: User | None,
    at: datetime,
) -> Ticket:
    """Say it in the ticket that `take` opens or locks, unless it was said before."""
    ticket_files.check([(each.name, len(each.content)) for each in said.files])
    try:
        with transaction.atomic():
            ticket = take()
            message = TicketMessage.objects.create(
                ticket=ticket,
                key=said.key,
                side=side,
                author=author,
                sender=said.sender,
                text=said.text,
                written_at=at,
            )
            ticket_files.keep(message, said.files)
            ticket.changed_at = at
            ticket.save(update_fields=["changed_at"])
            TELL[side](message, at=at)
    except IntegrityError:
        known = TicketMessage.objects.select_related("ticket").filter(key=said.key).first()
        if known is None:
            raise
        return known.ticket
    return ticket


def _opened(ticket: Ticket, *, at: datetime, actor: str) -> Ticket:
    ticket.save(force_insert=True)
    record_change(ticket, before="", at=at, actor=actor, reason="asked")
    return ticket


def _moved(ticket: Ticket, state: Ticket.State, *, reason: str, at: datetime, actor: str) -> Ticket:
    """Move the ticket, unless it is there already. Needs an open transaction."""
    held = _held(ticket)
    if held.state != state:
        held.move(state, at=at, actor=actor, reason=reason)
    return held


def _held(ticket: Ticket) -> Ticket:
    """Lock the ticket and re-read it: two who write at once leave one state."""
    return Ticket.objects.select_for_update().get(pk=ticket.pk)
