"""The mails about support requests: to staff what waits for them, to customers the answer."""

from datetime import datetime

from django.conf import settings

from billing import emails
from billing.models import Ticket, TicketMessage, current_brand


def ticket_answered(message: TicketMessage, *, at: datetime) -> None:
    """Mail an answer to who asked, word for word."""
    ticket = message.ticket
    button = {"button_url": emails.link("storefront:ticket", ticket.public_id)}
    emails.queue(
        "ticket_answered",
        f"ticket-message-{message.pk}",
        ticket.answers_to,
        {"ticket": ticket, "message": message, **(button if ticket.customer else {})},
        language=ticket.language,
        at=at,
        customer=ticket.customer,
        reply_to=_reply_address(ticket),
    )


def ticket_waits(message: TicketMessage, *, at: datetime) -> None:
    """Tell staff that a request, or a reply to one, waits for them."""
    emails.queue(
        "ticket_waits",
        f"ticket-message-{message.pk}",
        current_brand().support_email,
        {
            "ticket": message.ticket,
            "message": message,
            "files": message.files.count(),
            "button_url": emails.link("admin:billing_ticket_change", message.ticket.pk),
        },
        language=settings.LANGUAGE_CODE,
        at=at,
    )


def _reply_address(ticket: Ticket) -> str:
    """Return the address that leads a reply to this request; nothing where no mail comes in."""
    address = current_brand().reply_address
    if not address:
        return ""
    name, _at, host = address.rpartition("@")
    return f"{name}+{ticket.public_id.hex}@{host}"
