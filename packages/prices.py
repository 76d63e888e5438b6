"""The one way in which a price of the catalogue changes; what it was stays on record."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from packages.models import Package, Price
from packages.money import Money
from packages.states import record

PRICED = "priced"
WORDS = {"amount_minor": "price", "setup_minor": "set-up fee", "credit_minor": "credit"}
NONE = "–"
# Cycle and currency.
Place = tuple[str, str]


def write(
    package: Package, wanted: Mapping[Place, Mapping[str, Any]], *, at: datetime, actor: str
) -> None:
    """Write these fields of a package's prices, and leave an entry for each price that changes.

    Needs an open transaction and locks the package's prices; a repetition changes nothing.
    """
    found = {(each.cycle, each.currency): each for each in _held(package)}
    for place, fields in wanted.items():
        price = found.get(place) or _unsold(package, place)
        if all(getattr(price, name) == value for name, value in fields.items()):
            continue
        before = _sums(price)
        for name, value in fields.items():
            setattr(price, name, value)
        price.save()
        said = _difference(before, _sums(price))
        if said:
            reason = f"{price.currency} {price.cycle}: {said}"
            record("package", package.pk, "", PRICED, at=at, actor=actor, reason=reason)


def _held(package: Package) -> list[Price]:
    return list(Price.objects.select_for_update().filter(package=package).order_by("pk"))


def _unsold(package: Package, place: Place) -> Price:
    """Return a price that there is not yet, as if it were archived."""
    cycle, currency = place
    return Price(package=package, cycle=cycle, currency=currency, archived=True)


def _sums(price: Price) -> dict[str, str]:
    """Return each sum as it is written down; none of what is not sold."""
    if price.archived:
        return dict.fromkeys(WORDS, NONE)
    return {name: str(Money(getattr(price, name), price.currency).decimal()) for name in WORDS}


def _difference(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    changed = [name for name in WORDS if before[name] != after[name]]
    return ", ".join(f"{WORDS[name]} {before[name]} → {after[name]}" for name in changed)
