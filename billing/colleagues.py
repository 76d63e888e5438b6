"""Who acts for a customer: invited by mail, given rights, and taken out again; one owner stays.

Nobody gives a right that they do not have themselves, and only owners decide about owners.
"""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction

from billing import colleague_emails
from billing.models import Customer, Invitation, Membership, User
from packages.states import StateChange, record, record_change

Right, Role, State = Membership.Right, Membership.Role, Invitation.State
VALID_FOR = timedelta(days=7)
# The history of who acts for a customer; its rows are the customer's, for a membership may go.
SUBJECT = "colleagues"


class NotAllowed(Exception):
    """The rights of whoever asked do not reach so far."""


class LastOwner(Exception):
    """A customer without an owner could never be managed again."""


class Gone(Exception):
    """The link was used, withdrawn, has expired or never existed; nothing tells which."""


class OtherAddress(Exception):
    """The invitation is for somebody else's address."""


def invite(
    by: Membership, email: str, rights: Collection[Membership.Right], *, at: datetime
) -> Invitation:
    """Invite somebody by mail to act for the customer; an open invitation to them is replaced.

    Raises NotAllowed for a right that the inviter lacks. Locks the customer. Speaks no HTTP.
    """
    _demand(by, rights)
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        customer = _held(by.customer)
        open_ones = customer.invitations.filter(email__iexact=email, state=State.SENT)
        for earlier in open_ones:
            earlier.move(State.WITHDRAWN, at=at, actor=_actor(by.user), reason="invited again")
        invitation = Invitation.objects.create(
            customer=customer,
            email=email,
            rights=sorted(set(rights) - {Right.SEE}),
            invited_by=by.user,
            token_digest=_digest(token),
            sent_at=at,
            expires_at=at + VALID_FOR,
        )
        actor = _actor(by.user)
        record_change(invitation, before="", at=at, actor=actor, reason="invited")
        colleague_emails.colleague_invited(invitation, token, by=by.user, at=at)
    return invitation


def withdraw(invitation: Invitation, *, at: datetime, actor: str) -> None:
    """Make the link of an open invitation useless. Locks the customer."""
    with transaction.atomic():
        _held(invitation.customer)
        invitation.refresh_from_db()
        if invitation.state == State.SENT:
            invitation.move(State.WITHDRAWN, at=at, actor=actor, reason="withdrawn")


def find(token: str, *, at: datetime) -> Invitation:
    """Return the open invitation that the link belongs to; raise Gone."""
    rows = Invitation.objects.select_related("customer", "invited_by")
    found = rows.filter(token_digest=_digest(token), state=State.SENT, expires_at__gt=at).first()
    if found is None:
        raise Gone
    return found


def accept(token: str, user: User, *, at: datetime) -> Membership:
    """Let the user act for the customer that invited their address; once.

    Raises Gone and OtherAddress. Locks the customer. Who acts for it already keeps what they may.
    """
    with transaction.atomic():
        _held(find(token, at=at).customer)
        invitation = find(token, at=at)
        if invitation.email.lower() != user.email.lower():
            raise OtherAddress
        given = {f"may_{right}": True for right in invitation.rights}
        membership, is_new = Membership.objects.get_or_create(
            user=user,
            customer=invitation.customer,
            defaults={"role": Role.COLLEAGUE, **given},
        )
        invitation.move(State.ACCEPTED, at=at, actor=_actor(user), reason="accepted")
        if is_new:
            _note(membership, "", _code(membership), at=at, actor=_actor(user))
    return membership


def change(
    membership: Membership,
    rights: Collection[Membership.Right],
    *,
    owner: bool,
    by: Membership,
    at: datetime,
) -> None:
    """Give a colleague these rights and no others, or make them an owner.

    Raises NotAllowed, and LastOwner when no owner would be left. Locks the customer.
    """
    with transaction.atomic():
        _held(by.customer)
        membership = Membership.objects.get(pk=membership.pk, customer=by.customer)
        before = _code(membership)
        if by.pk == membership.pk or owner or membership.role == Role.OWNER:
            _demand_owner(by)
        _demand(by, set(rights) ^ set(membership.rights) if not owner else ())
        membership.role = Role.OWNER if owner else Role.COLLEAGUE
        for right in (Right.PAY, Right.ASK, Right.MANAGE):
            setattr(membership, f"may_{right}", right in rights)
        membership.save(update_fields=["role", "may_pay", "may_ask", "may_manage"])
        _keep_owner(membership.customer)
        _note(membership, before, _code(membership), at=at, actor=_actor(by.user))


def remove(membership: Membership, *, by: Membership, at: datetime) -> None:
    """Take a user out of a customer; they may do so themselves, unless they are the last owner.

    Raises NotAllowed and LastOwner. Locks the customer.
    """
    with transaction.atomic():
        _held(by.customer)
        membership = Membership.objects.get(pk=membership.pk, customer=by.customer)
        if by.pk != membership.pk:
            _demand(by, membership.rights)
            if membership.role == Role.OWNER:
                _demand_owner(by)
        before = _code(membership)
        _note(membership, before, "left", at=at, actor=_actor(by.user))
        membership.delete()
        _keep_owner(by.customer)


def history(customer: Customer) -> list[StateChange]:
    """Return who was let in, changed and taken out, the latest first."""
    rows = StateChange.objects.filter(subject=SUBJECT, subject_id=customer.pk)
    return list(rows.order_by("-id")[:30])


def _held(customer: Customer) -> Customer:
    """Lock the customer: two owners who leave at once must not both go."""
    return Customer.objects.select_for_update().get(pk=customer.pk)


def _keep_owner(customer: Customer) -> None:
    if not customer.memberships.filter(role=Role.OWNER).exists():
        raise LastOwner


def _demand(by: Membership, rights: Collection[Membership.Right]) -> None:
    if Right.MANAGE not in by.rights or not set(rights) <= by.rights:
        raise NotAllowed


def _demand_owner(by: Membership) -> None:
    if by.role != Role.OWNER:
        raise NotAllowed


def _code(membership: Membership) -> str:
    """Return the rights as the history keeps them."""
    if membership.role == Role.OWNER:
        return "owner"
    return "+".join(right for right in Right if right in membership.rights)


def _note(membership: Membership, before: str, after: str, *, at: datetime, actor: str) -> None:
    record(
        SUBJECT,
        membership.customer.pk,
        before,
        after,
        at=at,
        actor=actor,
        reason=membership.user.email,
    )


def _actor(user: User) -> str:
    return f"user:{user.pk}"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
