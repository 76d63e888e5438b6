"""The mails about included units and credit that run out."""

from datetime import datetime
from typing import Any

from django.utils import translation

from billing import emails
from billing.models import Subscription
from billing.statements import Line
from billing.usage import Units
from packages.models import Service


def units_used(
    subscription: Subscription, units: Units, *, level: int, cause: str, at: datetime
) -> None:
    """Say that 80 or 100 % of a period's included units of one service are used; once per cause."""
    with translation.override(subscription.customer.language):
        service = str(Service(units.service).label)
    _mail(
        "units_used",
        subscription,
        {"units": units, "service": service, "level": level},
        cause,
        at=at,
    )


def credit_used(
    subscription: Subscription, line: Line, *, level: int, cause: str, at: datetime
) -> None:
    """Say that 80 or 100 % of a period's included credit is used; once per cause."""
    _mail("credit_used", subscription, {"line": line, "level": level}, cause, at=at)


def _mail(
    template: str, subscription: Subscription, context: dict[str, Any], cause: str, *, at: datetime
) -> None:
    words = {"account": subscription.account, **context}
    emails.about_service(template, cause, subscription, words, at=at)
