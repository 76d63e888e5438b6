"""End a service at once: what is given back, shown before and then done."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from billing import (
    credit_notes,
    exchanges,
    locks,
    proration,
    quotes,
    remainders,
    service_emails,
    subscriptions,
)
from billing.models import Brand, Exchange, Invoice, InvoiceLine, Payment, Subscription
from billing.remainders import Paper
from packages.money import Money, total
from packages.periods import Period, business_day
from provisioning.models import Job

ONE_DAY = timedelta(days=1)


class NotEndable(Exception):
    """The service cannot be ended now; `str()` says why, for people."""


class Changed(Exception):
    """The sums are not what was seen and agreed to; show them again."""


@dataclass(frozen=True, slots=True)
class Part:
    """How much of an invoice is taken back, in its price mode; `unpaid` says it is still open."""

    paper: Paper
    amount: Money
    note: credit_notes.Draft

    @property
    def unpaid(self) -> bool:
        return bool(self.paper.invoice.state == Invoice.State.OPEN)


@dataclass(frozen=True, slots=True)
class Quote:
    """What ending a service today takes back. Nothing of it is stored.

    `last_on` is today: it was had, so what is given back begins with tomorrow.
    """

    subscription: Subscription
    last_on: date
    gives_back: bool
    parts: tuple[Part, ...]

    @property
    def credited(self) -> Money:
        """Return what comes onto the customer's balance, with tax."""
        notes = (part.note.total for part in self.parts if not part.unpaid)
        return total(notes, self.subscription.currency)

    @property
    def remitted(self) -> Money:
        """Return what need not be paid any more, with tax."""
        notes = (part.note.total for part in self.parts if part.unpaid)
        return total(notes, self.subscription.currency)

    @property
    def deleted_on(self) -> date:
        return self.last_on + subscriptions.KEPT_FOR

    @property
    def fingerprint(self) -> str:
        """Name what was seen; the form sends it back, so that nothing else is agreed to."""
        sums = (part.note.total.minor for part in self.parts)
        return "|".join(map(str, (self.last_on, self.gives_back, *sums)))


def offered(subscription: Subscription, brand: Brand) -> bool:
    """Say whether the operator lets its owner end a service at once."""
    living = subscription.state in Subscription.LIVING
    return living and subscription.recurs and brand.cancel_now != Brand.CancelNow.NO


def quote(subscription: Subscription, *, on: date, gives_back: bool) -> Quote:
    """Work out an end today without storing anything; the preview is this.

    Invoices for later periods are taken back in any case while they are open. With `gives_back`
    the days after today are credited too, less the credit that was included for them, since it is
    not taken off the account. Raises NotEndable.
    """
    _check(subscription)
    parts = [*_unpaid_periods(subscription, on=on, gives_back=gives_back)]
    if gives_back:
        parts += _paid_ahead(subscription, on=on)
        parts += _rest_of_period(subscription, on=on)
    return Quote(subscription, on, gives_back, tuple(parts))


def end(
    quoted: Quote, *, seen: str, reason: str, returnable: bool, at: datetime, actor: str
) -> Subscription:
    """End the service as its quote says, if it still says what was `seen`; all or nothing.

    The account is suspended now and deleted in 30 days; until then it may be brought back, by its
    owner where it is `returnable`. Locks the subscription and all that share its invoices. Raises
    Changed, NotEndable.
    """
    with transaction.atomic():
        held = _held(quoted)
        now = quote(held, on=business_day(at, held.zone), gives_back=quoted.gives_back)
        if now.fingerprint != seen:
            raise Changed
        exchanges.drop_scheduled(held.pk, at=at, actor=actor)
        held.ends_on, held.returnable = now.last_on + ONE_DAY, returnable
        if now.gives_back:
            _cut(held, on=now.last_on)
        held.save(update_fields=["ends_on", "returnable", "paid_until"])
        cause = subscriptions.cause_of_end(held)
        subscriptions.end(held, cause=cause, reason=reason, at=at, actor=actor)
        _credit(now, at=at, actor=actor)
        by_staff = actor.startswith("staff:")
        service_emails.ended(held, cause=cause, deleted_on=now.deleted_on, at=at, by_staff=by_staff)
    return held


def _held(quoted: Quote) -> Subscription:
    """Lock the service and everything on the invoices that its end takes something back of."""
    invoices = [part.paper.invoice for part in quoted.parts]
    beside = InvoiceLine.objects.filter(invoice__in=invoices, subscription__isnull=False)
    pks = {quoted.subscription.pk, *beside.values_list("subscription_id", flat=True)}
    held = locks.take(
        subscriptions=pks,
        orders=[each.order_id for each in invoices if each.order_id],
        invoices=[each.pk for each in invoices],
    )
    return held.subscriptions[quoted.subscription.pk]


def _check(subscription: Subscription) -> None:
    if subscription.state not in Subscription.LIVING:
        raise NotEndable(_("Only a service that runs or is suspended can be ended."))
    confirming = Payment.objects.filter(
        invoice__lines__subscription=subscription, state=Payment.State.PROCESSING
    )
    if confirming.exists():
        raise NotEndable(_("A payment is just being confirmed. Please try again later."))
    waiting = quotes.pending(subscription)
    if waiting is not None and waiting.mode == Exchange.Mode.NOW:
        raise NotEndable(_("A change of the package waits for its payment. Take it back first."))


def _unpaid_periods(subscription: Subscription, *, on: date, gives_back: bool) -> Iterator[Part]:
    """Yield what of open renewals is for days after today: later periods whole, the rest of one
    that has begun where unused time is given back.
    """
    for line, stretch in _renewals(subscription, state=Invoice.State.OPEN):
        (paper,) = remainders.papers([line.invoice], subscription)
        if stretch.start_on > on:
            yield from _part(paper, paper.left)
        elif gives_back:
            yield from _part(paper, proration.unused(paper.left, stretch, on + ONE_DAY))


def _paid_ahead(subscription: Subscription, *, on: date) -> Iterator[Part]:
    """Yield what was paid for whole periods that have not begun, less credit given for them."""
    for line, stretch in _renewals(subscription, state=Invoice.State.PAID):
        if stretch.start_on > on:
            (paper,) = remainders.papers([line.invoice], subscription)
            given = Job.objects.filter(cause=f"invoice-line-{line.pk}:credit").first()
            had = given.amount_minor or 0 if given else 0
            yield from _part(paper, paper.left - Money(had, subscription.currency))


def _rest_of_period(subscription: Subscription, *, on: date) -> Iterator[Part]:
    """Yield what the days after today of the running period were paid by, the latest first."""
    rest = remainders.of(subscription, on=on + ONE_DAY)
    if rest is None or (rest.period.start_on > on and _was_renewed(rest)):
        return
    zero = Money.zero(subscription.currency)
    amount = max(zero, rest.worth - rest.share(subscription.credit))
    notes = remainders.planned(rest, amount)
    for (paper, part), note in zip(remainders.parts(rest, amount), notes, strict=True):
        yield Part(paper, part, note)


def _was_renewed(rest: remainders.Remainder) -> bool:
    """Say whether the period was paid by a renewal, not by an order: then it was paid ahead."""
    return any(line.period_start_on == rest.period.start_on for line in rest.papers[-1].lines)


def _part(paper: Paper, amount: Money) -> Iterator[Part]:
    if amount.minor > 0:
        note = credit_notes.draft(paper.invoice, paper.amounts(amount))
        yield Part(paper, amount, note)


def _renewals(
    subscription: Subscription, *, state: Invoice.State
) -> Iterator[tuple[InvoiceLine, Period]]:
    """Yield the service's charges of periods on invoices in that state, the latest first."""
    lines = InvoiceLine.objects.filter(
        subscription=subscription,
        kind=InvoiceLine.Kind.RECURRING,
        corrects=None,
        invoice__state=state,
    ).select_related("invoice")
    for line in lines.order_by("-period_start_on"):
        if line.period_start_on and line.period_end_on:
            yield line, Period(line.period_start_on, line.period_end_on)


def _cut(subscription: Subscription, *, on: date) -> None:
    """Let the paid time end with today; what has not begun is no period any more."""
    subscription.periods.filter(start_on__gt=on).delete()
    running = subscription.periods.filter(index__gte=0, end_on__gt=on + ONE_DAY)
    running.update(given_back_on=on + ONE_DAY)
    last = subscription.periods.order_by("index").last()
    if last is not None:
        subscription.paid_until = last.until_on


def _credit(quoted: Quote, *, at: datetime, actor: str) -> None:
    with translation.override(quoted.subscription.customer.language):
        reason = _("the service was cancelled")
    for part in quoted.parts:
        amounts = part.paper.amounts(part.amount)
        credit_notes.issue(part.paper.invoice, amounts, reason=reason, at=at, actor=actor)
