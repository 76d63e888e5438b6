"""Drafts: packages that are being made. Nobody can see or order one until it is published."""

from collections.abc import Iterable
from decimal import Decimal

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from packages.desk import Impossible
from packages.models import Cycle, Package, PackageGroup, Price, Tariff
from packages.money import Money
from packages.patterns import Pattern
from packages.periods import MONTHS

Text = str | Promise
# What a copy does not take over.
OWN = ("id", "slug", "name_en", "name_de", "draft", "visible", "archived", "recommended")


def begin(pattern: Pattern, currencies: Iterable[str]) -> Package:
    """Make a draft from a pattern, priced in these currencies, and its group if that is missing.

    Its tariff is the only one there is, where there is one alone.
    """
    slug, name_en, name_de = pattern.group
    tariffs = list(Tariff.objects.all()[:2])
    only = tariffs[0] if len(tariffs) == 1 and pattern.kind != Package.Kind.TOP_UP else None
    with transaction.atomic():
        group, _made = PackageGroup.objects.get_or_create(
            slug=slug, defaults={"name_en": name_en, "name_de": name_de}
        )
        package = Package.objects.create(
            slug=_free(pattern.code),
            kind=pattern.kind,
            group=group,
            name_en=pattern.en[0],
            promise_en=pattern.en[1],
            name_de=pattern.de[0],
            promise_de=pattern.de[1],
            tariff=only,
            draft=True,
            visible=False,
            **pattern.more,
        )
        for currency in currencies:
            _price(package, pattern, currency)
    return package


def copy(package: Package) -> Package:
    """Make a draft like the package, with its prices and what it may be exchanged for."""
    fields = [each.attname for each in Package._meta.concrete_fields if each.name not in OWN]
    with transaction.atomic():
        twin = Package.objects.create(
            slug=_free(package.slug),
            name_en=_named(package.name_en, "%s (copy)"),
            name_de=_named(package.name_de, "%s (Kopie)"),
            draft=True,
            visible=False,
            **{name: getattr(package, name) for name in fields},
        )
        twin.exchange_targets.set(package.exchange_targets.all())
        for price in package.prices.filter(archived=False):
            price.pk, price.package = None, twin
            price._state.adding = True
            price.save()
    return twin


def missing(package: Package) -> list[Text]:
    """Return what the package lacks to be sold, one sentence each."""
    lacks: list[Text] = []
    if package.kind != Package.Kind.TOP_UP:
        lacks += _limits(package)
    prices = [each for each in package.prices.all() if not each.archived]
    if not prices:
        lacks.append(_("It has no price: enter one in a currency or more."))
    if package.kind == Package.Kind.TOP_UP and not all(each.credit_minor for each in prices):
        lacks.append(_("A top-up sells credit: enter how much."))
    return lacks


def publish(package: Package) -> None:
    """Put a draft on sale. A second call changes nothing; raises Impossible while it lacks
    something.
    """
    lacks = missing(package)
    if lacks:
        raise Impossible(" ".join(map(str, lacks)))
    Package.objects.filter(pk=package.pk, draft=True).update(draft=False, visible=True)


def cycles_of(kind: str) -> list[Cycle]:
    """Return how often this kind of package may be charged."""
    return list(MONTHS) if kind == Package.Kind.SUBSCRIPTION else [Cycle.ONE_TIME]


def _limits(package: Package) -> list[Text]:
    """A package that opens an account says what the account may do."""
    demands = (
        (package.tariff_id, _("An account is rated by a tariff: choose one, or make a new one.")),
        (package.channels, _("An account needs channels to call: enter 1 or more.")),
        (package.services, _("Tick what the account may send: one service or more.")),
    )
    return [text for given, text in demands if not given]


def _price(package: Package, pattern: Pattern, currency: str) -> None:
    for cycle, sums in pattern.prices.items():
        amount, setup, credit = (Money.of_decimal(Decimal(each), currency).minor for each in sums)
        Price.objects.create(
            package=package,
            currency=currency,
            cycle=cycle,
            amount_minor=amount,
            setup_minor=setup,
            credit_minor=credit,
        )


def _named(name: str, form: str) -> str:
    """Return the name of a copy, cut so that it fits; empty stays empty."""
    longest = 80 - len(form)
    return form % name[:longest] if name else ""


def _free(slug: str) -> str:
    """Return the address, or the first of slug-2, slug-3, … that no package has."""
    taken = set(Package.objects.filter(slug__startswith=slug).values_list("slug", flat=True))
    candidates = (f"{slug[:45]}-{number}" for number in range(2, len(taken) + 3))
    return slug if slug not in taken else next(each for each in candidates if each not in taken)
