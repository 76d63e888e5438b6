"""Viewing: staff see the shop as a customer does. Each one leaves who looked, when and why."""

from datetime import datetime

from billing.models import Customer, User
from packages.states import record

BEGUN, ENDED = "viewing", "view_ended"


class NobodySees(Exception):
    """No user's client area shows this customer, so there is nothing to be seen."""


def eyes_of(customer: Customer) -> User:
    """Return a user whose client area shows this customer, an owner first; raise NobodySees."""
    seeing = customer.memberships.filter(user__is_active=True, user__is_staff=False)
    # "owner" is behind "colleague" in the alphabet.
    membership = seeing.select_related("user").order_by("-role", "id").first()
    if membership is None:
        raise NobodySees
    return membership.user


def begin(customer: Customer, *, reason: str, at: datetime, actor: str) -> None:
    """Keep that a member of staff begins to look; raise NobodySees, and then nothing is kept."""
    eyes_of(customer)
    _keep(customer, "", BEGUN, reason=reason, at=at, actor=actor)


def end(customer: Customer, *, at: datetime, actor: str) -> None:
    """Keep that they have left."""
    _keep(customer, BEGUN, ENDED, reason="left", at=at, actor=actor)


def _keep(
    customer: Customer, before: str, after: str, *, reason: str, at: datetime, actor: str
) -> None:
    record("customer", customer.pk, before, after, at=at, actor=actor, reason=reason)
