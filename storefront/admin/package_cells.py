"""What stands in one cell about a package: whether it is sold, and for how much."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from packages.desk.cells import amount, badge
from packages.models import Package, Price


def state(row: Package) -> str:
    """Return whether the package is sold, as icon and word."""
    if row.draft:
        return badge("wait", _("draft"))
    if row.archived:
        return badge("", _("archived"))
    if not row.visible:
        return badge("warn", _("hidden"))
    return badge("ok", _("on sale")) if row.prices.all() else badge("bad", _("no price"))


def in_words(price: Price) -> str:
    """Return the price as one reads it: amount and cycle, set-up fee, credit."""
    parts = [_("%(amount)s %(cycle)s") % _words(price)]
    if price.setup:
        parts.append(_("set-up %(amount)s") % {"amount": amount(price.setup)})
    if price.credit:
        parts.append(_("credit %(amount)s") % {"amount": amount(price.credit)})
    return ", ".join(parts)


def shortest(prices: list[Price]) -> str:
    """Return the first price, and how many more there are."""
    lowest = _("%(amount)s %(cycle)s") % _words(prices[0])
    more = len(prices) - 1
    if not more:
        return lowest
    told = ngettext("%(lowest)s, %(count)s more", "%(lowest)s, %(count)s more", more)
    return told % {"lowest": lowest, "count": more}


def _words(price: Price) -> dict[str, Any]:
    return {"amount": amount(price.amount), "cycle": price.get_cycle_display()}
