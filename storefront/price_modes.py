"""Prices with tax or without, as the reader wants to see them; what is charged does not change."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _

from billing import tax
from billing.models import Brand
from packages.money import Money
from packages.periods import business_day

# What readers may call themselves, and whether they see tax in prices.
READERS = {"private": True, "business": False}


@dataclass(frozen=True, slots=True)
class PriceMode:
    """Whether the reader sees tax in prices, and whether the catalogue's own contain it.

    Tax is at the seller's home rate in basis points: who buys is not known yet. It is None for a
    small business, which charges none, and 0 where the table has no rate; prices are shown as the
    catalogue has them then.
    """

    gross: bool
    catalogue_gross: bool
    rate_bp: int | None

    @property
    def readers(self) -> dict[str, str]:
        """Return who the reader may be, by code; nobody where all see the same."""
        words = {"private": _("Private"), "business": _("Business")}
        return words if self.rate_bp else {}

    @property
    def reader(self) -> str:
        return next(name for name, gross in READERS.items() if gross == self.gross)

    @property
    def note(self) -> str:
        """Return what stands below a price."""
        return _note(untaxed=self.rate_bp is None, gross=self.gross)

    @property
    def sentence(self) -> str:
        """Return what holds for all prices of a page."""
        if self.rate_bp is None:
            return _("Final prices; no VAT is charged.")
        if self.gross:
            return _("All prices include VAT. What you see is what you pay.")
        return _("All prices are plus VAT.")

    def shown(self, amount: Money) -> Money:
        """Return an amount of the catalogue as this reader sees it."""
        if self.gross == self.catalogue_gross or not self.rate_bp:
            return amount
        if self.gross:
            return amount + amount.percent(self.rate_bp)
        return amount - amount.included_percent(self.rate_bp)


def note_of(brand: Brand) -> str:
    """Return what stands beside an amount as the catalogue has it."""
    return _note(untaxed=brand.small_business, gross=brand.prices_include_tax)


def chosen(usual: PriceMode, reader: str) -> PriceMode:
    """Return the mode of a reader who said who they are."""
    return replace(usual, gross=READERS[reader])


def usual(brand: Brand, *, at: datetime) -> PriceMode:
    """Return the mode of a reader who chose none: prices as the catalogue has them."""
    on = business_day(at, brand.zone)
    rate_bp = None if brand.small_business else tax.known_rates().of(brand.country, on=on) or 0
    gross = brand.prices_include_tax
    return PriceMode(gross, gross, rate_bp)


def _note(*, untaxed: bool, gross: bool) -> str:
    if untaxed:
        return _("no VAT charged")
    return _("incl. VAT") if gross else _("plus VAT")
