"""What happens when a renewal is not paid: one timetable, one reader, each step once.

Invoices of orders are not dunned: nothing was given for them yet.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from billing import emails, subscriptions
from billing.locks import Held, take_for_invoice
from billing.models import Invoice, InvoiceLine, Mail, Notice, Payment, Subscription
from packages.money import Money

log = structlog.get_logger()

CHUNK = 500
TO_READ_IT = timedelta(days=3)
ACTOR = "system:dunning"


@dataclass(frozen=True, slots=True)
class Step:
    """What is done so many days after the due date. A severe one takes the service away."""

    code: Notice.Step
    days: int
    severe: bool = False


TIMETABLE = (
    Step(Notice.Step.REMINDER, -3),
    Step(Notice.Step.FIRST, 1),
    Step(Notice.Step.SECOND, 7),
    Step(Notice.Step.SUSPENDED, 10, severe=True),
    Step(Notice.Step.WARNING, 24),
    Step(Notice.Step.ENDED, 30, severe=True),
)
DAYS = {step.code: step.days for step in TIMETABLE}


@dataclass(frozen=True, slots=True)
class Planned:
    """A step that an invoice's day has come for."""

    invoice_id: int
    step: Step


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken, as a run's report shows it."""

    code: Notice.Step
    number: str
    customer: str
    due: Money


def plan(on: date) -> list[Planned]:
    """Return every step that is to be taken on that day; reads only.

    One per invoice at most, and none on a day that has one. After an outage nobody gets less time:
    between two steps lie at least as many days as in the timetable, and a reminder lapses when the
    due date has passed.
    """
    return [
        Planned(invoice.pk, step)
        for chunk in _unpaid(on)
        for invoice in chunk
        if (step := _next_step(invoice, list(invoice.notices.all()), on))
    ]


def run(on: date, planned: Sequence[Planned], *, at: datetime) -> list[Taken]:
    """Take the planned steps, each in a transaction of its own; return those that were taken.

    What is no longer so (paid meanwhile, or taken by another runner) is left out.
    """
    taken = [_take(each, on=on, at=at) for each in planned]
    return [each for each in taken if each is not None]


def _unpaid(on: date) -> Iterator[list[Invoice]]:
    """Yield the open renewals whose first step may have come, in chunks by due date and id."""
    invoices = _in_question().filter(due_on__lte=on - timedelta(days=TIMETABLE[0].days))
    rows, last = invoices.order_by("due_on", "id").prefetch_related("notices"), Q()
    while chunk := list(rows.filter(last)[:CHUNK]):
        yield chunk
        due_on, row_id = chunk[-1].due_on, chunk[-1].pk
        last = Q(due_on__gt=due_on) | Q(due_on=due_on, id__gt=row_id)


def _in_question() -> QuerySet[Invoice]:
    """Open renewals of services that have not ended, with no payment being confirmed."""
    living = Q(subscription__ends_on__isnull=True) | Q(
        subscription__ends_on__gt=F("period_start_on")
    )
    renewals = InvoiceLine.objects.filter(
        living,
        invoice=OuterRef("pk"),
        period_start_on__isnull=False,
        subscription__state__in=(Subscription.State.ACTIVE, Subscription.State.SUSPENDED),
    )
    confirming = Payment.objects.filter(invoice=OuterRef("pk"), state=Payment.State.PROCESSING)
    return Invoice.objects.filter(Exists(renewals), ~Exists(confirming), state=Invoice.State.OPEN)


def _next_step(invoice: Invoice, notices: Sequence[Notice], on: date) -> Step | None:
    assert invoice.due_on is not None, "An issued invoice is due some day."
    assert invoice.issued_on is not None, "An open invoice was issued some day."
    last = max(notices, key=lambda each: DAYS[Notice.Step(each.step)], default=None)
    if invoice.issued_on >= on or (last is not None and last.on >= on):
        return None
    for step in TIMETABLE:
        if last is not None and step.days <= DAYS[Notice.Step(last.step)]:
            continue
        if step.days < 0 and on >= invoice.due_on:
            continue
        ready_on = invoice.due_on + timedelta(days=step.days)
        if last is not None:
            pause = timedelta(days=step.days - DAYS[Notice.Step(last.step)])
            ready_on = max(ready_on, last.on + pause)
        return step if ready_on <= on else None
    return None


def _take(planned: Planned, *, on: date, at: datetime) -> Taken | None:
    """Take the step if it is still the one to take, with the locks of all that it concerns."""
    with transaction.atomic():
        held = take_for_invoice(Invoice.objects.get(pk=planned.invoice_id))
        invoice = _in_question().select_related("customer").filter(pk=planned.invoice_id).first()
        if invoice is None:
            return None
        step = _next_step(invoice, list(invoice.notices.all()), on)
        if step != planned.step:
            return None
        if step.severe and not _delivered(invoice, at=at):
            log.warning("dunning.undelivered", invoice=invoice.pk, step=step.code)
            return None
        mail = DEEDS[step.code](invoice, held, on, at)
        Notice.objects.create(invoice=invoice, step=step.code, on=on, mail=mail, at=at)
    return Taken(step.code, str(invoice.number), str(invoice.customer), invoice.due)


def _delivered(invoice: Invoice, *, at: datetime) -> bool:
    """Say whether the mail that carried the invoice has not failed, and some days have passed."""
    carriers = Mail.objects.filter(
        template="invoice_issued", cause=f"invoice-{invoice.pk}", created_at__lt=at - TO_READ_IT
    )
    return carriers.exclude(state=Mail.State.FAILED).exists()


def _remind(invoice: Invoice, held: Held, on: date, at: datetime) -> Mail:
    return emails.reminder(invoice, at=at)


def _notify(invoice: Invoice, held: Held, on: date, at: datetime) -> Mail:
    return emails.overdue_first(invoice, at=at)


def _announce(invoice: Invoice, held: Held, on: date, at: datetime) -> Mail:
    day = _from(Notice.Step.SECOND, Notice.Step.SUSPENDED, on)
    return emails.overdue_second(invoice, suspended_on=day, at=at)


def _suspend(invoice: Invoice, held: Held, on: date, at: datetime) -> Mail:
    for subscription in held.subscriptions.values():
        if subscription.state == Subscription.State.ACTIVE:
            subscriptions.suspend(
                subscription,
                cause=f"invoice-{invoice.pk}:suspend",
                reason=_why(invoice),
                at=at,
                actor=ACTOR,
            )
    day = _from(Notice.Step.SUSPENDED, Notice.Step.ENDED, on)
    return emails.suspended(invoice, ended_on=day, at=at)


def _warn(invoice: Invoice, held: Held, on: date, at: datetime) -> Mail:
    day = _from(Notice.Step.WARNING, Notice.Step.ENDED, on)
    return emails.revocation_warning(invoice, ended_on=day, at=at)


def _end(invoice: Invoice, held: Held, on: date, at: datetime) -> Mail:
    (subscription,) = held.subscriptions.values()
    cause = f"invoice-{invoice.pk}:end"
    subscriptions.end(subscription, cause=cause, reason=_why(invoice), at=at, actor=ACTOR)
    deleted_on = on + subscriptions.KEPT_FOR
    return emails.ended(
        subscription, cause=cause, deleted_on=deleted_on, at=at, unpaid=str(invoice.number)
    )


def _from(step: Notice.Step, to: Notice.Step, on: date) -> date:
    """Return the earliest day of a later step, when this one is taken on that day."""
    return on + timedelta(days=DAYS[to] - DAYS[step])


def _why(invoice: Invoice) -> str:
    return f"invoice {invoice.number} not paid, due on {invoice.due_on}"


DEEDS: dict[Notice.Step, Callable[[Invoice, Held, date, datetime], Mail]] = {
    Notice.Step.REMINDER: _remind,
    Notice.Step.FIRST: _notify,
    Notice.Step.SECOND: _announce,
    Notice.Step.SUSPENDED: _suspend,
    Notice.Step.WARNING: _warn,
    Notice.Step.ENDED: _end,
}
