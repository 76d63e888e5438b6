"""Gateways by the names that readers know, where rows hold their codes."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from billing import gateways


def called(code: str) -> str:
    """Return the gateway's name as it stands alone, in a cell or a line of its own."""
    return capfirst(str(gateways.named(code)))


class GatewayFilter(admin.AllValuesFieldListFilter):
    """Rows of one gateway, by its name."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        codes: Any = self.lookup_choices
        for choice in super().choices(changelist):
            shown = choice["display"]
            yield {**choice, "display": called(str(shown)) if shown in codes else shown}


class OfGateway:
    """Pages of rows with a gateway: its column and its line show the name."""

    @admin.display(description=_("gateway"), ordering="gateway")
    def gateway_name(self, row: Any) -> str:
        return called(row.gateway)
