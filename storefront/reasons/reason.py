"""One answer to "Why?", and the words that several of them share."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from django.utils.translation import gettext as _

from packages import countries
from packages.money import Money
from storefront.templatetags.money import money_filter, percent


class Input(NamedTuple):
    """What the rule was given, in words; `link` is where that is read."""

    label: str
    value: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """One answer. `event` is what made it so, `link` where that is read; `anchor` is what the small
    "Why?" beside the number leads to.
    """

    anchor: str
    title: str
    rule: str
    inputs: list[Input] = field(default_factory=list)
    event: str = ""
    link: str = ""


def why(amount: Money) -> str:
    return _("Why %(amount)s?") % {"amount": money_filter(amount)}


def adds_up(*, gross: bool) -> str:
    if gross:
        return _("Quantity times agreed price, VAT included, line by line.")
    return _("Quantity times agreed price, line by line, then VAT on top.")


def counted(quantity: int, description: str) -> str:
    return description if quantity == 1 else f"{quantity} × {description}"


def rates(groups: Iterable[tuple[int, Money, Money]]) -> list[Input]:
    """Return rate, net and tax of each group, in words."""
    said = _("%(rate)s of %(net)s")
    return [
        Input(said % {"rate": percent(rate_bp), "net": money_filter(net)}, money_filter(tax))
        for rate_bp, net, tax in groups
    ]


def known(buyer: dict[str, str]) -> list[Input]:
    """Return what the VAT hangs on that the buyer told us."""
    country = buyer.get("country", "")
    said = [
        Input(_("Country"), countries.name(country)),
        Input(_("VAT number"), buyer.get("vat_id", "")),
    ]
    return [each for each in said if each.value]
