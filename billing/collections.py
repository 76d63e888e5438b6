"""Collect what is due: renewals are charged to the customer's saved method, by the timetable."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Sum

from billing import charges, pauses, payments, timetables
from billing.locks import take_for_invoice
from billing.models import (
    Invoice,
    InvoiceLine,
    Payment,
    PaymentMethod,
    Subscription,
    Timetable,
    current_brand,
    paying,
)
from billing.turns import next_turn
from packages.doorbell import ring
from packages.money import Money
from packages.sweeping import Quarantine, contained

ACTOR = "system:collections"
CHUNK = 500
# Staff are asked before a day's charges are so many times those of the fullest day lately, unless
# they are few.
FAR_MORE = 3
ALWAYS_FINE = 20
LATELY = timedelta(days=31)
# The kinds that the circuit breaker knows; a sum has its currency behind it, in minor units.
CHARGES, SUM = "charges", "charged"


@dataclass(frozen=True, slots=True)
class Planned:
    """A charge whose day has come; also how a run's report shows it."""

    invoice_id: int
    number: str
    customer: str
    method: str
    turn: int
    due: Money


def plan(on: date) -> list[Planned]:
    """Return what is to be charged automatically on that day; reads only.

    Open renewals from their due date on, of customers who pay automatically and have a default
    method; not while any other payment is begun or being confirmed, a payment of theirs is disputed
    or staff have paused dunning, and never twice a day.
    """
    rows = in_question(on).order_by("due_on", "id").iterator(chunk_size=CHUNK)
    planned = list[Planned]()
    while chunk := list(islice(rows, CHUNK)):
        planned += _due(chunk, on)
    return planned


def upcoming(invoice: Invoice, *, zone: str, on: date) -> PaymentMethod | None:
    """Return what an open invoice is going to be charged to on its due day; None where it is not.

    Reads only. Not once that day is over: what is tried after that, and when, its mails say.
    """
    if invoice.due_on is None or invoice.due_on < on or not invoice.due:
        return None
    concerned = Exists(in_question(invoice.due_on).filter(pk=invoice.pk))
    rests = pauses.any_of(OuterRef("customer"))
    mine = invoice.customer.methods.filter(concerned, is_default=True)
    method = mine.annotate(rests=rests).first()
    if method is None or not method.rests:
        return method
    spans = pauses.of([invoice], zone=zone)[invoice.pk]
    return None if any(span.covers(invoice.due_on) for span in spans) else method


def run(
    on: date,
    planned: Sequence[Planned],
    *,
    at: datetime,
    quarantine: Quarantine | None = None,
) -> list[Planned]:
    """Write down the planned charges, each in a transaction of its own, and ring for the workers.

    Speaks to nobody. What is no longer so (paid meanwhile, or asked for by another runner) is left
    out of what is returned. One that fails is kept in the quarantine; without one it raises.
    """
    asked = []
    for each in planned:
        with contained(quarantine, f"invoice {each.number}, charge"):
            if _ask(each, on=on, at=at):
                asked.append(each)
    return asked


def weigh(planned: Sequence[Planned]) -> dict[str, int]:
    """Return how many charges they are, and in each currency over how many minor units."""
    sums = Counter[str]()
    for each in planned:
        sums[f"{SUM} {each.due.currency}"] += each.due.minor
    return {CHARGES: len(planned), **sums} if planned else {}


def usual() -> dict[str, int]:
    """Return how many charges of a day, and what sum in each currency, staff are not asked about.

    Measured against the fullest of the last 31 days that had charges; a currency without any has
    no usual sum, only the number counts then.
    """
    last = Payment.objects.aggregate(last=Max("turn_on"))["last"]
    lately = Payment.objects.filter(turn_on__gte=last - LATELY) if last else Payment.objects.none()
    days = lately.values("turn_on", "currency").annotate(n=Count("id"), minor=Sum("amount_minor"))
    rows, counts = list(days.order_by()), Counter[date | None]()
    for row in rows:
        counts[row["turn_on"]] += row["n"]
    most = {CHARGES: max(ALWAYS_FINE, FAR_MORE * max(counts.values(), default=0))}
    for currency in {row["currency"] for row in rows}:
        known = [(row["n"], row["minor"]) for row in rows if row["currency"] == currency]
        average = sum(minor for _, minor in known) // sum(n for n, _ in known)
        fullest = max(minor for _, minor in known)
        most[f"{SUM} {currency}"] = max(ALWAYS_FINE * average, FAR_MORE * fullest)
    return most


def worded(kind: str, count: int) -> str:
    """Return a kind of the circuit breaker with its number, as people read it."""
    name, _space, currency = kind.partition(" ")
    if name == SUM:
        return f"{Money(count, currency).decimal()} {currency} charged"
    return f"{count} {kind}"


def in_question(on: date) -> QuerySet[Invoice]:
    """Due renewals of living services whose customer pays automatically, with nothing under way."""
    living = Q(subscription__ends_on__isnull=True) | Q(
        subscription__ends_on__gt=F("period_start_on")
    )
    renewals = InvoiceLine.objects.filter(
        living,
        invoice=OuterRef("pk"),
        kind=InvoiceLine.Kind.RECURRING,
        period_start_on__isnull=False,
        subscription__state__in=(Subscription.State.ACTIVE, Subscription.State.SUSPENDED),
    )
    open_payments = Payment.objects.filter(paying(OuterRef("pk")), state__in=Payment.OPEN)
    default = PaymentMethod.objects.filter(is_default=True, customer=OuterRef("customer"))
    rows = Invoice.objects.filter(
        Exists(renewals),
        Exists(default),
        ~Exists(open_payments),
        state=Invoice.State.OPEN,
        due_on__lte=on,
        customer__pays_automatically=True,
    )
    return rows.select_related("customer").prefetch_related("payments", "customer__methods")


def _at_work(invoices: Sequence[Invoice], on: date) -> list[Invoice]:
    """Leave out what rests on that day: paused by staff, or its customer disputes a payment."""
    spans = pauses.of(invoices, zone=current_brand().zone)
    return [each for each in invoices if not any(span.covers(on) for span in spans[each.pk])]


def _due(invoices: Sequence[Invoice], on: date) -> list[Planned]:
    """Return those of these invoices that are to be charged on that day, by their timetables."""
    at_work = _at_work(invoices, on)
    ruling = timetables.of(at_work) if at_work else {}
    found = (_planned(each, ruling[each.pk], on) for each in at_work)
    return [each for each in found if each is not None]


def _planned(invoice: Invoice, timetable: Timetable, on: date) -> Planned | None:
    assert invoice.due_on is not None, "An issued invoice is due some day."
    turns = [each for each in invoice.payments.all() if each.turn_on is not None]
    method = _default(invoice)
    upcoming = next_turn(invoice.due_on, turns, method, timetable.charge_days)
    if upcoming is None or upcoming[1] > on or not invoice.due:
        return None
    if any(each.turn_on is not None and each.turn_on >= on for each in turns):
        return None
    return Planned(
        invoice.pk,
        str(invoice.number),
        str(invoice.customer),
        str(method),
        upcoming[0],
        invoice.due,
    )


def _default(invoice: Invoice) -> PaymentMethod:
    (method,) = (each for each in invoice.customer.methods.all() if each.is_default)
    return method


def _ask(planned: Planned, *, on: date, at: datetime) -> bool:
    """Ask for the charge if it is still the one to make, with the invoice's locks."""
    try:
        with transaction.atomic():
            take_for_invoice(Invoice.objects.get(pk=planned.invoice_id))
            invoice = in_question(on).filter(pk=planned.invoice_id).first()
            if invoice is None or _due([invoice], on) != [planned]:
                return False
            turn = charges.Turn(planned.turn, on)
            payment = charges.ask(invoice, _default(invoice), at=at, actor=ACTOR, turn=turn)
            ring(charges.send_charge, payment.pk)
    except (payments.NotPayable, payments.MethodGone, IntegrityError):
        return False
    return True
