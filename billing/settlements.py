"""Settle open invoices without a payment: from the balance on the day they are due, or never."""

from collections.abc import Iterator
from datetime import date, datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from billing import balances, coupons, invoices, ledger, subscriptions
from billing.locks import take_for_invoice
from billing.models import Invoice, LedgerAccount, Order, Payment, paying
from packages.money import Money

CHUNK = 500
ACTOR = "system:balance"


class NotOpen(Exception):
    """Nothing is due on the invoice, or a payment of it is just being confirmed."""


def use_balances(on: date, *, at: datetime) -> list[str]:
    """Let balances pay what is due by that day, the oldest first; return the invoices' numbers.

    An invoice takes what there is when it is issued. This is for money that came later, so that
    nobody is reminded or charged while we hold what they owe. Each in a transaction of its own; a
    repetition changes nothing, and an invoice whose payment is being confirmed waits for that.
    """
    used = []
    for chunk in _chunks(on):
        funded = balances.positive(each.customer_id for each in chunk)
        for each in chunk:
            if (each.customer_id, each.currency) in funded and _use(each, at=at):
                used.append(str(each.number))
    return used


def write_off(invoice: Invoice, *, reason: str, at: datetime, actor: str) -> Money:
    """Give up what is still due on an open invoice, and return how much that was.

    It is not asked for any more; what arrives later goes onto the customer's balance. The order of
    an unpaid first invoice is given up, a running service is not touched. Takes the invoice's
    locks; raises NotOpen, also while a payment of it is being confirmed.
    """
    with transaction.atomic():
        held = take_for_invoice(invoice)
        locked = held.invoices[invoice.pk]
        being = Payment.objects.filter(paying(locked), state=Payment.State.PROCESSING)
        confirming = being.exists()
        if locked.state != Invoice.State.OPEN or confirming:
            raise NotOpen
        rest = locked.due
        ledger.book_write_off(locked, rest, at=at)
        locked.written_off_minor = rest.minor
        also = ("written_off_minor",)
        locked.move(Invoice.State.WRITTEN_OFF, at=at, actor=actor, reason=reason, also=also)
        for subscription in held.subscriptions.values():
            subscriptions.go_on(subscription, at=at, actor=actor)
        order = held.orders.get(locked.order_id or 0)
        if order is not None and order.state == Order.State.PLACED:
            order.move(Order.State.CANCELLED, at=at, actor=actor, reason="invoice written off")
            coupons.release(order, at=at)
            for subscription in held.subscriptions.values():
                subscriptions.give_up(subscription, reason=reason, at=at, actor=actor)
    return rest


def _chunks(on: date) -> Iterator[list[Invoice]]:
    """Yield what is open and due, in chunks by due date and id."""
    rows, last = due(on).order_by("due_on", "id"), Q()
    while chunk := list(rows.filter(last)[:CHUNK]):
        yield chunk
        if len(chunk) < CHUNK:
            return
        due_on, row_id = chunk[-1].due_on, chunk[-1].pk
        last = Q(due_on__gt=due_on) | Q(due_on=due_on, id__gt=row_id)


def due(on: date) -> QuerySet[Invoice]:
    """Return the open invoices that are due, of customers who ever had a balance; not those whose
    payment is being confirmed.
    """
    confirming = Payment.objects.filter(paying(OuterRef("pk")), state=Payment.State.PROCESSING)
    books = LedgerAccount.objects.filter(
        kind=balances.KIND, customer=OuterRef("customer"), currency=OuterRef("currency")
    )
    return Invoice.objects.filter(
        Exists(books), ~Exists(confirming), state=Invoice.State.OPEN, due_on__lte=on
    )


def _use(invoice: Invoice, *, at: datetime) -> bool:
    with transaction.atomic():
        held = take_for_invoice(invoice)
        locked = held.invoices[invoice.pk]
        return bool(invoices.settle_from_balance(locked, held, at=at, actor=ACTOR))
