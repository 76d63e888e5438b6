"""The register of consents: what each customer agreed to, in the words they read, with version and
time. Each lies with the row it was given for; nothing is copied.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.models import AutoTopUp, Customer, Order, PaymentMethod

PURPOSES: dict[str, str | Promise] = {
    "terms": gettext_lazy("terms"),
    "early_start": gettext_lazy("start before the withdrawal period ends"),
    "keep_method": gettext_lazy("keep the payment method"),
    "standing": gettext_lazy("automatic top-up"),
}


@dataclass(frozen=True, slots=True)
class Consent:
    """One box that was ticked. `row` is what it was given for."""

    at: datetime
    purpose: str | Promise
    version: str
    text: str
    customer: Customer
    row: Model


def of(customer: Customer) -> list[Consent]:
    """Return the customer's consents, the latest first; three queries."""
    return _latest_first(
        [
            *_of_orders(Order.objects.filter(customer=customer)),
            *_of_methods(PaymentMethod.objects.filter(customer=customer)),
            *_of_auto_top_ups(AutoTopUp.objects.filter(subscription__customer=customer)),
        ]
    )


def between(start: datetime, end: datetime) -> list[Consent]:
    """Return all consents given in the half-open time, the latest first; three queries."""
    return _latest_first(
        [
            *_of_orders(Order.objects.filter(placed_at__gte=start, placed_at__lt=end)),
            *_of_methods(PaymentMethod.objects.filter(created_at__gte=start, created_at__lt=end)),
            *_of_auto_top_ups(AutoTopUp.objects.filter(agreed_at__gte=start, agreed_at__lt=end)),
        ]
    )


def _of_orders(orders: Any) -> Iterator[Consent]:
    for order in orders.select_related("customer"):
        yield from _boxes(order.consents, order.customer, order, order.placed_at)


def _of_methods(methods: Any) -> Iterator[Consent]:
    for method in methods.select_related("customer"):
        if method.consent:
            customer = method.customer
            yield _consent("keep_method", method.consent, customer, method, method.created_at)


def _of_auto_top_ups(standing: Any) -> Iterator[Consent]:
    for each in standing.select_related("subscription__customer"):
        yield from _boxes(each.consent, each.subscription.customer, each, each.agreed_at)


def _boxes(
    boxes: dict[str, Any], customer: Customer, row: Model, at: datetime
) -> Iterator[Consent]:
    """Give each box of a form that was ticked, by its name."""
    for purpose, given in boxes.items():
        if isinstance(given, dict):
            yield _consent(purpose, given, customer, row, at)


def _consent(
    purpose: str, given: dict[str, Any], customer: Customer, row: Model, at: datetime
) -> Consent:
    """Return one consent; its own time where it was kept, else its row's."""
    said_at = parse_datetime(str(given.get("at", ""))) or at
    known = PURPOSES.get(purpose, purpose)
    version, text = str(given.get("version", "")), str(given.get("text", ""))
    return Consent(said_at, known, version or _("none"), text, customer, row)


def _latest_first(found: list[Consent]) -> list[Consent]:
    return sorted(found, key=lambda each: each.at, reverse=True)
