"""Price campaigns: several prices that change on one day, previewed together and made at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from billing import locks, price_changes
from billing.models import Brand, CampaignPrice, PriceCampaign, PriceChange
from billing.price_changes import Concerned, NotPossible
from packages.models import Price
from packages.money import Money, total
from packages.periods import MONTHS, Cycle
from packages.states import insert

# In each cycle a whole number of these makes up what is paid in two years.
TWO_YEARS = 24


@dataclass(frozen=True, slots=True)
class Monthly:
    """What the services concerned pay a month by the catalogue, in one currency."""

    before: Money
    after: Money

    @property
    def difference(self) -> Money:
        return self.after - self.before


def add(campaign: PriceCampaign, prices: Iterable[Price], *, percent_bp: int) -> None:
    """Add those of the prices that the campaign does not have yet; a repetition changes nothing."""
    new = [CampaignPrice(campaign=campaign, price=each, percent_bp=percent_bp) for each in prices]
    CampaignPrice.objects.bulk_create(new, ignore_conflicts=True)


def changes_of(campaign: PriceCampaign) -> list[PriceChange]:
    """Return the price changes that it makes, computed from the prices of now; reads only."""
    return [
        PriceChange(
            price=each.price,
            state=PriceChange.State.CONFIRMED,
            amount_minor=each.after.minor,
            credit_minor=each.price.credit_minor,
            effective_on=campaign.effective_on,
            existing=campaign.existing,
            notice_days=campaign.notice_days,
            campaign=campaign,
        )
        for each in campaign.prices.select_related("price__package").order_by(
            "price__package__position", "price__package", "price__currency", "price__amount_minor"
        )
    ]


def concerned(
    changes: Sequence[PriceChange], brand: Brand, *, on: date
) -> list[tuple[PriceChange, list[Concerned]]]:
    """Return whom each change concerns that is told on that day; a query each, reads only."""
    return [(each, price_changes.concerned(each, brand, on=on)) for each in changes]


def monthly(found: Sequence[Concerned]) -> list[Monthly]:
    """Return what they pay a month now and then, by currency; rounded once, at the end."""
    sums: dict[str, tuple[list[Money], list[Money]]] = {}
    for each in found:
        times = TWO_YEARS // MONTHS[Cycle(each.subscription.cycle)]
        before, after = sums.setdefault(each.subscription.currency, ([], []))
        before.append(each.before.times(times))
        after.append(each.after.times(times))
    return [
        Monthly(*(total(each, code).fraction(1, TWO_YEARS) for each in both))
        for code, both in sorted(sums.items())
    ]


def confirm(campaign: PriceCampaign, *, on: date, at: datetime, actor: str) -> PriceCampaign:
    """Make each price's change, confirmed; the next run tells whom they concern. Locks it.

    Raises NotPossible, and nothing is changed, when it is no draft any more, its day has passed, it
    has no price, or one would fall below zero.
    """
    with transaction.atomic():
        held = locks.take_price_campaign(campaign.pk)
        wanted = changes_of(held)
        fits = wanted and all(each.amount_minor >= 0 for each in wanted)
        if held.state != PriceCampaign.State.DRAFT or held.effective_on < on or not fits:
            raise NotPossible
        reason = f"campaign {held.pk}"
        insert(wanted, at=at, actor=actor, reason=reason)
        held.move(PriceCampaign.State.CONFIRMED, at=at, actor=actor, reason="confirmed")
    return held


def withdraw(campaign: PriceCampaign, *, at: datetime, actor: str) -> PriceCampaign:
    """Take it back before its day, with all its changes; who was told keeps the old price.

    Locks it and them; raises NotPossible once the catalogue has one of them.
    """
    with transaction.atomic():
        held = locks.take_price_campaign(campaign.pk)
        if held.state == PriceCampaign.State.WITHDRAWN:
            raise NotPossible
        standing = held.changes.exclude(state=PriceChange.State.WITHDRAWN)
        for each in standing.order_by("pk"):
            price_changes.withdraw(each, at=at, actor=actor)
        held.move(PriceCampaign.State.WITHDRAWN, at=at, actor=actor, reason="withdrawn")
    return held
