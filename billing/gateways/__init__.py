"""The gateways by code. A new kind is a module and a line here; a new account is settings alone.

Every row and webhook address carries the code of a configured account (`stripe`, `stripe_ch`).
What has one account only is configured by settings of its own, and its code is its kind's.
"""

from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

from billing.gateways.base import Gateway, NotConfigured

GATEWAYS: dict[str, str] = {
    "simulated": "billing.gateways.simulated.SimulatedGateway",
    "stripe": "billing.gateways.stripe.gateway.StripeGateway",
    "paypal": "billing.gateways.paypal.gateway.PayPalGateway",
    "bank_transfer": "billing.gateways.bank_transfer.BankTransfer",
}


def get(code: str, *, livemode: bool | None = None) -> Gateway:
    """The gateway `code`, in that mode where one is named; test and live never mix.

    Raises KeyError for an unknown one, NotConfigured without settings or in the other mode.
    """
    account = settings.GATEWAY_ACCOUNTS.get(code)
    kind = import_string(GATEWAYS[kind_of(code)])
    gateway = cast(Gateway, kind(code, account) if account else kind())
    if livemode not in (None, gateway.livemode):
        raise NotConfigured(f"{code} is in the other mode")
    return gateway


def kind_of(code: str) -> str:
    """Return the kind of the account `code`: a line of GATEWAYS."""
    account = settings.GATEWAY_ACCOUNTS.get(code)
    return str(account["kind"]) if account else code


def named(code: str) -> str:
    """Return what readers call the account `code`, also once it is configured no more."""
    gateway = _configured(code) if code in codes() else None
    return gateway.name if gateway else code.replace("_", " ")


def codes() -> list[str]:
    """All that may be configured, in the order of GATEWAYS."""
    return [code for kind in GATEWAYS for code in _accounts(kind) or [kind]]


def configured() -> list[Gateway]:
    """The gateways this installation has settings for, also those that take nothing new."""
    return [gateway for code in codes() if (gateway := _configured(code))]


def offered(currency: str = "") -> list[Gateway]:
    """The gateways to choose from, for payments in that currency or in any."""
    return [each for each in configured() if takes(each, currency)]


def takes(gateway: Gateway, currency: str = "") -> bool:
    """Whether the gateway takes new payments in the currency, or in any at all."""
    known = gateway.currencies
    return known is None or (currency in known if currency else bool(known))


def _accounts(kind: str) -> list[str]:
    accounts = settings.GATEWAY_ACCOUNTS.items()
    return [code for code, account in accounts if account["kind"] == kind]


def _configured(code: str) -> Gateway | None:
    try:
        return get(code)
    except NotConfigured:
        return None
