"""The mails about what changes a service's course: another package, or its return."""

from datetime import datetime

from django.utils import translation

from billing import emails, rendering
from billing.models import Exchange, Subscription


def exchange_done(exchange: Exchange, *, at: datetime) -> None:
    """Say that a service has its new package."""
    _about_exchange("exchange_done", exchange, at=at)


def exchange_scheduled(exchange: Exchange, *, at: datetime) -> None:
    """Say from which day on a service will have its new package."""
    _about_exchange("exchange_scheduled", exchange, at=at)


def returned(subscription: Subscription, *, cause: str, at: datetime, free: bool = False) -> None:
    """Say that an ended service runs again, for a payment or in time that was paid before."""
    name = rendering.service_name(subscription)
    words = {"name": name, "until": subscription.paid_until, "free": free}
    emails.about_service("returned", cause, subscription, words, at=at)


def _about_exchange(template: str, exchange: Exchange, *, at: datetime) -> None:
    subscription = exchange.subscription
    with translation.override(subscription.customer.language):
        names = {"name": exchange.package.text("name"), "old": exchange.replaced.text("name")}
    words = {**names, "exchange": exchange}
    emails.about_service(template, f"exchange-{exchange.pk}", subscription, words, at=at)
