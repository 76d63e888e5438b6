"""Say that credit runs low: one mail each time a balance falls below what its customer chose."""

from datetime import datetime

from django.db import transaction
from django.db.models import BigIntegerField, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from billing import top_up_emails
from billing.models import Subscription, TopUpTerms
from packages.money import Money
from provisioning.models import Account

CHUNK = 500


def below_of(subscription: Subscription) -> Money:
    """Return the balance below which the customer gets a mail; zero for never."""
    minor = subscription.low_minor
    if minor is None:
        terms = TopUpTerms.objects.filter(currency=subscription.currency).first()
        minor = terms.low_minor if terms else 0
    return Money(minor, subscription.currency)


def with_below(rows: QuerySet[Subscription]) -> QuerySet[Subscription]:
    """Let each row say in `below` from which sum on its credit is low: its own, else the shop's."""
    usual = TopUpTerms.objects.filter(currency=OuterRef("currency")).values("low_minor")[:1]
    chosen = Coalesce(F("low_minor"), Subquery(usual), output_field=BigIntegerField())
    return rows.annotate(below=chosen)


def choose(subscription: Subscription, below: Money | None) -> None:
    """Let the customer choose the sum: None is the shop's, zero turns the mails off."""
    minor = None if below is None else below.minor
    Subscription.objects.filter(pk=subscription.pk).update(low_minor=minor)


def watch(*, at: datetime) -> int:
    """Mail those whose balance has fallen below their sum since it was not; return how many.

    Goes by the balances as last read. One conditional UPDATE decides who mails, so a repetition
    and a second sweep change nothing; a balance that rises again makes the next fall count.
    """
    _watched().filter(low_armed=False, account__balance_minor__gte=F("below")).update(
        low_armed=True
    )
    fallen = _watched().filter(
        low_armed=True,
        state=Subscription.State.ACTIVE,
        account__state=Account.State.LIVE,
        account__balance_minor__lt=F("below"),
    )
    rows = fallen.select_related("customer", "account", "package").order_by("pk")
    return sum(_tell(each, below=below_of(each), at=at) for each in rows[:CHUNK])


def _watched() -> QuerySet[Subscription]:
    """Return the services whose balance is known and watched, with their sum as `below`."""
    rows = with_below(Subscription.objects.all())
    return rows.filter(Q(below__gt=0), account__balance_minor__isnull=False)


def _tell(subscription: Subscription, *, below: Money, at: datetime) -> bool:
    with transaction.atomic():
        mine = Subscription.objects.filter(pk=subscription.pk, low_armed=True)
        if not mine.update(low_armed=False):
            return False
        top_up_emails.low_balance(subscription, below=below, at=at)
    return True
