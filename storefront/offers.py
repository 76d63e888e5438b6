"""The catalogue as a reader sees it: packages with the price in their currency and cycle."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from packages.models import Cycle, Package, PackageGroup, Price, Rate, Service
from packages.money import Money
from packages.periods import MONTHS


@dataclass(frozen=True, slots=True)
class Offer:
    """One package at the price of the reader's cycle, and its other prices beside it."""

    package: Package
    price: Price
    prices: tuple[Price, ...]
    rates: tuple[Rate, ...]

    @property
    def per(self) -> str:
        return per(self.price.cycle)

    @property
    def from_rate(self) -> Rate | None:
        """Return the cheapest rate of the first service that has one, voice before all."""
        return self.rates[0] if self.rates else None

    @property
    def saving(self) -> Money | None:
        return saving(self.price, self.prices)

    @property
    def a_month(self) -> Money | None:
        return a_month(self.price)


@dataclass(frozen=True, slots=True)
class Shelf:
    """A group of the package list with what it offers now."""

    group: PackageGroup
    offers: tuple[Offer, ...]


def per(cycle: str) -> str:
    """Return how often a price is charged as one says it behind an amount; nothing for once."""
    return {
        Cycle.ONE_TIME: "",
        Cycle.MONTHLY: _("a month"),
        Cycle.QUARTERLY: _("a quarter"),
        Cycle.HALF_YEARLY: _("every six months"),
        Cycle.YEARLY: _("a year"),
        Cycle.TWO_YEARLY: _("every two years"),
    }[Cycle(cycle)]


def per_unit(service: str) -> str:
    """Return what one unit of a service is, as one says it behind a rate."""
    return {
        Service.VOICE: _("a minute"),
        Service.FAX: _("a page"),
        Service.SMS: _("a message"),
        Service.EMAIL: _("a message"),
    }[Service(service)]


def a_month(price: Price) -> Money | None:
    """Return what a longer cycle costs a month, None where that says nothing new."""
    months = MONTHS.get(Cycle(price.cycle), 1)
    return price.amount.fraction(1, months) if months > 1 and price.amount else None


def saving(price: Price, prices: Iterable[Price]) -> Money | None:
    """Return how much less a longer cycle costs than that time paid monthly, None if not."""
    months = MONTHS.get(Cycle(price.cycle), 1)
    monthly = next((each for each in prices if each.cycle == Cycle.MONTHLY), None)
    if months == 1 or monthly is None:
        return None
    less = monthly.amount.times(months) - price.amount
    return less if less.minor > 0 else None


def shelves(currency: str, cycle: str) -> list[Shelf]:
    """Return the groups with their visible packages; the same few queries for any catalogue."""
    groups = PackageGroup.objects.prefetch_related(
        Prefetch("packages", queryset=_on_sale(currency), to_attr="on_sale")
    )
    found = []
    for group in groups:
        offers = offers_of(getattr(group, "on_sale"), cycle)  # noqa: B009 - made by the prefetch
        if offers:
            found.append(Shelf(group, tuple(offers)))
    return found


def offer_of(slug: str, currency: str, cycle: str) -> Offer | None:
    """Return one package as it is offered now, None if it is not, or not in this currency."""
    found = offers_of(_on_sale(currency).select_related("group").filter(slug=slug), cycle)
    return found[0] if found else None


def as_offered(package: Package, currency: str, cycle: str) -> Offer | None:
    """Return any package as it would be offered, also one that is hidden or a draft."""
    found = offers_of(_priced(Package.objects.filter(pk=package.pk), currency), cycle)
    return found[0] if found else None


def offers_of(packages: Iterable[Package], cycle: str) -> list[Offer]:
    return [
        Offer(package, best(prices, cycle), tuple(prices), tuple(_rates(package)))
        for package in packages
        if (prices := _by_length(getattr(package, "now")))  # noqa: B009 - made by the prefetch
    ]


def best(prices: list[Price], cycle: str) -> Price:
    """Return the price of that cycle, else the shortest."""
    return next((each for each in prices if each.cycle == cycle), prices[0])


def cycles_of(found: Iterable[Shelf]) -> list[Cycle]:
    """Return the recurring cycles that any package on the shelves has, the shortest first."""
    offered = {price.cycle for shelf in found for offer in shelf.offers for price in offer.prices}
    return [cycle for cycle in MONTHS if cycle in offered]


def _on_sale(currency: str) -> QuerySet[Package]:
    return _priced(Package.objects.filter(visible=True, archived=False), currency)


def _priced(packages: QuerySet[Package], currency: str) -> QuerySet[Package]:
    prices = Price.objects.filter(currency=currency, archived=False)
    rates = Rate.objects.filter(currency=currency)
    return packages.select_related("tariff").prefetch_related(
        Prefetch("prices", queryset=prices, to_attr="now"),
        Prefetch("tariff__rates", queryset=rates, to_attr="excerpt"),
    )


def _by_length(prices: Iterable[Price]) -> list[Price]:
    return sorted(prices, key=lambda each: (MONTHS.get(Cycle(each.cycle), 0), each.amount_minor))


def _rates(package: Package) -> list[Rate]:
    """Return the excerpt for the services that the package opens, cheapest first in each."""
    if package.tariff is None:
        return []
    order = [service for service in Service.values if service in package.services]
    rates = getattr(package.tariff, "excerpt")  # noqa: B009 - made by the prefetch
    opened = [rate for rate in rates if rate.service in order]
    return sorted(opened, key=lambda rate: (order.index(rate.service), rate.price_micro))
