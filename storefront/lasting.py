"""How long a service's credit lasts, as far as its readings tell, in words."""

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from billing.models import Subscription
from billing.usage import Forecast
from packages.periods import business_day
from storefront.templatetags.money import day


@dataclass(frozen=True, slots=True)
class Lasts:
    """Until when: `on` is the day on which the credit ends at this rate, None where it does not."""

    text: str
    on: date | None = None
    # What comes before the credit ends, and makes more than that unknowable: the next renewal, or
    # the service's own end.
    renewal_on: date | None = None
    service_ends_on: date | None = None


def of(subscription: Subscription, forecast: Forecast, *, today: date) -> Lasts | None:
    """Say until when the credit lasts; None where nobody knows.

    What ends after the next renewal or the service's own end is not foretold: a renewal changes
    what is left, so that it is enough until then is all that is true.
    """
    account = subscription.account
    if account is None or not forecast.known:
        return None
    if forecast.far:
        return Lasts(_("enough for more than a year"))
    if forecast.ends_at is None:
        return Lasts(_("not used in the last seven days")) if account.balance_minor else None
    on = business_day(forecast.ends_at, subscription.zone)
    if account.balance_minor is not None and account.balance_minor <= 0:
        return Lasts(_("used up"), on)
    if subscription.ends_on is not None and on >= subscription.ends_on:
        words = {"date": day(subscription.ends_on)}
        text = _("enough until the service ends on %(date)s") % words
        return Lasts(text, service_ends_on=subscription.ends_on)
    if _refilled_before(subscription, on, today=today):
        words = {"date": day(subscription.paid_until)}
        text = _("enough until the renewal on %(date)s") % words
        return Lasts(text, renewal_on=subscription.paid_until)
    return Lasts(_("enough until about %(date)s") % {"date": day(on)}, on)


def _refilled_before(subscription: Subscription, on: date, *, today: date) -> bool:
    until = subscription.paid_until
    return bool(subscription.credit_minor) and until is not None and today < until <= on
