"""The dialler: what may be asked of it, and nothing of how it is reached.

Reads answer with what the server clearly showed, or raise. Commands return only after a clear yes;
otherwise the error says what is known: `NotSent`, `Refused` and `Misconfigured` mean certainly no
effect, `Unknown` means look first. No method retries, locks or opens a transaction; each speaks
HTTP and ends within `Endpoint.operation_timeout_seconds`.
"""

from __future__ import annotations

from collections.abc import Mapping as ReadOnlyDict
from typing import Protocol

from packages.money import Money
from provisioning.dialler.errors import (
    DiallerError,
    Misconfigured,
    NotAllowed,
    NotSent,
    Refused,
    Unknown,
)
from provisioning.dialler.mapping import CAPABILITIES, Capability, Mapping, MappingError
from provisioning.dialler.values import (
    SERVICES,
    AccountSpec,
    Auth,
    Endpoint,
    Limits,
    Profile,
    RemoteAccount,
    Role,
    Usage,
)

__all__ = [
    "CAPABILITIES",
    "SERVICES",
    "AccountSpec",
    "Auth",
    "Capability",
    "Dialler",
    "DiallerError",
    "Endpoint",
    "Limits",
    "Mapping",
    "MappingError",
    "Misconfigured",
    "NotAllowed",
    "NotSent",
    "Profile",
    "Refused",
    "RemoteAccount",
    "Role",
    "Unknown",
    "Usage",
]


class Dialler(Protocol):
    """One server. An operation whose capability is `manual` raises `Misconfigured` and sends
    nothing.
    """

    @property
    def capabilities(self) -> ReadOnlyDict[str, Capability]:
        """For each of `CAPABILITIES`, whether the API can do it or a person must."""

    def check(self) -> tuple[Role, ...]:
        """Prove address, credentials and rights by a harmless read; return the server's roles, none
        where the mapping names no method for them.
        """

    def find(self, username: str) -> RemoteAccount | None:
        """Return the account that holds this name, None only if the server clearly said there is
        none.

        The server folds case: the caller compares `.username`, a differing one is somebody else's
        account.
        """

    def get(self, remote_id: str) -> RemoteAccount | None:
        """Return the account with this id, None only if the server clearly said there is none."""

    def list_accounts(self) -> tuple[RemoteAccount, ...]:
        """Return every account the server lists, for audit and import."""

    def usage(self, remote_id: str) -> Usage | None:
        """Return the totals of the account's campaigns, None if there are too many to ask for.

        Makes one call for the list and one for each campaign.
        """

    def create(self, spec: AccountSpec, *, password: str, marker: str) -> str | None:
        """Create the account, active, with its limits; return its id when the server tells it.

        Not repeatable: the username is the natural key, `find` it before and after an `Unknown`.
        """

    def update_limits(self, remote_id: str, limits: Limits) -> None:
        """Set tariff, channels, services and units to these absolute values. Repeatable."""

    def set_active(self, remote_id: str, *, active: bool) -> None:
        """Suspend or resume: balance and data stay. Repeatable."""

    def set_password(self, remote_id: str, *, password: str) -> None:
        """Set the password. Repeatable; cannot be verified by reading."""

    def credit(self, remote_id: str, amount: Money, *, reference: str) -> None:
        """Add the amount (negative takes it back, capability `debit`) with our reference in its
        description.

        Never repeatable: twice sent is twice credited. Raises `Misconfigured` for another currency.
        """

    def delete(self, remote_id: str) -> None:
        """Delete the account for good. `Refused` may mean that it is gone already: look."""
