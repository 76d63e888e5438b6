"""Give the customer what a paid order promised."""

from datetime import datetime

from billing import subscriptions
from billing.locks import Held
from billing.models import Order, OrderLine


def fulfil(order: Order, held: Held, *, at: datetime, actor: str) -> None:
    """Activate or top up what each line says, once; needs the order's and subscriptions' locks."""
    if order.state == Order.State.FULFILLED:
        return
    order.move(Order.State.FULFILLED, at=at, actor=actor, reason="invoice paid")
    lines = order.lines.select_related("package__tariff", "order__customer")
    # In the order in which everybody locks accounts.
    for line in lines.order_by("subscription__account_id", "id"):
        subscription = held.subscriptions[line.subscription_id]
        if line.kind == OrderLine.Kind.NEW:
            subscriptions.activate(subscription, line, at=at, actor=actor)
        else:
            subscriptions.top_up(subscription, line, at=at, actor=actor)
