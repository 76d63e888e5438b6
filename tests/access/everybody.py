"""One browser for each kind of person, and the rows of the one whose addresses are tried."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.test import Client
from django.urls import reverse

from billing import colleagues, tickets
from billing.models import Declaration, Mail, Membership, Payment, Ticket, User
from billing.ticket_files import File
from billing.tickets import Said
from tests import second_factor
from tests.billing import saved
from tests.storefront.account import people
from tests.storefront.account.people import Person


def browsers(anna: Person, *, at: datetime) -> dict[str, Client]:
    """Return everybody, signed in as far as they can be."""
    half = second_factor.person("owner", "half@shop.test")
    roles = ("reader", "support", "billing", "owner")
    return {
        "visitor": Client(),
        "stranger": people.running("bert@example.com", at=at).browser(),
        "customer": anna.browser(),
        "colleague": _colleague(anna),
        "owner-no-2fa": second_factor.signs_in(half),
        **{
            role: second_factor.shows_again(second_factor.person(role, f"{role}@shop.test"))
            for role in roles
        },
    }


def _colleague(anna: Person) -> Client:
    """Sign in somebody who may look at what is Anna's, and nothing more."""
    user = User.objects.create_user("carl@example.com", "x" * 20)
    role = Membership.Role.COLLEAGUE
    Membership.objects.create(user=user, customer=anna.customer, role=role)
    client = Client()
    client.force_login(user)
    return client


def examples(anna: Person, *, at: datetime) -> dict[str, dict[str, Any]]:
    """Return what the addresses vary by: all of it is Anna's. Under `""` what fits anywhere."""
    mail = Mail.objects.filter(customer=anna.customer).earliest("pk").pk
    words = {"slug": "starter", "page": "terms", "token": "none", "gateway_code": "simulated"}
    keys = {"key": "none", "uidb36": "1", "content_type_id": 0, "id": 0, "app_label": "billing"}
    assert anna.invoice.order is not None
    method = saved.kept(anna.customer, at=at).public_id
    owner = Membership.objects.get(user=anna.user)
    invitation = colleagues.invite(owner, "dora@example.com", (), at=at)
    ticket = _ticket(anna, at)
    file = ticket.messages.get().files.get()
    rows = {
        anna.invoice.order.public_id: ("order", "order_status", "api_order"),
        anna.invoice.public_id: ("pay", "invoice", "invoice_pdf", "invoice_xml"),
        Payment.objects.get(customer=anna.customer).public_id: ("payment",),
        method: ("method_default", "method_remove"),
        _declaration(anna): ("declared",),
        ticket.public_id: ("ticket", "ticket_close"),
        file.public_id: ("ticket_file",),
    }
    named = {name: {"public_id": key} for key, names in rows.items() for name in names}
    ids = {"mail_id": mail, "member_id": owner.pk, "invitation_id": invitation.pk, "pk": 0}
    return {
        "": {"public_id": anna.subscription.public_id, **ids, **words, **keys},
        **{f"storefront:{name}": given for name, given in named.items()},
        "admin:billing_ticket_file": {"pk": file.pk},
    }


def _ticket(anna: Person, at: datetime) -> Ticket:
    file = File("log.txt", b"Nothing special.")
    said = Said("Please look at this.", files=(file,))
    return tickets.ask(
        said,
        subject="A question",
        customer=anna.customer,
        user=anna.user,
        email=anna.user.email,
        language="en",
        at=at,
    )


def _declaration(anna: Person) -> uuid.UUID:
    """Cancel without signing in, as anybody may who knows of the contract."""
    said = {"key": str(uuid.uuid4()), "name": "Anna", "email": anna.user.email, "contract": "mine"}
    Client().post(reverse("storefront:cancel_contract"), said)
    return Declaration.objects.get().public_id
