"""Gateways by the names that readers know, where rows hold their codes."""

from typing import Any

from django.contrib import admin
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from billing import gateways
from packages.desk import filters


def called(code: str) -> str:
    """Return the gateway's name as it stands alone, in a cell or a line of its own."""
    return capfirst(str(gateways.named(code)))


GatewayFilter = filters.named(called)


class OfGateway:
    """Pages of rows with a gateway: its column and its line show the name."""

    @admin.display(description=_("gateway"), ordering="gateway")
    def gateway_name(self, row: Any) -> str:
        return called(row.gateway)
