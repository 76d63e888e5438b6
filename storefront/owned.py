"""What a signed-in user may reach: rows of the customers they act for, and nothing else.

Every page about a customer, or about an order, invoice, payment or subscription of theirs fetches
it here. A stranger's row and one that does not exist look the same: 404. Whoever acts for the
customer, without the right that the page needs (storefront/rights.py), gets 403.
"""

import uuid
from collections.abc import Collection, Sequence
from typing import TypeVar

from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from billing.models import (
    Customer,
    Invoice,
    Mail,
    Membership,
    Order,
    Payment,
    PaymentMethod,
    Subscription,
    Ticket,
    TicketFile,
    User,
)
from storefront import rights
from storefront.viewing import viewing_of

Row = TypeVar("Row", bound=Model)
# In the session: the customer that a user with several chose to act for.
CHOSEN = "customer"


def user_of(request: HttpRequest) -> User:
    """Return the signed-in user; raise Http404 for a visitor (views ask for a sign-in before)."""
    if not isinstance(request.user, User):
        raise Http404
    return request.user


def membership_of(request: HttpRequest) -> Membership | None:
    """Return for which customer the user acts just now, None before the first checkout.

    With several it is the one they chose, else the first; staff chose at the desk whom they see.
    """
    mine = everyone(request)
    viewed = viewing_of(request)
    chosen = viewed.customer.pk if viewed else getattr(request, "session", {}).get(CHOSEN)
    found = next((each for each in mine if each.customer.pk == chosen), None)
    return found or next(iter(mine), None)


def acting_for(request: HttpRequest) -> QuerySet[Membership]:
    """Return all the customers that the user acts for, with what they may do."""
    return user_of(request).memberships.select_related("customer", "user").order_by("customer_id")


def everyone(request: HttpRequest) -> list[Membership]:
    """Return `acting_for` as a list; what only reads asks for it once."""
    kept: list[Membership] | None = getattr(request, "acting_for", None)
    if kept is None or request.method not in ("GET", "HEAD"):
        kept = list(acting_for(request))
        vars(request)["acting_for"] = kept
    return kept


def rights_of(request: HttpRequest) -> Collection[Membership.Right]:
    """Return what the user may do for that customer; all of it before the first checkout."""
    membership = membership_of(request) if request.user.is_authenticated else None
    return membership.rights if membership else list(Membership.Right)


def customer_of(request: HttpRequest) -> Customer | None:
    """Return the customer the user acts for just now, None before the first checkout.

    Raises PermissionDenied where they lack the right that this page needs.
    """
    membership = membership_of(request)
    if membership is None:
        return None
    _demand(request, membership)
    return membership.customer


def own_customer(request: HttpRequest) -> Customer:
    """Return the customer the user acts for just now; raise Http404 before the first checkout."""
    customer = customer_of(request)
    if customer is None:
        raise Http404
    return customer


def owned_order(request: HttpRequest, public_id: uuid.UUID) -> Order:
    orders = Order.objects.select_related("customer", "invoice__customer")
    return _owned(request, orders, public_id)


def owned_invoice(request: HttpRequest, public_id: uuid.UUID) -> Invoice:
    """Return an issued invoice; drafts are nobody's yet."""
    invoices = Invoice.objects.exclude(state=Invoice.State.DRAFT).select_related(
        "customer", "order", "corrects"
    )
    return _owned(request, invoices, public_id)


def owned_invoices(request: HttpRequest, public_ids: Sequence[str]) -> list[Invoice]:
    """Return the open invoices with these ids, the oldest first; a stranger's is left out."""
    ids = []
    for each in public_ids:
        try:
            ids.append(uuid.UUID(each))
        except ValueError:
            raise Http404 from None
    rows = Invoice.objects.filter(
        public_id__in=ids, customer=own_customer(request), state=Invoice.State.OPEN
    )
    return list(rows.select_related("customer", "order").order_by("due_on", "id"))


def owned_mails(request: HttpRequest) -> QuerySet[Mail]:
    """Return the mails to the customers one acts for, and to one's own confirmed addresses.

    Nobody reads what was sent to an address that they merely claim.
    """
    user = user_of(request)
    confirmed = EmailAddress.objects.filter(user=user, verified=True).values("email")
    personal = Q(customer=None, recipient__in=confirmed)
    mine = Q(customer__in=user.customers.all()) | personal
    return Mail.objects.filter(mine).exclude(text="")


def owned_mail(request: HttpRequest, mail_id: int) -> Mail:
    return get_object_or_404(owned_mails(request), pk=mail_id)


def owned_method(request: HttpRequest, public_id: uuid.UUID) -> PaymentMethod:
    methods = PaymentMethod.objects.exclude(state=PaymentMethod.State.REMOVED)
    return _owned(request, methods, public_id)


def owned_payment(request: HttpRequest, public_id: uuid.UUID) -> Payment:
    payments = Payment.objects.select_related("invoice__order", "customer")
    return _owned(request, payments, public_id)


def owned_subscription(request: HttpRequest, public_id: uuid.UUID) -> Subscription:
    subscriptions = Subscription.objects.select_related(
        "customer", "package__tariff", "account__server"
    )
    return _owned(request, subscriptions, public_id)


def owned_tickets(request: HttpRequest) -> QuerySet[Ticket]:
    return Ticket.objects.filter(customer__users=user_of(request))


def owned_ticket(request: HttpRequest, public_id: uuid.UUID) -> Ticket:
    return _owned(request, Ticket.objects.select_related("customer"), public_id)


def owned_ticket_file(request: HttpRequest, public_id: uuid.UUID) -> TicketFile:
    files = TicketFile.objects.filter(message__ticket__in=owned_tickets(request))
    return get_object_or_404(files, public_id=public_id)


def _owned(request: HttpRequest, rows: QuerySet[Row], public_id: uuid.UUID) -> Row:
    """Return the row with this address, if it is one of a customer that the user acts for."""
    row = get_object_or_404(rows, public_id=public_id, customer__users=user_of(request))
    membership = user_of(request).memberships.filter(customer=getattr(row, "customer")).first()  # noqa: B009
    _demand(request, membership)
    return row


def _demand(request: HttpRequest, membership: Membership | None) -> None:
    """Raise PermissionDenied unless the membership grants what this page needs."""
    if membership is None or rights.needed(request) not in membership.rights:
        raise PermissionDenied
