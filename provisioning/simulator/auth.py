"""Who calls: the three variants real servers take, each of which can be switched off."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from provisioning.simulator import accounts, tokens
from provisioning.simulator.accounts import Account
from provisioning.simulator.outcomes import Unauthorised
from provisioning.simulator.switches import Switches

FORM_FIELDS = {"form": ("username", "password"), "form_legacy": ("api_username", "api_password")}


def caller_of(
    db: sqlite3.Connection,
    arguments: dict[str, str],
    authorization: str,
    *,
    switches: Switches,
    at: datetime,
) -> Account:
    """Return the account that calls; raise Unauthorised, also for a suspended one and for Basic."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() == "bearer" and switches.auth_variants in {"all", "bearer"}:
        return _active(accounts.by_id(db, tokens.account_id(db, token.strip(), at=at)))
    for variant, (name, password) in FORM_FIELDS.items():
        if not authorization and name in arguments and switches.auth_variants in {"all", variant}:
            return login(db, arguments[name], arguments.get(password, ""))
    raise Unauthorised("Authentication required")


def login(db: sqlite3.Connection, username: str, password: str) -> Account:
    """Return the active account with this name and password, or raise Unauthorised."""
    account = accounts.by_name(db, username)
    if account is None or not accounts.has_password(account, password):
        raise Unauthorised("Invalid username or password")
    return _active(account)


def _active(account: Account | None) -> Account:
    if account is None or not account["active"]:
        raise Unauthorised("Account is not active")
    return account
