"""Which dunning timetable holds for an invoice, and its steps in their order.

The customer's own comes first, then the package's, then the default. An invoice over several
packages with different timetables follows the one that suspends last. It is looked up whenever a
step is judged, so a change of a timetable holds at once, also for what is already open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import QuerySet

from billing.models import Invoice, InvoiceLine, Notice, PackageTimetable, Timetable
from packages.sweeping import rows_written_once

NEVER = 10**6
SEVERE = (Notice.Step.SUSPENDED, Notice.Step.ENDED)
# What each severe step is announced by; between the two lie the timetable's days of notice.
ANNOUNCED_BY = {
    Notice.Step.SUSPENDED: Notice.Step.SECOND,
    Notice.Step.ENDED: Notice.Step.WARNING,
}
ORDER = {code: place for place, code in enumerate(Notice.Step)}


@dataclass(frozen=True, slots=True)
class Step:
    """What is done so many days after the due date. A severe one takes the service away."""

    code: Notice.Step
    days: int

    @property
    def severe(self) -> bool:
        return self.code in SEVERE


def steps_of(timetable: Timetable) -> tuple[Step, ...]:
    """Return the steps that are not off, in their order."""
    days = {code: getattr(timetable, code.value) for code in Notice.Step}
    if timetable.reminder is not None:
        days[Notice.Step.REMINDER] = -timetable.reminder
    return tuple(Step(code, each) for code, each in days.items() if each is not None)


def default() -> Timetable:
    """Return the default timetable; without a row it is that of the columns' defaults."""
    return Timetable.objects.filter(is_default=True).first() or Timetable(name="default")


def of(invoices: Sequence[Invoice]) -> dict[int, Timetable]:
    """Return the timetable that holds for each invoice today, by its id; four queries at most."""
    rows = {row.pk: row for row in _all()}
    usual = next((row for row in rows.values() if row.is_default), None) or default()
    customers = {each.pk: each.customer.timetable_id for each in invoices}
    others = rows.keys() - {usual.pk}
    asked = [each.pk for each in invoices if not customers[each.pk]] if others else []
    packages = _of_packages(asked) if asked else {}
    found = {}
    for each in invoices:
        own = rows.get(customers[each.pk] or 0)
        theirs = [rows.get(row_id or 0, usual) for row_id in packages.get(each.pk, ())]
        found[each.pk] = own or max(theirs, key=_patience, default=usual)
    return found


@rows_written_once
def _all() -> QuerySet[Timetable]:
    return Timetable.objects.all()


def pause(timetable: Timetable, last: Step, step: Step) -> timedelta:
    """Return how long after a step that was taken the next one comes, at least a day.

    What the step before is called today counts, if the timetable still has it.
    """
    days = {each.code: each.days for each in steps_of(timetable)}
    since = step.days - days.get(last.code, last.days)
    announced = ANNOUNCED_BY.get(step.code) == last.code
    return timedelta(days=max(1, since, timetable.notice_days if announced else 0))


def earliest(timetable: Timetable, taken: Step, code: Notice.Step, *, on: date) -> date | None:
    """Return the first day on which a later step may come, after one was taken on that day."""
    last = taken
    for step in steps_of(timetable):
        if ORDER[step.code] > ORDER[last.code]:
            on, last = on + pause(timetable, last, step), step
        if step.code == code:
            return on
    return None


def _of_packages(invoices: Sequence[int]) -> dict[int, list[int | None]]:
    """Return the timetables of the packages on these invoices; None where a package has none."""
    lines = InvoiceLine.objects.filter(invoice__in=invoices, subscription__isnull=False)
    pairs = lines.order_by("pk").values_list("invoice_id", "subscription__package_id").distinct()
    own = {each.package_id: each.timetable_id for each in _all_of_packages()}
    found: dict[int, list[int | None]] = {}
    for invoice_id, package_id in pairs if own else ():
        found.setdefault(invoice_id, []).append(own.get(package_id))
    return found


@rows_written_once
def _all_of_packages() -> QuerySet[PackageTimetable]:
    return PackageTimetable.objects.all()


def _patience(timetable: Timetable) -> int:
    return NEVER if timetable.suspended is None else timetable.suspended
