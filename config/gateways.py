"""Accounts at gateways, as the environment names them: the code in capitals begins each name."""

from typing import Any

from config.env import env, env_secret


def stripe_accounts() -> dict[str, dict[str, Any]]:
    """Return the accounts of STRIPE_ACCOUNTS that have a secret key (docs/gateways.md)."""
    codes = env.list("STRIPE_ACCOUNTS", default=["stripe"])
    found = {code: _stripe(code.upper()) for code in codes}
    return {code: account for code, account in found.items() if account["secret_key"]}


def _stripe(prefix: str) -> dict[str, Any]:
    currencies = env.list(f"{prefix}_CURRENCIES", default=[])
    return {
        "kind": "stripe",
        "secret_key": env_secret(f"{prefix}_SECRET_KEY", default=""),
        "webhook_secrets": env_secret(f"{prefix}_WEBHOOK_SECRETS", default="").split(),
        "account": env.str(f"{prefix}_ACCOUNT", default=""),
        "label": env.str(f"{prefix}_LABEL", default=""),
        "currencies": _taken(currencies),
        "method_configuration": env.str(f"{prefix}_METHOD_CONFIGURATION", default=""),
        "api_base": env.str(f"{prefix}_API_BASE", default=""),
        "page_origin": env.str(f"{prefix}_PAGE_ORIGIN", default="https://checkout.stripe.com"),
    }


def paypal_accounts() -> dict[str, dict[str, Any]]:
    """Return the accounts of PAYPAL_ACCOUNTS that have a client id (docs/gateways.md)."""
    codes = env.list("PAYPAL_ACCOUNTS", default=["paypal"])
    found = {code: _paypal(code.upper()) for code in codes}
    return {code: account for code, account in found.items() if account["client_id"]}


def _paypal(prefix: str) -> dict[str, Any]:
    environment = env.str(f"{prefix}_ENVIRONMENT", default="sandbox")
    pages = "https://www.paypal.com" if environment == "live" else "https://www.sandbox.paypal.com"
    return {
        "kind": "paypal",
        "environment": environment,
        "client_id": env.str(f"{prefix}_CLIENT_ID", default=""),
        "client_secret": env_secret(f"{prefix}_CLIENT_SECRET", default=""),
        "webhook_ids": env.str(f"{prefix}_WEBHOOK_IDS", default="").split(),
        "account": env.str(f"{prefix}_ACCOUNT", default=""),
        "label": env.str(f"{prefix}_LABEL", default=""),
        "currencies": _taken(env.list(f"{prefix}_CURRENCIES", default=[])),
        "api_base": env.str(f"{prefix}_API_BASE", default=""),
        "roots": env.str(f"{prefix}_ROOTS", default=""),
        "page_origin": env.str(f"{prefix}_PAGE_ORIGIN", default=pages),
    }


def _taken(currencies: list[str]) -> frozenset[str] | None:
    """Read `none` as an account that is being left; nothing at all as one that takes any."""
    if currencies == ["none"]:
        return frozenset()
    return frozenset(currencies) or None
