"""The prices of a package as one table: cycles down, currencies across, as people write amounts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from packages import drafts, prices
from packages.desk.cells import EMPTY, amount_of
from packages.models import Cycle, Package
from packages.money import Money, exponent

SUMS = ("amount", "setup", "credit")


@dataclass(frozen=True, slots=True)
class Cell:
    """One sum of one price."""

    sum: str
    cycle: Cycle
    currency: str

    @property
    def name(self) -> str:
        return f"{self.sum}_{self.cycle}_{self.currency}"


class PriceTable:
    """Reads a package's prices into fields of a form, and the form's back into prices.

    An emptied price is archived: what was bought by it stays.
    """

    def __init__(self, package: Package, currencies: list[str]) -> None:
        self.package = package
        self.cycles = drafts.cycles_of(package.kind)
        known = list(package.prices.all()) if package.pk else []
        more = sorted({each.currency for each in known if not each.archived} - set(currencies))
        self.currencies = [*currencies, *more]
        self.prices = {(each.cycle, each.currency): each for each in known}

    @property
    def sums(self) -> dict[str, str]:
        """Return the head of each column of a currency: set-up fees are for services alone."""
        heads = {"amount": _("price"), "setup": _("set-up fee"), "credit": _("credit")}
        if self.package.kind == Package.Kind.TOP_UP:
            del heads["setup"]
        return heads

    def add_to(self, form: forms.BaseForm) -> None:
        """Give the form a field for each cell, filled with what is stored."""
        for cell in self._cells():
            form.fields[cell.name] = self._field(cell)
            form.initial[cell.name] = self._stored(cell)

    def check(self, form: forms.BaseForm) -> None:
        """Say where a fee or credit has no price, and where a top-up has no credit."""
        given = form.cleaned_data
        tops_up = self.package.kind == Package.Kind.TOP_UP
        for cycle, currency in self._pairs():
            sums = {each: given.get(Cell(each, cycle, currency).name) for each in SUMS}
            first = Cell("amount", cycle, currency).name
            if sums["amount"] is None and (sums["setup"] or sums["credit"]):
                form.add_error(first, _("Enter the price too; 0 if there is none."))
            if tops_up and sums["amount"] is not None and not sums["credit"]:
                last = Cell("credit", cycle, currency).name
                form.add_error(last, _("A top-up sells credit: enter how much."))

    def has_price(self, form: forms.BaseForm) -> bool:
        names = [Cell("amount", *pair).name for pair in self._pairs()]
        return any(form.cleaned_data.get(name) is not None for name in names)

    def save(self, given: dict[str, Any], package: Package, *, at: datetime, actor: str) -> None:
        """Store what the form gave, one row for each cycle and currency that has a price."""
        wanted: dict[prices.Place, dict[str, Any]] = {}
        for cycle, currency in self._pairs():
            sums = {each: given.get(Cell(each, cycle, currency).name) for each in SUMS}
            if sums["amount"] is None:
                wanted[cycle, currency] = {"archived": True}
                continue
            minors = {f"{each}_minor": _minor(sums[each], currency) for each in SUMS}
            wanted[cycle, currency] = {**minors, "archived": False}
        prices.write(package, wanted, at=at, actor=actor)

    def rows(self, form: forms.BaseForm) -> Iterator[dict[str, Any]]:
        """Give each cycle with its cells: the field to fill in, and the sum in words."""
        for cycle in self.cycles:
            cells = [
                {
                    "field": form[cell.name] if cell.name in form.fields else None,
                    "text": self._text(cell),
                    "label": f"{capfirst(self.sums[cell.sum])} {cell.currency}",
                    "first": cell.sum == "amount",
                }
                for cell in self._cells()
                if cell.cycle == cycle
            ]
            yield {"cycle": capfirst(cycle.label), "cells": cells}

    def _cells(self) -> Iterator[Cell]:
        for cycle, currency in self._pairs():
            for each in self.sums:
                yield Cell(each, cycle, currency)

    def _pairs(self) -> Iterator[tuple[Cycle, str]]:
        for cycle in self.cycles:
            for currency in self.currencies:
                yield cycle, currency

    def _field(self, cell: Cell) -> forms.DecimalField:
        words = {"cycle": capfirst(cell.cycle.label), "sum": self.sums[cell.sum]}
        label = _("%(cycle)s, %(currency)s: %(sum)s") % {**words, "currency": cell.currency}
        shown = {"inputmode": "decimal", "autocomplete": "off", "aria-label": label, "size": 8}
        return forms.DecimalField(
            label=label,
            required=False,
            min_value=0,
            max_digits=12,
            decimal_places=exponent(cell.currency),
            localize=True,
            widget=forms.TextInput(attrs=shown),
        )

    def _stored(self, cell: Cell) -> Decimal | None:
        price = self.prices.get((cell.cycle, cell.currency))
        if price is None or price.archived:
            return None
        money: Money = getattr(price, cell.sum)
        return money.decimal() if money or cell.sum == "amount" else None

    def _text(self, cell: Cell) -> str:
        price = self.prices.get((cell.cycle, cell.currency))
        if price is None or price.archived:
            return EMPTY
        return amount_of(getattr(price, f"{cell.sum}_minor"), cell.currency)


def _minor(value: Decimal | None, currency: str) -> int:
    return Money.of_decimal(value, currency).minor if value else 0
