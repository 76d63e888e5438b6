"""The values that cross the border to the dialler: plain, frozen, free of models and of HTTP."""

from __future__ import annotations

import math
from collections.abc import Mapping as JsonObject
from dataclasses import dataclass, field
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from provisioning.dialler.mapping import Mapping
from provisioning.dialler.reach import Reach

SERVICES = ("voice", "fax", "sms", "email")

Profile = Literal["legacy", "current"]
Auth = Literal["form", "form_legacy", "bearer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a package allows. All values are absolute; `units` are included units per service.

    `keep_units`: to set, without touching the units, which calls have used up meanwhile.
    """

    tariff: str
    channels: int
    services: tuple[str, ...]
    units: tuple[tuple[str, int], ...] = ()
    keep_units: bool = False

    def __post_init__(self) -> None:
        strange = (set(self.services) | {service for service, _ in self.units}) - set(SERVICES)
        if strange:
            raise ValueError(f"Not a service: {', '.join(sorted(strange))}.")
        if self.channels < 0 or any(count < 0 for _, count in self.units):
            raise ValueError("Channels and units are not negative.")

    def to_json(self) -> dict[str, Any]:
        return {
            "tariff": self.tariff,
            "channels": self.channels,
            "services": list(self.services),
            "units": dict(self.units),
        }

    @classmethod
    def from_json(cls, data: JsonObject[str, Any]) -> Self:
        return cls(
            tariff=data["tariff"],
            channels=data["channels"],
            services=tuple(data["services"]),
            units=tuple(data["units"].items()),
            keep_units=data.get("keep_units", False),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSpec:
    """An account as it should be created. The password is never part of it. `role` "" leaves it to
    the mapping.
    """

    username: str
    email: str
    first_name: str
    last_name: str
    company: str
    phone: str
    language: str
    tariff: str
    channels: int
    services: tuple[str, ...]
    role: str
    units: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        self.limits()

    def limits(self) -> Limits:
        return Limits(
            tariff=self.tariff, channels=self.channels, services=self.services, units=self.units
        )

    def to_json(self) -> dict[str, Any]:
        person = ("username", "email", "first_name", "last_name", "company", "phone", "language")
        return {name: getattr(self, name) for name in (*person, "role")} | self.limits().to_json()

    @classmethod
    def from_json(cls, data: JsonObject[str, Any]) -> Self:
        tuples = {"services": tuple(data["services"]), "units": tuple(data["units"].items())}
        return cls(**{**data, **tuples})


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteAccount:
    """An account as the server showed it. None means unknown (not shown or not readable), never
    zero or empty.
    """

    remote_id: str
    username: str
    email: str | None = None
    active: bool | None = None
    balance_minor: int | None = None
    tariff: str | None = None
    channels: int | None = None
    services: tuple[str, ...] | None = None
    units: tuple[tuple[str, int], ...] | None = None
    marker: str | None = None
    raw_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """What all campaigns of an account came to: calls, pages or messages of each service, and their
    cost, None where the server shows none.
    """

    counts: tuple[tuple[str, int], ...]
    cost_minor: int | None


@dataclass(frozen=True, slots=True)
class Role:
    """A role the server offers; `remote_id` is what an account's role field takes."""

    remote_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Everything needed to talk to one server.

    `base_url` ends in `/rest`. `secret` is the password, or the token for `bearer`; it is in no
    repr. `reach` says which addresses are allowed. `ends_at` is a moment of the monotonic clock
    after which no byte may leave. `currency` is the one currency of the server's balances.
    Certificates are always verified, against `ca_file` where given.
    """

    base_url: str
    profile: Profile
    auth: Auth
    username: str
    secret: str = field(repr=False)
    mapping: Mapping = field(repr=False)
    currency: str
    connect_timeout_seconds: float = 3.0
    read_timeout_seconds: float = 15.0
    ca_file: str | None = None
    reach: Reach = Reach()
    ends_at: float = math.inf

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("The address must begin with https:// (or http://) and a host.")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("The address must hold no login, no ? and no #.")

    @property
    def exchange_timeout_seconds(self) -> float:
        """The longest one request and its answer can take; no byte is read or sent later."""
        return self.connect_timeout_seconds + self.read_timeout_seconds

    @property
    def operation_timeout_seconds(self) -> float:
        """The longest any operation can take: an update reads, writes and reads again."""
        return 3 * self.exchange_timeout_seconds
