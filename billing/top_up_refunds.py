"""Give bought credit back that was not used: off the dialler first, then a credit note.

Two steps, so that nobody has both the credit and the money: a job takes at most what is left of
the line's bucket, decided by the balance that it reads; only what it took is credited, in part of
the invoice, onto the customer's balance. While the job is parked nothing is credited.
"""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from billing import credit_notes, credits, locks, rests
from billing.models import (
    CreditBucket,
    Invoice,
    InvoiceLine,
    Order,
    OrderLine,
    Subscription,
    TopUpRefund,
)
from packages.desk import Impossible
from packages.money import Money, total
from packages.states import record_change
from packages.sweeping import each
from provisioning.models import Job

State = TopUpRefund.State
ACTOR = "system:top-up-refund"
BATCH = 500


def left_of(line: OrderLine) -> Money:
    """Return what is left of the line's bought credit, as last written down; zero for nothing."""
    bucket = CreditBucket.objects.filter(cause=f"order-line-{line.pk}:credit", kind="paid").first()
    return Money(bucket.left_minor if bucket else 0, line.order.currency)


def refundable(subscription: Subscription) -> list[tuple[OrderLine, Money]]:
    """Return the top-ups of a service of which something is left, with how much."""
    lines = OrderLine.objects.filter(
        subscription=subscription, kind=OrderLine.Kind.TOP_UP, order__state=Order.State.FULFILLED
    ).exclude(refunds__state__in=(State.ASKED, State.TAKEN))
    found = [(line, left_of(line)) for line in lines.select_related("order").order_by("pk")]
    return [(line, left) for line, left in found if left]


def ask(line: OrderLine, *, reason: str, at: datetime, actor: str) -> TopUpRefund:
    """Ask the dialler for what is left of a top-up's credit; one refund of a line at a time.

    Takes the locks of the line's subscription and account. Raises Impossible.
    """
    try:
        with transaction.atomic():
            locks.take(subscriptions=[line.subscription_id])
            most = left_of(line)
            if line.kind != OrderLine.Kind.TOP_UP or not most:
                raise Impossible(_("Nothing of this credit is left."))
            refund = TopUpRefund.objects.create(
                line=line, most_minor=most.minor, reason=reason, at=at
            )
            record_change(refund, before="", at=at, actor=actor, reason=reason)
            bucket = CreditBucket.objects.get(cause=f"order-line-{line.pk}:credit")
            credits.take_back_one(
                bucket, cause=_cause(refund, bucket), always=True, at=at, actor=actor
            )
    except IntegrityError as error:
        raise Impossible(_("A refund of this credit is under way.")) from error
    return refund


def sweep(*, at: datetime) -> None:
    """Follow every refund that is not over; as often as you like."""
    waiting = TopUpRefund.objects.filter(state__in=(State.ASKED, State.TAKEN)).order_by("pk")
    each(waiting.values_list("pk", flat=True)[:BATCH], lambda pk: follow(pk, at=at))


def follow(refund_id: int, *, at: datetime) -> None:
    """Note what the finished job took, then credit it: each once, under the invoice's locks."""
    invoice = Invoice.objects.get(order__lines__refunds=refund_id)
    with transaction.atomic():
        locks.take_for_invoice(invoice)
        refund = TopUpRefund.objects.select_related("line__order").get(pk=refund_id)
        if refund.state == State.ASKED:
            _note_taken(refund, at=at)
        if refund.state == State.TAKEN:
            _credit(refund, invoice, at=at)


def _credit(refund: TopUpRefund, invoice: Invoice, *, at: datetime) -> None:
    """Credit what was paid for the credit that was taken: the line's price in proportion."""
    line = InvoiceLine.objects.get(
        invoice=invoice, order_line=refund.line, kind=InvoiceLine.Kind.CREDIT
    )
    # What a coupon took off was not paid.
    paid = total(_amounts(invoice, refund.line), invoice.currency)
    amount = paid.fraction(refund.taken_minor or 0, refund.line.credit_minor)
    amount = min(amount, rests.left_of(invoice)[line])
    if amount.minor <= 0:
        refund.move(State.NOTHING, at=at, actor=ACTOR, reason="nothing was paid for it")
        return
    refund.note = credit_notes.issue(
        invoice, {line.pk: amount}, reason=refund.reason, at=at, actor=ACTOR
    )
    reason = f"credit note {refund.note.number}"
    refund.move(State.CREDITED, at=at, actor=ACTOR, reason=reason, also=("note",))


def _amounts(invoice: Invoice, line: OrderLine) -> list[Money]:
    rows = invoice.lines.filter(order_line=line).exclude(kind=InvoiceLine.Kind.SETUP)
    return [Money(row.unit_minor, invoice.currency).times(row.quantity) for row in rows]


def _note_taken(refund: TopUpRefund, *, at: datetime) -> None:
    bucket = CreditBucket.objects.get(cause=f"order-line-{refund.line_id}:credit")
    job = Job.objects.filter(cause=_cause(refund, bucket)).first()
    if job is None or job.state in Job.UNFINISHED:
        return
    taken = (job.amount_minor or 0) if job.state == Job.State.DONE else 0
    refund.taken_minor = taken or None
    state = State.TAKEN if taken else State.NOTHING
    reason = f"job {job.pk} took {Money(taken, refund.line.order.currency)}"
    refund.move(state, at=at, actor=ACTOR, reason=reason, also=("taken_minor",))


def _cause(refund: TopUpRefund, bucket: CreditBucket) -> str:
    return f"bucket-{bucket.pk}:refund-{refund.pk}"
