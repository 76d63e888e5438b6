"""What a signed-in user may reach: rows of the customers they act for, and nothing else.

Every page about an order, invoice, payment or subscription fetches it here. A stranger's row and
one that does not exist look the same: 404.
"""

import uuid
from collections.abc import Sequence

from allauth.account.models import EmailAddress
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from billing.models import (
    Customer,
    Invoice,
    Mail,
    Order,
    Payment,
    PaymentMethod,
    Subscription,
    Ticket,
    TicketFile,
    User,
)


def user_of(request: HttpRequest) -> User:
    """Return the signed-in user; raise Http404 for a visitor (views ask for a sign-in before)."""
    if not isinstance(request.user, User):
        raise Http404
    return request.user


def customer_of(user: User) -> Customer | None:
    """Return the customer the user buys for, None before the first checkout."""
    return Customer.objects.filter(users=user).order_by("id").first()


def owned_order(request: HttpRequest, public_id: uuid.UUID) -> Order:
    orders = Order.objects.select_related("customer", "invoice__customer")
    return get_object_or_404(orders, public_id=public_id, customer__users=user_of(request))


def owned_invoice(request: HttpRequest, public_id: uuid.UUID) -> Invoice:
    """Return an issued invoice; drafts are nobody's yet."""
    invoices = Invoice.objects.exclude(state=Invoice.State.DRAFT).select_related(
        "customer", "order", "corrects"
    )
    return get_object_or_404(invoices, public_id=public_id, customer__users=user_of(request))


def owned_invoices(request: HttpRequest, public_ids: Sequence[str]) -> list[Invoice]:
    """Return the open invoices with these ids, the oldest first; a stranger's is left out."""
    ids = []
    for each in public_ids:
        try:
            ids.append(uuid.UUID(each))
        except ValueError:
            raise Http404 from None
    rows = Invoice.objects.filter(
        public_id__in=ids, customer__users=user_of(request), state=Invoice.State.OPEN
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
    return get_object_or_404(methods, public_id=public_id, customer__users=user_of(request))


def owned_payment(request: HttpRequest, public_id: uuid.UUID) -> Payment:
    payments = Payment.objects.select_related("invoice__order", "customer")
    return get_object_or_404(payments, public_id=public_id, customer__users=user_of(request))


def owned_subscription(request: HttpRequest, public_id: uuid.UUID) -> Subscription:
    subscriptions = Subscription.objects.select_related(
        "customer", "package__tariff", "account__server"
    )
    return get_object_or_404(subscriptions, public_id=public_id, customer__users=user_of(request))


def owned_tickets(request: HttpRequest) -> QuerySet[Ticket]:
    return Ticket.objects.filter(customer__users=user_of(request))


def owned_ticket(request: HttpRequest, public_id: uuid.UUID) -> Ticket:
    return get_object_or_404(owned_tickets(request), public_id=public_id)


def owned_ticket_file(request: HttpRequest, public_id: uuid.UUID) -> TicketFile:
    files = TicketFile.objects.filter(message__ticket__in=owned_tickets(request))
    return get_object_or_404(files, public_id=public_id)
