"""Receive what a consumer declares without signing in, confirm it, do what is certain."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from billing import cancellations, emails
from billing.models import Declaration, InvoiceLine, Membership, Subscription, current_brand
from packages.states import record_change

Kind, State = Declaration.Kind, Declaration.State


@dataclass(frozen=True, slots=True)
class Said:
    """What the form asks for, as it was filled in; `wished_on` is a date in the billing zone."""

    kind: Declaration.Kind
    name: str
    email: str
    contract: str
    extraordinary: bool = False
    cause: str = ""
    wished_on: date | None = None


def receive(said: Said, *, key: uuid.UUID, language: str, at: datetime) -> Declaration:
    """Store a declaration and queue its receipt; a repetition of `key` returns the first one.

    An ordinary cancellation is carried out at once when the service is certain and the address is
    one of its customer's; it can be taken back until the service ends. Everything else waits for
    staff, who get a mail. Locks the subscription; speaks no HTTP.
    """
    with transaction.atomic():
        service = _service(said)
        row, is_new = Declaration.objects.get_or_create(
            key=key,
            defaults={
                **{name: getattr(said, name) for name in Said.__dataclass_fields__},
                "language": language,
                "received_at": at,
                "subscription": service,
            },
        )
        if is_new:
            record_change(row, before="", at=at, actor="visitor", reason="received")
            ends_on = _cancelled(row, at=at) if service else None
            _confirm(row, ends_on, at=at)
    return row


def carry_out(row: Declaration, *, proof: str, at: datetime, actor: str) -> None:
    """Note that staff did what was declared; repeated it raises packages.states.IllegalMove."""
    _answer(row, State.DONE, reason=proof, at=at, actor=actor)


def refuse(row: Declaration, *, reason: str, at: datetime, actor: str) -> None:
    """Note why nothing is done; what the declarer is told is written by staff themselves."""
    _answer(row, State.REFUSED, reason=reason, at=at, actor=actor)


def _answer(
    row: Declaration, state: Declaration.State, *, reason: str, at: datetime, actor: str
) -> None:
    with transaction.atomic():
        held = Declaration.objects.select_for_update().get(pk=row.pk)
        held.move(state, at=at, actor=actor, reason=reason)


def _service(said: Said) -> Subscription | None:
    """Return the one living service that is named, else the only one, of that address's customers.

    The address is the key to it, so a stranger's services can neither be found nor ended.
    """
    members = Membership.objects.filter(Membership.MAY_PAY, user__email__iexact=said.email)
    theirs = Q(customer__email__iexact=said.email) | Q(customer__memberships__in=members)
    rows = Subscription.objects.filter(theirs, state__in=Subscription.LIVING).distinct()
    found = list(rows.select_related("account", "package", "customer"))
    named = [each for each in found if _is_named(each, said.contract)]
    candidates = named or found
    return candidates[0] if len(candidates) == 1 else None


def _is_named(service: Subscription, text: str) -> bool:
    """Say whether the text holds the account's name or one of the service's document numbers."""
    words = {word.strip(".,;:()").lower() for word in text.split()}
    names = {service.account.username.lower()} if service.account else set()
    lines = InvoiceLine.objects.filter(subscription=service)
    numbers = lines.values_list("invoice__number", flat=True)
    orders = service.order_lines.values_list("order_id", flat=True)
    names |= {number.lower() for number in numbers if number}
    return bool(words & (names | {f"#{pk}" for pk in orders}))


def _cancelled(row: Declaration, *, at: datetime) -> date | None:
    """Cancel the service to the end of its paid time if that is what was declared; say its end."""
    service = row.subscription
    assert service is not None
    if row.kind != Kind.CANCELLATION or row.extraordinary or not service.recurs:
        return None
    # A later day than the next possible one is not for a machine to judge.
    if row.wished_on and service.paid_until and row.wished_on > service.paid_until:
        return None
    actor = f"declaration:{row.pk}"
    try:
        with transaction.atomic():
            ended = cancellations.cancel(service, at=at, actor=actor)
    except cancellations.NotCancellable:
        return None
    row.move(State.DONE, at=at, actor=actor, reason=f"ends on {ended.ends_on}")
    return ended.ends_on


def _confirm(row: Declaration, ends_on: date | None, *, at: datetime) -> None:
    """Mail the receipt that the law asks for, with content and time, and staff what waits."""
    words = {"declaration": row, "ends_on": ends_on}
    _queue("declaration_received", row, row.email, words, language=row.language, at=at)
    if row.state == State.RECEIVED:
        link = emails.link("admin:billing_declaration_change", row.pk)
        staff, language = current_brand().support_email, settings.LANGUAGE_CODE
        more = {"declaration": row, "button_url": link}
        _queue("declaration_waits", row, staff, more, language=language, at=at)


def _queue(
    template: str,
    row: Declaration,
    recipient: str,
    words: dict[str, Any],
    *,
    language: str,
    at: datetime,
) -> None:
    cause = f"declaration-{row.pk}"
    emails.queue(template, cause, recipient, words, language=language, at=at)
