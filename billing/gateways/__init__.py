"""The gateways by code. Adding one is a module and a line here."""

from typing import cast

from django.utils.module_loading import import_string

from billing.gateways.base import Gateway, NotConfigured

GATEWAYS: dict[str, str] = {
    "simulated": "billing.gateways.simulated.SimulatedGateway",
    "bank_transfer": "billing.gateways.bank_transfer.BankTransfer",
}


def get(code: str) -> Gateway:
    """The gateway `code`. Raises KeyError for an unknown one, NotConfigured without settings."""
    return cast(Gateway, import_string(GATEWAYS[code])())


def offered() -> list[Gateway]:
    """The gateways this installation has settings for, in the order of GATEWAYS."""
    return [gateway for code in GATEWAYS if (gateway := _configured(code))]


def _configured(code: str) -> Gateway | None:
    try:
        return get(code)
    except NotConfigured:
        return None
