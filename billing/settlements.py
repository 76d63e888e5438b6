"""Settle open invoices without a payment: from the balance, on the day they are due."""

from collections.abc import Iterator
from datetime import date, datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from billing import balances, invoices
from billing.locks import take_for_invoice
from billing.models import Invoice, Payment

CHUNK = 500
ACTOR = "system:balance"


def use_balances(on: date, *, at: datetime) -> list[str]:
    """Let balances pay what is due by that day, the oldest first; return the invoices' numbers.

    An invoice takes what there is when it is issued. This is for money that came later, so that
    nobody is reminded or charged while we hold what they owe. Each in a transaction of its own; a
    repetition changes nothing, and an invoice whose payment is being confirmed waits for that.
    """
    used = []
    for chunk in _due(on):
        funded = balances.positive(each.customer_id for each in chunk)
        for each in chunk:
            if (each.customer_id, each.currency) in funded and _use(each, at=at):
                used.append(str(each.number))
    return used


def _due(on: date) -> Iterator[list[Invoice]]:
    """Yield what is open and due, in chunks by due date and id."""
    confirming = Payment.objects.filter(invoice=OuterRef("pk"), state=Payment.State.PROCESSING)
    rows = Invoice.objects.filter(~Exists(confirming), state=Invoice.State.OPEN, due_on__lte=on)
    rows, last = rows.order_by("due_on", "id"), Q()
    while chunk := list(rows.filter(last)[:CHUNK]):
        yield chunk
        due_on, row_id = chunk[-1].due_on, chunk[-1].pk
        last = Q(due_on__gt=due_on) | Q(due_on=due_on, id__gt=row_id)


def _use(invoice: Invoice, *, at: datetime) -> bool:
    with transaction.atomic():
        held = take_for_invoice(invoice)
        locked = held.invoices[invoice.pk]
        return bool(invoices.settle_from_balance(locked, held, at=at, actor=ACTOR))
