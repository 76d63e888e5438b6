"""A customer's running service, without the road to it."""

from datetime import datetime

from django.db import transaction

from billing import subscriptions
from billing.models import Customer, Order, OrderLine, Subscription
from tests import world


def running_service(
    customer: Customer, *, at: datetime, slug: str = "business", order: int = 1
) -> Subscription:
    """Give the customer an active subscription with its planned account."""
    price = world.price(slug)
    with transaction.atomic():
        placed = Order.objects.create(
            checkout_key=f"{customer.pk:016d}{order:016d}",
            customer=customer,
            currency=price.currency,
            language="en",
            placed_at=at,
        )
        subscription = subscriptions.plan(
            customer, price, zone="Europe/Berlin", at=at, actor="test"
        )
        line = OrderLine.objects.create(
            order=placed,
            kind=OrderLine.Kind.NEW,
            package=price.package,
            subscription=subscription,
            name=price.package.name_en,
            cycle=price.cycle,
            amount_minor=price.amount_minor,
        )
        subscriptions.activate(subscription, line, at=at, actor="test")
    return subscription
