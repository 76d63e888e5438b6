"""Give the customer what a paid order promised."""

from datetime import datetime

from billing import changes, rests, subscriptions
from billing.locks import Held
from billing.models import Exchange, InvoiceLine, Order, OrderLine
from packages.periods import business_day


def fulfil(order: Order, held: Held, *, at: datetime, actor: str) -> None:
    """Do what each line says, once; needs the order's and subscriptions' locks.

    A line that was credited in full before is not delivered: nothing was paid for it.
    An exchange or a return whose time is over cancels its order; the calendar's next run turns what
    was paid for it into the customer's credit (exchanges.lapse).
    """
    if order.state == Order.State.FULFILLED:
        return
    change = order.lines.filter(kind__in=(OrderLine.Kind.EXCHANGE, OrderLine.Kind.RETURN)).first()
    if change is not None:
        _change(order, change, held, at=at, actor=actor)
        return
    order.move(Order.State.FULFILLED, at=at, actor=actor, reason="invoice paid")
    lines = order.lines.select_related("package__tariff", "order__customer")
    kinds = (InvoiceLine.Kind.RECURRING, InvoiceLine.Kind.PACKAGE, InvoiceLine.Kind.CREDIT)
    charged = order.invoice.lines.filter(kind__in=kinds)
    kept = set(rests.kept(charged).values_list("order_line_id", flat=True))
    # In the order in which everybody locks accounts.
    for line in lines.order_by("subscription__account_id", "id"):
        subscription = held.subscriptions[line.subscription_id]
        if line.pk not in kept:
            reason = "credited in full"
            subscriptions.give_up(subscription, reason=reason, at=at, actor=actor)
        elif line.kind == OrderLine.Kind.NEW:
            subscriptions.activate(subscription, line, at=at, actor=actor)
        else:
            subscriptions.top_up(subscription, line, at=at, actor=actor)


def _change(order: Order, line: OrderLine, held: Held, *, at: datetime, actor: str) -> None:
    """Exchange or bring back the one service of the order, while that is still possible."""
    subscription = held.subscriptions[line.subscription_id]
    on = business_day(at, subscription.zone)
    if line.kind == OrderLine.Kind.RETURN:
        done = changes.bring_back(subscription, line, at=at, actor=actor)
    else:
        agreed = Exchange.objects.get(order_line=line)
        done = changes.can_exchange(subscription, agreed, on=on)
        if done:
            changes.exchange(subscription, agreed, at=at, actor=actor)
        elif agreed.state == Exchange.State.PENDING:
            reason = "paid too late"
            agreed.move(Exchange.State.CANCELLED, at=at, actor=actor, reason=reason)
    if done:
        order.move(Order.State.FULFILLED, at=at, actor=actor, reason="invoice paid")
    elif order.state == Order.State.PLACED:
        order.move(Order.State.CANCELLED, at=at, actor=actor, reason="paid too late")
