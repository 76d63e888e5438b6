"""Cancel what cannot be done at the dialler, and give back what was paid for it: all or nothing."""

import re
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing import credit_notes, locks, refunds, rests, subscriptions
from billing.models import Invoice, OrderLine, Payment, Refund, paying
from packages.desk import Impossible
from packages.money import Money
from provisioning import desk
from provisioning.models import Job

SOLD = re.compile(r"order-line-(\d+):(?:create|credit)")


def sold_by(job: Job) -> OrderLine | None:
    """Return the order line that was paid for exactly this: a new account, or bought credit.

    Included credit, limits and suspensions have no price of their own: None.
    """
    match = SOLD.fullmatch(job.cause)
    kinds = {Job.Kind.CREATE: OrderLine.Kind.NEW, Job.Kind.CREDIT: OrderLine.Kind.TOP_UP}
    if match is None or job.kind not in kinds:
        return None
    lines = OrderLine.objects.select_related("order", "subscription")
    return lines.filter(pk=match.group(1), kind=kinds[Job.Kind(job.kind)]).first()


def paid_for(line: OrderLine) -> dict[int, Money]:
    """Return what may be credited of the line's invoice, by invoice line, in its price mode."""
    invoice = _invoice(line)
    left = rests.left_of(invoice)
    return {row.pk: rest for row, rest in left.items() if row.order_line_id == line.pk and rest}


def cancel(
    job: Job,
    *,
    way: Refund.Way | None,
    reason: str,
    seen: int,
    at: datetime,
    actor: str,
) -> Invoice:
    """Give the job up and credit all that is left of what was paid for it; return the credit note.

    The sum becomes the customer's balance, or goes back by `way`. A new account is given up with
    all its jobs, and its service ends. One transaction, with the locks of the invoice, then of the
    account. Raises Impossible: the job has moved on, or nothing is left to credit.
    """
    line = sold_by(job)
    if line is None:
        raise Impossible(_("Nothing was paid for this job by itself."))
    invoice = _invoice(line)
    with transaction.atomic():
        paid = Payment.objects.filter(paying(invoice), state=Payment.State.SUCCEEDED)
        held = locks.take_for_invoice(invoice, payments=paid.values_list("pk", flat=True))
        if job.kind == Job.Kind.CREATE:
            desk.abandon(job, reason=reason, seen=seen, at=at, actor=actor)
            subscription = held.subscriptions[line.subscription_id]
            subscriptions.abandon(subscription, reason=reason, at=at, actor=actor)
        else:
            desk.cancel(job, reason=reason, seen=seen, at=at, actor=actor)
        try:
            return _credit(invoice, line, way, reason=reason, at=at, actor=actor)
        except credit_notes.NotCreditable as error:
            raise Impossible(_("Nothing is left to credit.")) from error


def total_of(line: OrderLine) -> Money:
    """Return what the customer gets back for the line, tax included."""
    amounts = paid_for(line)
    if not amounts:
        return Money.zero(line.order.currency)
    return credit_notes.draft(_invoice(line), amounts).total


def _credit(
    invoice: Invoice,
    line: OrderLine,
    way: Refund.Way | None,
    *,
    reason: str,
    at: datetime,
    actor: str,
) -> Invoice:
    amounts = paid_for(line)
    if way is None:
        return credit_notes.issue(invoice, amounts, reason=reason, at=at, actor=actor)
    return refunds.credit(invoice, amounts, way=way, reason=reason, at=at, actor=actor)[0]


def _invoice(line: OrderLine) -> Invoice:
    return Invoice.objects.get(order_id=line.order_id, kind=Invoice.Kind.INVOICE)
