"""A package as customers see it, or would: its card in each language and currency, and its page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from billing.models import Brand
from packages import clock
from packages.models import Cycle, Package
from provisioning import pools, servers
from provisioning.admin import roles
from storefront import offers, price_modes
from storefront.choices import Choices


@dataclass(frozen=True, slots=True)
class Side:
    """The package for readers of one language who look in one currency."""

    language: str
    currency: str
    offer: offers.Offer | None

    @property
    def url(self) -> str:
        return f"?language={self.language}&currency={self.currency}"


def of(package: Package, brand: Brand, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return what the preview shows; `asked` chooses language and currency of the page below."""
    languages = dict(settings.LANGUAGES)
    currencies = brand.currency_list
    language = asked.get("language", "")
    currency = asked.get("currency", "")
    language = language if language in languages else next(iter(languages))
    currency = currency if currency in currencies else currencies[0]
    by_currency = {
        each: offers.as_offered(package, each, str(Cycle.MONTHLY)) for each in currencies
    }
    return {
        "package": package,
        "sides": [Side(code, each, by_currency[each]) for code in languages for each in currencies],
        "language": language,
        "offer": by_currency[currency],
        "choices": Choices(
            currency, str(Cycle.MONTHLY), (currency,), price_modes.usual(brand, at=clock.now())
        ),
        "preview": True,
    }


def warnings(package: Package) -> list[str]:
    """Return what is dangerous or customers would stumble over though it could be sold."""
    found = []
    if servers.administers(package.role):
        found.append(roles.rules_dialler(package.role, servers.roles_known()))
    if not package.role and package.kind != Package.Kind.TOP_UP:
        found += [
            roles.rules_dialler(each.default_role, servers.roles_of(each))
            for each in pools.of(package).servers.filter(active=True)
            if servers.administers_by_default(each)
        ]
    if not package.name_de or not package.promise_de:
        found.append(_("German readers see the English texts where the German ones are missing."))
    if package.kind == Package.Kind.TOP_UP:
        return found
    for currency in sorted({each.currency for each in package.prices.all() if not each.archived}):
        try:
            pools.demand_seller(package, currency)
        except pools.NoServer:
            told = _("No dialler takes new accounts in %(currency)s: it cannot be ordered in it.")
            found.append(told % {"currency": currency})
    return found
