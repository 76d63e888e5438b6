"""What customers do under a row's lock: who buys, who acts for them, what they ask support."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.test import RequestFactory

from billing import colleagues, data_requests, inbound_mails, tickets
from billing.models import DataExport, DeletionRequest, Invitation, Ticket, User
from storefront import buyers
from storefront.views import account
from tests.guards import rows


def close(world: rows.Rows) -> None:
    row = Ticket.objects.get(pk=world["ticket"].pk)
    tickets.close(row, reason="settled", at=rows.AT, actor="staff:1")


def file_mail(world: rows.Rows) -> None:
    inbound_mails.file(world["inboundmail"].pk, at=rows.AT)


def withdraw(world: rows.Rows) -> None:
    row = Invitation.objects.get(pk=world["invitation"].pk)
    colleagues.withdraw(row, at=rows.AT, actor="user:1")


def take(world: rows.Rows) -> None:
    row = DataExport.objects.get(pk=world["dataexport"].pk)
    data_requests.take(row, User.objects.get(pk=world["user"].pk), at=rows.AT)


def answer_deletion(world: rows.Rows) -> None:
    row = DeletionRequest.objects.get(pk=world["deletionrequest"].pk)
    done = DeletionRequest.State.DONE
    data_requests.answer_deletion(row, done, reason="deleted", at=rows.AT, actor="staff:1")


def save_buyer(world: rows.Rows) -> None:
    values = dict.fromkeys(buyers.FIELDS, "") | {"is_business": False, "country": "DE"}
    buyers.save(_request(world), values, language="en", at=rows.AT)


def save_profile(world: rows.Rows) -> None:
    user: Any = world["user"]
    account._save_profile(_request(world), user, at=rows.AT)


def _request(world: rows.Rows) -> HttpRequest:
    request = RequestFactory().post("/", {})
    user: Any = world["user"]
    request.user = user
    return request
