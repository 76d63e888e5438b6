"""Django system checks: a gateway that cannot be loaded stops the start, not the first customer."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.utils.module_loading import import_string

from billing import gateways
from billing.gateways.base import Gateway, NotConfigured

METHODS = sorted(
    name for name, value in vars(Gateway).items() if callable(value) and name[0] != "_"
)


def check_gateways(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Every gateway resolves, keeps the protocol and accepts its settings. Speaks to nobody."""
    broken = [error for kind, path in gateways.GATEWAYS.items() for error in _flaws(kind, path)]
    return broken or [error for code in gateways.codes() for error in _refusals(code)]


def check_real_money(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """For `check --deploy`: the simulated gateway and test modes give goods away for nothing."""
    found: list[CheckMessage] = []
    for gateway in gateways.offered():
        if gateway.code == "simulated":
            text = "The simulated gateway is offered: customers can buy without paying."
            found.append(Warning(text, hint="Empty SIMULATED_GATEWAY_URL.", id="billing.W001"))
        elif gateway.code in settings.GATEWAY_ACCOUNTS and not gateway.livemode:
            text = f"Gateway {gateway.code} is in test mode: customers can buy without paying."
            found.append(Warning(text, hint="Give it the keys of live mode.", id="billing.W002"))
    return found


def _flaws(kind: str, path: str) -> list[CheckMessage]:
    try:
        adapter = import_string(path)
    except ImportError as error:
        return [Error(f"Gateway {kind}: {error}", id="billing.E001")]
    missing = [name for name in METHODS if not callable(getattr(adapter, name, None))]
    if missing:
        return [Error(f"Gateway {kind}: {path} lacks {missing}", id="billing.E002")]
    return []


def _refusals(code: str) -> list[CheckMessage]:
    try:
        gateway = gateways.get(code)
    except NotConfigured:
        return []
    except (KeyError, TypeError, ValueError) as error:
        return [Error(f"Gateway {code}: wrong settings, {error!r}", id="billing.E003")]
    if gateway.code != code:
        return [Error(f"Gateway {code}: calls itself {gateway.code}", id="billing.E002")]
    return []
