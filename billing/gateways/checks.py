"""Django system checks: a gateway that cannot be loaded stops the start, not the first customer."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Warning
from django.utils.module_loading import import_string

from billing.gateways import GATEWAYS, offered
from billing.gateways.base import Gateway, NotConfigured

METHODS = sorted(
    name for name, value in vars(Gateway).items() if callable(value) and name[0] != "_"
)


def check_gateways(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Every gateway resolves, keeps the protocol and accepts its settings. Speaks to nobody."""
    return [error for code, path in GATEWAYS.items() for error in _problems(code, path)]


def check_no_simulated_gateway(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """For `check --deploy`: the simulated gateway gives goods away for nothing."""
    if any(gateway.code == "simulated" for gateway in offered()):
        text = "The simulated gateway is offered: customers can buy without paying."
        return [Warning(text, hint="Empty SIMULATED_GATEWAY_URL.", id="billing.W001")]
    return []


def _problems(code: str, path: str) -> list[CheckMessage]:
    try:
        adapter = import_string(path)
    except ImportError as error:
        return [Error(f"Gateway {code}: {error}", id="billing.E001")]
    missing = [name for name in METHODS if not callable(getattr(adapter, name, None))]
    if missing or adapter.code != code:
        text = f"Gateway {code}: {path} lacks {missing or 'the right code'}"
        return [Error(text, id="billing.E002")]
    try:
        adapter()
    except NotConfigured:
        return []
    except (KeyError, TypeError, ValueError) as error:
        return [Error(f"Gateway {code}: wrong settings, {error!r}", id="billing.E003")]
    return []
