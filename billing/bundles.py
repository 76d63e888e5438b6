"""The invoices that one payment pays: locked together, due together, given up together."""

from collections.abc import Sequence
from datetime import datetime

from billing.locks import Held
from billing.models import Invoice, Payment, PaymentPart, paying
from packages.money import Money, total


class NotPayable(Exception):
    """The invoice is not open, or a payment for it is just being confirmed; `reason` is for
    people.
    """


def locked(asked: Sequence[Invoice], held: Held) -> list[Invoice]:
    """Return the locked invoices as they are now, the first one first.

    Raises NotPayable when they are not one customer's in one currency.
    """
    rows = [held.invoices[each.pk] for each in dict.fromkeys(asked)]
    if len({(each.customer_id, each.currency) for each in rows}) != 1:
        raise NotPayable("not one customer's in one currency")
    return rows


def due(invoices: Sequence[Invoice]) -> Money:
    """Return what is due on these invoices together."""
    return total((each.due for each in invoices), invoices[0].currency)


def add(payment: Payment, invoices: Sequence[Invoice]) -> None:
    """Let a new payment pay all of these invoices; the first one is its own."""
    others = [PaymentPart(payment=payment, invoice=each) for each in invoices[1:]]
    PaymentPart.objects.bulk_create(others)


def clear(invoice: Invoice, *, at: datetime, actor: str) -> None:
    """Give up what was begun for a locked invoice and not finished, so that another may begin.

    Raises NotPayable when nothing is to be paid, or a payment is being confirmed.
    """
    if invoice.state != Invoice.State.OPEN or not invoice.due:
        raise NotPayable("not open")
    begun = Payment.objects.filter(paying(invoice), state__in=Payment.OPEN).distinct()
    for earlier in begun:
        if earlier.state == Payment.State.PROCESSING:
            raise NotPayable("being confirmed")
        # Its page is closed by whoever asks about it next.
        earlier.next_check_at, also = at, ("next_check_at",)
        earlier.move(Payment.State.CANCELLED, at=at, actor=actor, reason="begun anew", also=also)
