"""What happens when a renewal is not paid: one timetable, one reader, each step once.

Invoices of orders are not dunned: nothing was given for them yet.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from billing import emails, subscriptions, timetables
from billing.locks import Held, take_for_invoice
from billing.models import Invoice, InvoiceLine, Mail, Notice, Payment, Subscription, Timetable
from billing.timetables import ORDER, Step, steps_of
from packages.money import Money
from packages.sweeping import Quarantine, contained

log = structlog.get_logger()

CHUNK = 500
LIVING = (Subscription.State.ACTIVE, Subscription.State.SUSPENDED)
TO_READ_IT = timedelta(days=3)
ACTOR = "system:dunning"


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

    @property
    def severe(self) -> bool:
        return self.code in timetables.SEVERE


def plan(on: date) -> list[Planned]:
    """Return every step that is to be taken on that day; reads only.

    One per invoice at most, and none on a day that has one. After an outage nobody gets less time:
    between two steps lie at least as many days as in the timetable, and a reminder lapses when the
    due date has passed.
    """
    planned = []
    for chunk in _unpaid(on):
        ruling = timetables.of(chunk)
        for invoice in chunk:
            step = _next_step(invoice, list(invoice.notices.all()), ruling[invoice.pk], on=on)
            if step is not None:
                planned.append(Planned(invoice.pk, step))
    return planned


def run(
    on: date,
    planned: Sequence[Planned],
    *,
    at: datetime,
    quarantine: Quarantine | None = None,
) -> list[Taken]:
    """Take the planned steps, each in a transaction of its own; return those that were taken.

    What is no longer so (paid meanwhile, or taken by another runner) is left out. One that fails
    is kept in the quarantine; without one it raises.
    """
    taken: list[Taken | None] = []
    for each in planned:
        with contained(quarantine, f"invoice {each.invoice_id}, {each.step.code.value}"):
            taken.append(_take(each, on=on, at=at))
    return [each for each in taken if each is not None]


def _unpaid(on: date) -> Iterator[list[Invoice]]:
    """Yield the open renewals whose first step may have come, in chunks by due date and id."""
    earliest = max(each.reminder or 0 for each in (*Timetable.objects.all(), timetables.default()))
    invoices = _in_question().filter(due_on__lte=on + timedelta(days=earliest))
    rows = invoices.order_by("due_on", "id").select_related("customer")
    rows, last = rows.prefetch_related("notices"), Q()
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
        subscription__state__in=LIVING,
    )
    confirming = Payment.objects.filter(invoice=OuterRef("pk"), state=Payment.State.PROCESSING)
    return Invoice.objects.filter(Exists(renewals), ~Exists(confirming), state=Invoice.State.OPEN)


def _next_step(
    invoice: Invoice, notices: Sequence[Notice], timetable: Timetable, *, on: date
) -> Step | None:
    assert invoice.due_on is not None, "An issued invoice is due some day."
    assert invoice.issued_on is not None, "An open invoice was issued some day."
    last = max(notices, key=lambda each: ORDER[Notice.Step(each.step)], default=None)
    if invoice.issued_on >= on or (last is not None and last.on >= on):
        return None
    for step in steps_of(timetable):
        if last is not None and ORDER[step.code] <= ORDER[Notice.Step(last.step)]:
            continue
        if step.days < 0 and on >= invoice.due_on:
            continue
        ready_on = invoice.due_on + timedelta(days=step.days)
        if last is not None:
            before = Step(Notice.Step(last.step), last.days)
            ready_on = max(ready_on, last.on + timetables.pause(timetable, before, step))
        return step if ready_on <= on else None
    return None


def _take(planned: Planned, *, on: date, at: datetime) -> Taken | None:
    """Take the step if it is still the one to take, with the locks of all that it concerns."""
    with transaction.atomic():
        held = take_for_invoice(Invoice.objects.get(pk=planned.invoice_id))
        invoice = _in_question().select_related("customer").filter(pk=planned.invoice_id).first()
        if invoice is None:
            return None
        timetable = timetables.of([invoice])[invoice.pk]
        step = _next_step(invoice, list(invoice.notices.all()), timetable, on=on)
        if step != planned.step:
            return None
        if step.severe and not _delivered(invoice, at=at):
            log.warning("dunning.undelivered", invoice=invoice.pk, step=step.code)
            return None
        _record(Deed(invoice, held, timetable, step, on, at))
    return Taken(step.code, str(invoice.number), str(invoice.customer), invoice.due)


def _record(deed: "Deed") -> None:
    """Do what the step says, and keep the evidence of it."""
    mail = DEEDS[deed.step.code](deed)
    Notice.objects.create(
        invoice=deed.invoice,
        step=deed.step.code,
        on=deed.on,
        mail=mail,
        at=deed.at,
        due_minor=deed.invoice.due.minor,
        timetable=deed.timetable if deed.timetable.pk else None,
        days=deed.step.days,
    )


def _delivered(invoice: Invoice, *, at: datetime) -> bool:
    """Say whether the mail that carried the invoice has not failed, and some days have passed."""
    carriers = Mail.objects.filter(
        template="invoice_issued", cause=f"invoice-{invoice.pk}", created_at__lt=at - TO_READ_IT
    )
    return carriers.exclude(state=Mail.State.FAILED).exists()


@dataclass(frozen=True, slots=True)
class Deed:
    """A step on its day with all it needs: the invoice and its locks, and the rule it follows."""

    invoice: Invoice
    held: Held
    timetable: Timetable
    step: Step
    on: date
    at: datetime

    @property
    def why(self) -> str:
        return f"invoice {self.invoice.number} not paid, due on {self.invoice.due_on}"

    def running(self) -> list[Subscription]:
        """Return the services that the invoice renews, by id; not those it was credited for."""
        renewals = self.invoice.lines.filter(kind=InvoiceLine.Kind.RECURRING)
        wanted = set(subscriptions.kept(renewals).values_list("subscription_id", flat=True))
        return [each for key, each in self.held.subscriptions.items() if key in wanted]

    def cause(self, subscription: Subscription) -> str:
        """Return why there are jobs and a mail about the service; once per invoice and service."""
        return f"invoice-{self.invoice.pk}:{self.step.code.value}:{subscription.pk}"

    def day_of(self, code: Notice.Step) -> date | None:
        """Return the earliest day of a later step; None when that is off."""
        return timetables.earliest(self.timetable, self.step, code, on=self.on)


def _remind(deed: Deed) -> Mail:
    return emails.reminder(deed.invoice, at=deed.at)


def _notify(deed: Deed) -> Mail:
    return emails.overdue_first(deed.invoice, at=deed.at)


def _announce(deed: Deed) -> Mail:
    day = deed.day_of(Notice.Step.SUSPENDED)
    return emails.overdue_second(deed.invoice, suspended_on=day, at=deed.at)


def _suspend(deed: Deed) -> Mail:
    for subscription in deed.running():
        if subscription.state == Subscription.State.ACTIVE:
            cause = deed.cause(subscription)
            subscriptions.suspend(
                subscription, cause=cause, reason=deed.why, at=deed.at, actor=ACTOR
            )
    return emails.suspended(deed.invoice, ended_on=deed.day_of(Notice.Step.ENDED), at=deed.at)


def _warn(deed: Deed) -> Mail:
    day = deed.day_of(Notice.Step.ENDED)
    return emails.revocation_warning(deed.invoice, ended_on=day, at=deed.at)


def _end(deed: Deed) -> Mail:
    """End every service of the invoice that has not ended; the first one's mail is the proof."""
    mails = []
    for subscription in deed.running():
        if subscription.state in LIVING:
            cause = deed.cause(subscription)
            subscriptions.end(subscription, cause=cause, reason=deed.why, at=deed.at, actor=ACTOR)
            deleted_on = deed.on + subscriptions.KEPT_FOR
            number = str(deed.invoice.number)
            mails.append(
                emails.ended(
                    subscription, cause=cause, deleted_on=deleted_on, at=deed.at, unpaid=number
                )
            )
    return mails[0]


DEEDS: dict[Notice.Step, Callable[[Deed], Mail]] = {
    Notice.Step.REMINDER: _remind,
    Notice.Step.FIRST: _notify,
    Notice.Step.SECOND: _announce,
    Notice.Step.SUSPENDED: _suspend,
    Notice.Step.WARNING: _warn,
    Notice.Step.ENDED: _end,
}
