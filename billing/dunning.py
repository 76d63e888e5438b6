"""What happens when a renewal is not paid: one timetable, one reader, each step once.

Invoices of orders are not dunned: nothing was given for them yet.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from billing import (
    dunning_emails,
    rests,
    service_emails,
    subscriptions,
    timetables,
    verdicts,
)
from billing.locks import Held, take_for_invoice
from billing.models import Invoice, InvoiceLine, Mail, Notice, Subscription, Timetable
from billing.timetables import Step
from billing.verdicts import Verdict
from packages.money import Money
from packages.sweeping import Quarantine, contained

CHUNK = 500
ACTOR = "system:dunning"


@dataclass(frozen=True, slots=True)
class Planned:
    """An invoice that was judged: the step to take today, or None and when to look again."""

    invoice_id: int
    step: Step | None
    look_on: date | None


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


def plan(on: date, *, at: datetime) -> list[Planned]:
    """Judge every open renewal whose day to be looked at has come; reads only.

    One step per invoice and day at most; what waits says when it is looked at again, so that a run
    reads in proportion to what may be due and not to what is open.
    """
    return [
        Planned(each.case.invoice.pk, each.step if each.due else None, each.look_on)
        for chunk in _to_look_at(on)
        for each in verdicts.of(chunk, on=on, at=at)
    ]


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
        if each.step is not None:
            with contained(quarantine, f"invoice {each.invoice_id}, {each.step.code.value}"):
                taken.append(_take(each, on=on, at=at))
    with contained(quarantine, "invoices to look at later"):
        _look_later([each for each in planned if each.step is None])
    return [each for each in taken if each is not None]


def _to_look_at(on: date) -> Iterator[list[Invoice]]:
    """Yield the open invoices whose day has come, in chunks by day and id; a partial index."""
    rows, last = due(on).order_by("next_step_on", "id").select_related("customer"), Q()
    while chunk := list(rows.filter(last)[:CHUNK]):
        yield chunk
        if len(chunk) < CHUNK:
            return
        day, row_id = chunk[-1].next_step_on, chunk[-1].pk
        last = Q(next_step_on__gt=day) | Q(next_step_on=day, id__gt=row_id)


def due(on: date) -> QuerySet[Invoice]:
    """Return the open invoices whose day to be looked at has come."""
    return Invoice.objects.filter(state=Invoice.State.OPEN, next_step_on__lte=on)


def _look_later(planned: Sequence[Planned]) -> None:
    """Write when each is to be looked at again; a statement for every 500."""
    for start in range(0, len(planned), CHUNK):
        chunk = planned[start : start + CHUNK]
        columns = [each.invoice_id for each in chunk], [each.look_on for each in chunk]
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {Invoice._meta.db_table} i SET next_step_on = new.day "
                "FROM unnest(%s::bigint[], %s::date[]) AS new (id, day) "
                "WHERE i.id = new.id AND i.state = 'open'",
                columns,
            )


def _take(planned: Planned, *, on: date, at: datetime) -> Taken | None:
    """Take the step if it is still the one to take, with the locks of all that it concerns."""
    with transaction.atomic():
        held = take_for_invoice(Invoice.objects.get(pk=planned.invoice_id))
        invoice = held.invoices[planned.invoice_id]
        (verdict,) = verdicts.of([invoice], on=on, at=at)
        if not verdict.due or verdict.step is None or verdict.step != planned.step:
            return None
        notice = _record(Deed(invoice, held, verdict, verdict.step, on, at))
        invoice.next_step_on = verdicts.after(verdict, notice, on=on)
        invoice.save(update_fields=["next_step_on"])
    return Taken(verdict.step.code, str(invoice.number), str(invoice.customer), invoice.due)


def _record(deed: "Deed") -> Notice:
    """Do what the step says, and keep the evidence of it."""
    mail = DEEDS[deed.step.code](deed)
    return Notice.objects.create(
        invoice=deed.invoice,
        step=deed.step.code,
        on=deed.on,
        mail=mail,
        at=deed.at,
        due_minor=deed.invoice.due.minor,
        timetable=deed.timetable if deed.timetable.pk else None,
        days=deed.step.days,
    )


@dataclass(frozen=True, slots=True)
class Deed:
    """A step on its day with all it needs: the invoice and its locks, and the rule it follows."""

    invoice: Invoice
    held: Held
    verdict: Verdict
    step: Step
    on: date
    at: datetime

    @property
    def timetable(self) -> Timetable:
        return self.verdict.case.timetable

    @property
    def why(self) -> str:
        return f"invoice {self.invoice.number} not paid, due on {self.invoice.due_on}"

    def running(self) -> list[Subscription]:
        """Return the services that the invoice renews, by id; not those it was credited for."""
        renewals = self.invoice.lines.filter(kind=InvoiceLine.Kind.RECURRING)
        wanted = set(rests.kept(renewals).values_list("subscription_id", flat=True))
        return [each for key, each in self.held.subscriptions.items() if key in wanted]

    def cause(self, subscription: Subscription) -> str:
        """Return why there are jobs and a mail about the service; once per invoice and service."""
        return f"invoice-{self.invoice.pk}:{self.step.code.value}:{subscription.pk}"

    def day_of(self, code: Notice.Step) -> date | None:
        """Return the earliest day of a later step; None when that is off."""
        return timetables.earliest(self.timetable, self.step, code, on=self.on)


def _remind(deed: Deed) -> Mail:
    return dunning_emails.reminder(deed.invoice, at=deed.at)


def _notify(deed: Deed) -> Mail:
    return dunning_emails.overdue_first(deed.invoice, at=deed.at)


def _announce(deed: Deed) -> Mail:
    day = deed.day_of(Notice.Step.SUSPENDED)
    floor = deed.verdict.case.floor
    return dunning_emails.overdue_second(deed.invoice, suspended_on=day, floor=floor, at=deed.at)


def _suspend(deed: Deed) -> Mail:
    for subscription in deed.running():
        if subscription.state == Subscription.State.ACTIVE:
            cause = deed.cause(subscription)
            subscriptions.suspend(
                subscription, cause=cause, reason=deed.why, at=deed.at, actor=ACTOR
            )
    return dunning_emails.suspended(
        deed.invoice, ended_on=deed.day_of(Notice.Step.ENDED), at=deed.at
    )


def _warn(deed: Deed) -> Mail:
    day = deed.day_of(Notice.Step.ENDED)
    return dunning_emails.revocation_warning(deed.invoice, ended_on=day, at=deed.at)


def _end(deed: Deed) -> Mail:
    """End every service of the invoice that has not ended; the first one's mail is the proof."""
    mails = []
    for subscription in deed.running():
        if subscription.state in Subscription.LIVING:
            cause = deed.cause(subscription)
            subscriptions.end(subscription, cause=cause, reason=deed.why, at=deed.at, actor=ACTOR)
            deleted_on = deed.on + subscriptions.KEPT_FOR
            number = str(deed.invoice.number)
            mails.append(
                service_emails.ended(
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
