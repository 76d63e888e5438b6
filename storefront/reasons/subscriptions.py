"""Why a service costs what it costs, renews or ends when it does, or stands still."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from django.urls import reverse
from django.utils.translation import gettext as _

from billing import disputes, remainders, statements, subscriptions
from billing.models import Invoice, Notice, Order, OrderLine, Subscription
from packages.money import Money, total
from packages.states import StateChange, history_of
from storefront.reasons.reason import Input, Reason, why
from storefront.templatetags.money import day, moment, money_filter

State = Subscription.State


def of_service(subscription: Subscription, credit: Sequence[statements.Line]) -> list[Reason]:
    """Say why a service stands still or ends, what it costs and when, and what its credit is."""
    return [
        *_stops(subscription),
        _price(subscription),
        *_next(subscription),
        *_credit(subscription, credit),
    ]


def _stops(subscription: Subscription) -> Iterator[Reason]:
    if subscription.state == State.SUSPENDED:
        yield _suspension(subscription)
    if subscription.state == State.ENDED:
        yield _ended(subscription)
    elif subscription.ends_on is not None:
        yield _ending(subscription)


def _suspension(subscription: Subscription) -> Reason:
    """Name the notice that suspended the service; without one, staff or a dispute did."""
    change = _change(subscription, State.SUSPENDED)
    since = Input(_("Since"), moment(change.at) if change else "")
    if change is not None and change.reason == disputes.REASON:
        rule = _("Its payment is disputed: your bank has asked for the money back. Please call us.")
        return Reason("why-stop", _("Why suspended?"), rule, [since])
    notice = _notice(subscription, Notice.Step.SUSPENDED)
    if notice is None or notice.invoice.state != Invoice.State.OPEN:
        rule = _("It was not suspended for an unpaid invoice. Please ask us.")
        return Reason("why-stop", _("Why suspended?"), rule, [since])
    return _unpaid(_("Why suspended?"), notice, since)


def _ended(subscription: Subscription) -> Reason:
    change = _change(subscription, State.ENDED)
    inputs = [Input(_("Since"), moment(change.at) if change else "")]
    if change is not None and subscription.account is not None:
        deleted_on = day(change.at + subscriptions.KEPT_FOR)
        inputs.append(Input(_("Account and data are kept until"), deleted_on))
    notice = _notice(subscription, Notice.Step.ENDED)
    if notice is not None and change is not None and notice.at == change.at:
        return _unpaid(_("Why ended?"), notice, *inputs)
    rule = _("It was cancelled, or its order was withdrawn. If you did not do this, please ask us.")
    return Reason("why-stop", _("Why ended?"), rule, inputs)


def _unpaid(title: str, notice: Notice, *more: Input) -> Reason:
    invoice = notice.invoice
    words = {"days": notice.days, "number": invoice.number}
    link = reverse("storefront:invoice", args=[invoice.public_id])
    return Reason(
        "why-stop",
        title,
        _("Invoice %(number)s was not paid %(days)s days after its due date.") % words,
        [
            Input(_("Invoice"), str(invoice.number), link),
            Input(_("Due"), day(invoice.due_on)),
            Input(_("Owed then"), money_filter(notice.due)),
            *more,
        ],
        _("Announced and mailed %(time)s") % {"time": moment(notice.at)},
        reverse("storefront:mail", args=[notice.mail.pk]),
    )


def _ending(subscription: Subscription) -> Reason:
    noted = history_of(subscription).filter(reason__startswith="cancelled to ")
    change = noted.order_by("-id").first()
    return Reason(
        "why-ends",
        _("Why does it end on %(day)s?") % {"day": day(subscription.ends_on)},
        _(
            "It is cancelled, so nothing renews. Time that is paid for, and a period that has "
            "begun, run to their end."
        ),
        [Input(_("Paid until"), day(subscription.paid_until))],
        _("Cancelled %(time)s") % {"time": moment(change.at)} if change else "",
    )


def _price(subscription: Subscription) -> Reason:
    agreed = OrderLine.objects.filter(subscription=subscription).exclude(kind=OrderLine.Kind.TOP_UP)
    line = agreed.exclude(order__state=Order.State.CANCELLED).select_related("order").last()
    inputs = [
        Input(_("Price"), money_filter(subscription.amount)),
        Input(_("Charged"), str(subscription.get_cycle_display())),
    ]
    if subscription.quantity != 1:
        inputs.append(Input(_("Quantity"), str(subscription.quantity)))
    words = {"day": day(line.order.placed_at) if line else ""}
    return Reason(
        "why-price",
        why(subscription.amount),
        _("The price you agreed to stays until you change the package or we announce another."),
        inputs,
        _("Ordered %(day)s") % words if line else "",
        reverse("storefront:order", args=[line.order.public_id]) if line else "",
    )


def _next(subscription: Subscription) -> Iterator[Reason]:
    """Say why the next period begins on its day; nothing where none is to come."""
    start_on = subscription.paid_until
    if subscription.state != State.ACTIVE or start_on is None or subscription.ends_on is not None:
        return
    inputs = [Input(_("Paid up to and with"), day(start_on - timedelta(days=1)))]
    if subscription.next_invoice_on is not None:
        inputs.append(Input(_("Its invoice is issued on"), day(subscription.next_invoice_on)))
    running = subscription.periods.filter(end_on=start_on, given_back_on=None).first()
    paid = remainders.invoice_of(subscription, running) if running else None
    yield Reason(
        "why-next",
        _("Why is the next payment on %(day)s?") % {"day": day(start_on)},
        _("The next period begins when the one that is paid for is over, and is paid in advance."),
        inputs,
        _("Paid by invoice %(number)s") % {"number": paid.number} if paid else "",
        reverse("storefront:invoice", args=[paid.public_id]) if paid else "",
    )


def _credit(subscription: Subscription, credit: Sequence[statements.Line]) -> Iterator[Reason]:
    """Say what the credit that the dialler told us is made of; each line of it is on the page."""
    account = subscription.account
    if account is None or account.balance_minor is None:
        return
    balance = Money(account.balance_minor, subscription.currency)
    parts: dict[str, Money] = {}
    for each in credit:
        label = str(each.bucket.get_kind_display())
        parts[label] = parts.get(label, Money.zero(balance.currency)) + each.left
    known = total(parts.values(), balance.currency)
    parts[_("changed at the dialler, not by us")] = balance - known
    yield Reason(
        "why-credit",
        why(balance),
        _(
            "What was granted, less what the dialler says was used. First that credit is used "
            "which lapses at the next renewal, then gifts, then included credit that stays, and "
            "what you bought last of all."
        ),
        [Input(label, money_filter(part)) for label, part in parts.items() if part],
        _("Read from the dialler %(time)s") % {"time": moment(account.balance_at)},
    )


def _change(subscription: Subscription, state: str) -> StateChange | None:
    moved = history_of(subscription).filter(after=state).exclude(before=state)
    return moved.order_by("-id").first()


def _notice(subscription: Subscription, step: Notice.Step) -> Notice | None:
    theirs = Notice.objects.filter(step=step, invoice__lines__subscription=subscription)
    return theirs.select_related("invoice", "timetable", "mail").order_by("-pk").first()
