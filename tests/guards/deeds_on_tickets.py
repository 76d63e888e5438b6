"""What is done to support requests and incoming mail under a row's lock."""

from __future__ import annotations

from billing import inbound_mails, tickets
from billing.models import Ticket
from tests.guards import rows


def close(world: rows.Rows) -> None:
    row = Ticket.objects.get(pk=world["ticket"].pk)
    tickets.close(row, reason="settled", at=rows.AT, actor="staff:1")


def file_mail(world: rows.Rows) -> None:
    inbound_mails.file(world["inboundmail"].pk, at=rows.AT)
