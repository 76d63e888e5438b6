"""The invoices that one payment pays: locked together, due together, given up together."""

from collections.abc import Iterable, Sequence
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


def paid_by(payments: Sequence[Payment], held: Held) -> list[list[Invoice]]:
    """Return what each of these payments pays, its own invoice first, all of them locked."""
    parts = PaymentPart.objects.filter(payment__in=payments).order_by("id")
    others: dict[int, list[int]] = {}
    for payment_id, invoice_id in parts.values_list("payment_id", "invoice_id"):
        others.setdefault(payment_id, []).append(invoice_id)
    return [
        [held.invoices[pk] for pk in (each.invoice_id, *others.get(each.pk, ()))]
        for each in payments
    ]


def being_paid(invoices: Iterable[Invoice]) -> set[int]:
    """Return the ids of those of these invoices for which a payment is open; two queries."""
    asked = [each.pk for each in invoices]
    own = Payment.objects.filter(invoice__in=asked, state__in=Payment.OPEN)
    parts = PaymentPart.objects.filter(invoice__in=asked, payment__state__in=Payment.OPEN)
    return {
        *own.order_by().values_list("invoice_id", flat=True),
        *parts.values_list("invoice_id", flat=True),
    }


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
