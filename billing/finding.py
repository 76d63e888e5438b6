"""Find a customer by anything: name, address, VAT id, or an id of what is theirs."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.utils.functional import Promise

from billing.models import Customer, Invoice, Membership, Order, Payment, Subscription
from packages.desk.cells import amount, row_url, state
from provisioning.models import Account

MOST = 20
# Fewer digits than that are in too many numbers.
FEWEST_DIGITS = 4
NO_DIGIT = re.compile(r"\D")
NUMBER = re.compile(r"[+\d][\d\s()/.-]*")
NOBODYS = uuid.UUID(int=0)


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that was found, and whose it is."""

    kind: str | Promise
    row: Model
    customer: Customer | None

    @property
    def url(self) -> str:
        return row_url(self.row)

    @property
    def state(self) -> str:
        """Return the row's state as icon and word; nothing for what has none."""
        return state(self.row) if hasattr(self.row, "state") else ""

    @property
    def amount(self) -> str:
        """Return what an invoice or a payment is about."""
        if isinstance(self.row, Invoice):
            return amount(self.row.total)
        return amount(self.row.amount) if isinstance(self.row, Payment) else ""


def find(text: str) -> list[Hit]:
    """Return up to 20 rows of each kind that the text names, exact ids first; a query for each."""
    text = text.strip()
    if not text:
        return []
    return [hit for rows in _found(text) for hit in _hits(rows)]


def _found(text: str) -> Iterator[QuerySet[Any]]:
    """An id of ours names one row; otherwise names and addresses may hold the text anywhere."""
    known, number = _uuid(text), int(text[1:]) if text[:1] == "#" and text[1:].isdecimal() else None
    yield Customer.objects.filter(
        Q(name__icontains=text)
        | Q(company__icontains=text)
        | Q(email__icontains=text)
        | Q(vat_id__iexact=text.replace(" ", ""))
        | _called(text)
        | Q(pk__in=Membership.objects.filter(user__email__icontains=text).values("customer"))
    )
    yield Invoice.objects.filter(number__icontains=text).select_related("customer")
    yield Account.objects.filter(
        Q(username__icontains=text) | Q(remote_id=text) | Q(public_id=known)
    ).select_related("subscription__customer")
    yield Subscription.objects.filter(public_id=known).select_related("customer", "package")
    yield Payment.objects.filter(
        Q(external_id__iexact=text) | Q(public_id=known) | Q(key=known)
    ).select_related("customer")
    yield Order.objects.filter(Q(public_id=known) | Q(pk=number)).select_related("customer")


def _called(text: str) -> Q:
    """Find a telephone number by its digits alone, however it and the text are spaced out."""
    digits = NO_DIGIT.sub("", text)
    if len(digits) < FEWEST_DIGITS or not NUMBER.fullmatch(text):
        return Q(phone__icontains=text)
    return Q(phone__regex=r"[^0-9]*".join(digits.removeprefix("00").removeprefix("0")))


def _hits(rows: QuerySet[Any]) -> Iterator[Hit]:
    kind = rows.model._meta.verbose_name or ""
    for row in rows[:MOST]:
        owner = row if isinstance(row, Customer) else getattr(row, "customer", None)
        if isinstance(row, Account):
            subscription: Subscription | None = getattr(row, "subscription", None)
            owner = subscription.customer if subscription else None
        yield Hit(kind, row, owner)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        return NOBODYS
