"""What is to be done today about an unpaid invoice, and if nothing: why, and when it goes on.

The plan of a run, the staff's panel and the customer's "Why?" ask the same question here.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, Sum

from billing import pauses, rests, timetables
from billing.models import (
    Brand,
    Invoice,
    InvoiceLine,
    Mail,
    Notice,
    Payment,
    Subscription,
    Timetable,
    current_brand,
    paying,
)
from billing.pauses import Span
from billing.timetables import ANNOUNCED_BY, ORDER, Step
from packages.money import Money
from packages.periods import business_day

TO_READ_IT = timedelta(days=3)
A_DAY = timedelta(days=1)


class Wait:
    """Why the next step waits; codes, the words are the readers'."""

    PAUSED = "paused"
    DISPUTED = "disputed"
    CONFIRMING = "confirming"
    UNDELIVERED = "undelivered"
    UNANNOUNCED = "unannounced"
    ARREARS = "arrears"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Case:
    """All that a verdict rests on: plain values and rows as they were read."""

    invoice: Invoice
    timetable: Timetable
    notices: tuple[Notice, ...]
    spans: tuple[Span, ...]
    # Of the services that the invoice renews: one lives; one lives and was not cancelled before.
    living: bool
    renews: bool
    confirming: bool
    delivered: bool
    # Where the telecom floor holds: what is undisputed and overdue, and how much it must be.
    arrears: Money | None = None
    floor: Money | None = None
    # When the mails of the notices were accepted by a server; those that were not are left out.
    told_on: Mapping[str, date] = field(default_factory=dict)

    @property
    def last(self) -> Notice | None:
        return max(self.notices, key=lambda each: ORDER[Notice.Step(each.step)], default=None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`step` is what comes next and `on` the first day for it; `waits` is what holds it up then.

    `look_on` is when to judge again, None for never. A step is due when it is ready and nothing
    waits.
    """

    case: Case
    step: Step | None
    on: date | None
    waits: tuple[str, ...]
    look_on: date | None
    due: bool = False

    @property
    def paused_until(self) -> date | None:
        ends = [span.until_on for span in self.case.spans if span.until_on]
        return max(ends, default=None)


def of(invoices: Sequence[Invoice], *, on: date, at: datetime) -> list[Verdict]:
    """Judge these open invoices of renewals (with their customers); reads only, a dozen queries."""
    return [judge(case, on=on) for case in _cases(invoices, on=on, at=at)]


def judge(case: Case, *, on: date) -> Verdict:
    """Say what comes next for an open invoice, and whether today is the day for it.

    One step a day, each once, in the timetable's order; between two steps lie at least as many
    days as in the timetable, not counting pauses; a reminder lapses when the due date has come.
    What a step announces waits for its mail, and counts from the day on which that went out.
    """
    invoice, last = case.invoice, case.last
    if invoice.state != Invoice.State.OPEN or not case.living:
        return Verdict(case, None, None, (), None)
    step = _next_step(case, on=on)
    if step is None:
        return Verdict(case, None, None, (), None)
    ready_on = _ready(case, step)
    waits = _waits(case, step, on=on)
    if ready_on is None:
        return Verdict(case, step, None, waits, on + A_DAY)
    if ready_on > on:
        return Verdict(case, step, ready_on, waits, ready_on)
    if last is not None and last.on >= on:
        return Verdict(case, step, on + A_DAY, waits, on + A_DAY)
    return Verdict(case, step, ready_on, waits, on + A_DAY, due=not waits)


def after(verdict: Verdict, notice: Notice, *, on: date) -> date | None:
    """Return when to look at the invoice again, once this notice was given on that day."""
    case = verdict.case
    return judge(replace(case, notices=(*case.notices, notice)), on=on).look_on


def _next_step(case: Case, *, on: date) -> Step | None:
    assert case.invoice.due_on is not None, "An issued invoice is due some day."
    last = case.last
    for step in timetables.steps_of(case.timetable):
        if last is not None and ORDER[step.code] <= ORDER[Notice.Step(last.step)]:
            continue
        if step.days < 0 and on >= case.invoice.due_on:
            continue
        return step
    return None


def _ready(case: Case, step: Step) -> date | None:
    """Return the first day for a step; None while nobody knows when a pause ends."""
    invoice, last = case.invoice, case.last
    assert invoice.due_on is not None, "An issued invoice is due some day."
    assert invoice.issued_on is not None, "An open invoice was issued some day."
    by_due = invoice.due_on + timedelta(days=step.days)
    if step.days > 0:
        shifted = pauses.after(invoice.due_on, step.days, case.spans)
        if shifted is None:
            return None
        by_due = shifted
    ready_on = max(by_due, invoice.issued_on + A_DAY)
    if last is None:
        return ready_on
    gap = timetables.pause(case.timetable, Step(Notice.Step(last.step), last.days), step)
    announced = ANNOUNCED_BY.get(step.code) == last.step
    since = max(last.on, case.told_on.get(last.step, last.on)) if announced else last.on
    by_last = pauses.after(since, gap.days, case.spans)
    return None if by_last is None else max(ready_on, by_last)


def _waits(case: Case, step: Step, *, on: date) -> tuple[str, ...]:
    found = [
        Wait.DISPUTED if span.dispute else Wait.PAUSED for span in case.spans if span.covers(on)
    ]
    if not case.renews:
        found.append(Wait.CANCELLED)
    if case.confirming:
        found.append(Wait.CONFIRMING)
    if step.severe and not case.delivered:
        found.append(Wait.UNDELIVERED)
    if step.severe and ANNOUNCED_BY[step.code] not in case.told_on:
        found.append(Wait.UNANNOUNCED)
    if step.severe and case.floor is not None and case.arrears is not None:
        found += [Wait.ARREARS] if case.arrears < case.floor else []
    return tuple(dict.fromkeys(found))


def _cases(invoices: Sequence[Invoice], *, on: date, at: datetime) -> list[Case]:
    brand, ids = current_brand(), [each.pk for each in invoices]
    ruling, spans = timetables.of(invoices), pauses.of(invoices, zone=brand.zone)
    notices = dict[int, list[Any]]()
    of_mail = {"mail_state": F("mail__state"), "mail_sent_at": F("mail__sent_at")}
    for notice in Notice.objects.filter(invoice__in=ids).annotate(**of_mail):
        notices.setdefault(notice.invoice_id, []).append(notice)
    living, renewing = _services(ids)
    confirming = _confirming(ids)
    delivered = _delivered(ids, at=at)
    floored = {each.pk for each in invoices if has_floor(each, brand)}
    arrears = _arrears([each for each in invoices if each.pk in floored], on=on)
    return [
        Case(
            each,
            _strict(ruling[each.pk], brand) if each.pk in floored else ruling[each.pk],
            tuple(notices.get(each.pk, ())),
            tuple(spans[each.pk]),
            each.pk in living,
            each.pk in renewing,
            each.pk in confirming,
            each.pk in delivered,
            arrears.get((each.customer_id, each.currency), Money.zero(each.currency))
            if each.pk in floored
            else None,
            Money(brand.telecom_floor_minor, each.currency) if each.pk in floored else None,
            _told_on(notices.get(each.pk, ()), brand.zone),
        )
        for each in invoices
    ]


def _told_on(notices: Sequence[Any], zone: str) -> dict[str, date]:
    """Return by their steps when the mails of these notices were accepted by a server."""
    return {
        each.step: business_day(each.mail_sent_at, zone)
        for each in notices
        if each.mail_state == Mail.State.SENT and each.mail_sent_at is not None
    }


def has_floor(invoice: Invoice, brand: Brand) -> bool:
    """Say whether § 61 TKG limits the suspension: the operator said so, and for a consumer here."""
    customer = invoice.customer
    return brand.telecom_floor and customer.country == "DE" and not customer.is_business


def _strict(timetable: Timetable, brand: Brand) -> Timetable:
    """Return the timetable with the law's days between a warning and what it announces."""
    strict = copy.copy(timetable)
    strict.notice_days = max(timetable.notice_days, brand.telecom_notice_days)
    return strict


def _services(ids: Sequence[int]) -> tuple[set[int], set[int]]:
    """Return the invoices of which a service lives, and those of which one is not cancelled."""
    lines = InvoiceLine.objects.filter(
        invoice__in=ids,
        kind=InvoiceLine.Kind.RECURRING,
        period_start_on__isnull=False,
        subscription__state__in=Subscription.LIVING,
    )
    goes_on = Q(subscription__ends_on__isnull=True) | Q(
        subscription__ends_on__gt=F("period_start_on")
    )
    found = rests.kept(lines).annotate(goes_on=goes_on).order_by()
    rows = list(found.values_list("invoice_id", "goes_on"))
    return {row_id for row_id, _ in rows}, {row_id for row_id, renews in rows if renews}


def _confirming(ids: Sequence[int]) -> set[int]:
    """Return the invoices of which a payment is being confirmed, alone or with others."""
    being = Exists(Payment.objects.filter(paying(OuterRef("pk")), state=Payment.State.PROCESSING))
    found = Invoice.objects.filter(being, pk__in=ids)
    return set(found.order_by().values_list("pk", flat=True))


def _delivered(ids: Sequence[int], *, at: datetime) -> set[int]:
    """Return the invoices whose mail a server has accepted, and that had some days to be read."""
    causes = {f"invoice-{each}": each for each in ids}
    carriers = Mail.objects.filter(
        template="invoice_issued",
        cause__in=causes,
        state=Mail.State.SENT,
        sent_at__lt=at - TO_READ_IT,
    )
    return {causes[cause] for cause in carriers.order_by().values_list("cause", flat=True)}


def _arrears(invoices: Sequence[Invoice], *, on: date) -> dict[tuple[int, str], Money]:
    """Return what each customer owes in each currency: overdue, and not contested."""
    if not invoices:
        return {}
    customers = {each.customer_id for each in invoices}
    contested = Q(pauses__from_on__lte=on, pauses__until_on__gt=on)
    overdue = Invoice.objects.filter(
        customer__in=customers, state=Invoice.State.OPEN, due_on__lt=on
    ).exclude(pk__in=Invoice.objects.filter(contested, customer__in=customers).values("pk"))
    sums = overdue.order_by().values_list("customer_id", "currency")
    minor = Sum(F("total_minor") - F("paid_minor") - F("credited_minor"))
    return {(who, what): Money(each, what) for who, what, each in sums.annotate(minor=minor)}
