"""Let dunning rest: because staff say so, or because the gateway reports a dispute.

The days of a pause do not count: what was to come after three days comes three days after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from billing.models import Customer, Invoice, InvoiceLine, Pause, Payment, Subscription
from packages.periods import business_day


@dataclass(frozen=True, slots=True)
class Span:
    """Days without dunning, `[from_on, until_on)`; no end while a dispute is open.

    `contests` says that the invoice itself is in question, so that it is no undisputed debt.
    """

    from_on: date
    until_on: date | None
    reason: str
    contests: bool = False
    dispute: bool = False

    def covers(self, on: date) -> bool:
        return self.from_on <= on and (self.until_on is None or on < self.until_on)


def begin(
    target: Invoice | Subscription | Customer,
    *,
    until_on: date,
    reason: str,
    on: date,
    at: datetime,
    actor: str,
) -> Pause:
    """Let dunning rest for one invoice, one service or one customer from today; needs no lock."""
    field = str(target._meta.model_name)
    return Pause.objects.create(
        **{field: target}, from_on=on, until_on=until_on, reason=reason, actor=actor, at=at
    )


def lift(pause: Pause, *, on: date) -> None:
    """End a pause today; dunning goes on where it stood. One that is over stays as it is."""
    with transaction.atomic():
        Pause.objects.filter(pk=pause.pk, until_on__gt=on).update(until_on=max(on, pause.from_on))
        look_again(_concerned(pause), on=on)


def look_again(invoices: QuerySet[Invoice], *, on: date) -> None:
    """Judge these open invoices anew at the next run: something that held them up has changed."""
    open_ones = invoices.filter(state=Invoice.State.OPEN, order__isnull=True)
    open_ones.update(next_step_on=on)


def any_of(customer: OuterRef) -> Exists | Q:
    """The condition that dunning rests or rested for anything of a customer; `of` says for what."""
    theirs = Q(customer=customer) | Q(invoice__customer=customer)
    theirs |= Q(subscription__customer=customer)
    disputed = Payment.objects.filter(customer=customer, disputed_at__isnull=False)
    return Exists(Pause.objects.filter(theirs)) | Exists(disputed)


def of(invoices: Sequence[Invoice], *, zone: str) -> dict[int, list[Span]]:
    """Return the pauses that concern each invoice, past ones too; three queries at most."""
    ids = [each.pk for each in invoices]
    lines = InvoiceLine.objects.filter(invoice__in=ids, subscription__isnull=False).order_by()
    customers = {each.customer_id for each in invoices}
    wanted = Q(invoice__in=ids) | Q(customer__in=customers)
    wanted |= Q(subscription__in=lines.values("subscription_id"))
    rows = list(Pause.objects.filter(wanted))
    services: dict[int, set[int]] = {}
    if any(row.subscription_id for row in rows):
        for invoice_id, service_id in lines.values_list("invoice_id", "subscription_id"):
            services.setdefault(invoice_id, set()).add(service_id or 0)
    disputed = list(Payment.objects.filter(customer__in=customers, disputed_at__isnull=False))
    return {
        each.pk: [
            Span(row.from_on, row.until_on, row.reason, contests=row.invoice_id == each.pk)
            for row in rows
            if row.invoice_id == each.pk
            or row.customer_id == each.customer_id
            or row.subscription_id in services.get(each.pk, ())
        ]
        + [_dispute(row, zone) for row in disputed if row.customer_id == each.customer_id]
        for each in invoices
    }


def after(start_on: date, days: int, spans: Sequence[Span]) -> date | None:
    """Return the day by which so many days have passed that were not paused; None: no end yet."""
    day = start_on
    for _count in range(max(days, 0)):
        day += timedelta(days=1)
        while any(span.covers(day) for span in spans):
            ends = [span.until_on for span in spans if span.covers(day)]
            if None in ends:
                return None
            day = max(end for end in ends if end is not None)
    return day


def _dispute(payment: Payment, zone: str) -> Span:
    assert payment.disputed_at is not None
    ended = payment.dispute_ended_at
    return Span(
        business_day(payment.disputed_at, zone),
        business_day(ended, zone) + timedelta(days=1) if ended else None,
        str(payment),
        dispute=True,
    )


def _concerned(pause: Pause) -> QuerySet[Invoice]:
    if pause.invoice_id:
        return Invoice.objects.filter(pk=pause.invoice_id)
    if pause.customer_id:
        return Invoice.objects.filter(customer=pause.customer_id)
    lines = InvoiceLine.objects.filter(subscription=pause.subscription_id)
    return Invoice.objects.filter(pk__in=lines.values("invoice_id"))
