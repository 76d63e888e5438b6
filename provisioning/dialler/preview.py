"""The exact requests that a mapping makes of each operation, without sending one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from collections.abc import Mapping as ReadOnlyDict
from dataclasses import dataclass
from typing import Any

from packages.money import Money
from provisioning.dialler import transport
from provisioning.dialler.errors import DiallerError
from provisioning.dialler.http import HttpDialler
from provisioning.dialler.transport import Answer
from provisioning.dialler.values import AccountSpec, Endpoint

MASK = "•••"
PASSWORD, MARKER = "example-password", "00000000-0000-4000-8000-000000000000"
REMOTE_ID, CAMPAIGN_ID = "4711", "1"


@dataclass(frozen=True, slots=True)
class Request:
    """One POST as it would leave; passwords and tokens are masked."""

    url: str
    headers: tuple[tuple[str, str], ...]
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """An operation with its requests in order; `trouble` says why it makes none, or no more."""

    operation: str
    requests: tuple[Request, ...]
    trouble: str = ""


def of(endpoint: Endpoint, spec: AccountSpec) -> Iterator[Preview]:
    """Play every operation for the account to an echo of a server. Speaks to nobody."""
    for operation, act in OPERATIONS.items():
        echo = Echo(endpoint, spec)
        try:
            act(HttpDialler(endpoint, post=echo), spec)
        except DiallerError as error:
            yield Preview(operation, tuple(echo.requests), error.reason)
        else:
            yield Preview(operation, tuple(echo.requests))


class Echo:
    """A server in memory that holds one account and shows it as it was written."""

    def __init__(self, endpoint: Endpoint, spec: AccountSpec) -> None:
        mapping = endpoint.mapping
        self.requests: list[Request] = []
        self._names = mapping
        self._account: dict[str, Any] = {
            mapping.ids[0]: REMOTE_ID,
            mapping.lookup.username_key: spec.username,
            mapping.fields.email: spec.email,
            mapping.fields.active: mapping.active.on,
        }

    def __call__(
        self,
        endpoint: Endpoint,
        method: str,
        arguments: ReadOnlyDict[str, str],
        *,
        secrets: tuple[str, ...],
    ) -> Answer:
        self.requests.append(_masked(endpoint, method, arguments, secrets))
        return Answer(200, json.dumps([True, self._payload(method, arguments)]))

    def _payload(self, method: str, arguments: ReadOnlyDict[str, str]) -> Any:
        names = self._names
        if method == names.methods.update:
            self._account |= json.loads(arguments[names.arguments.record])
        if method in (names.methods.list, names.methods.roles):
            return []
        if method == names.campaigns.list_method:
            service = names.campaigns.service_key
            return [{names.campaigns.id_key: CAMPAIGN_ID, service: "voice"}]
        if method == names.campaigns.summary_method:
            return {names.campaigns.count_key: 0, names.campaigns.cost_key: "0"}
        return self._account


def _masked(
    endpoint: Endpoint, method: str, arguments: ReadOnlyDict[str, str], secrets: tuple[str, ...]
) -> Request:
    hidden = (endpoint.secret, *secrets)
    headers, fields = transport.request_of(endpoint, arguments)
    return Request(
        url=transport.url_of(endpoint, method),
        headers=tuple((name, transport.without_secrets(value, hidden)) for name, value in headers),
        fields=tuple((name, transport.without_secrets(value, hidden)) for name, value in fields),
    )


Act = Callable[[HttpDialler, AccountSpec], object]
OPERATIONS: dict[str, Act] = {
    "check": lambda dialler, spec: dialler.check(),
    "find": lambda dialler, spec: dialler.find(spec.username),
    "create": lambda dialler, spec: dialler.create(spec, password=PASSWORD, marker=MARKER),
    "get": lambda dialler, spec: dialler.get(REMOTE_ID),
    "set_limits": lambda dialler, spec: dialler.update_limits(REMOTE_ID, spec.limits()),
    "suspend": lambda dialler, spec: dialler.set_active(REMOTE_ID, active=False),
    "unsuspend": lambda dialler, spec: dialler.set_active(REMOTE_ID, active=True),
    "set_password": lambda dialler, spec: dialler.set_password(REMOTE_ID, password=PASSWORD),
    "credit": lambda dialler, spec: dialler.credit(
        REMOTE_ID, Money(25_00, dialler.currency), reference="order-line-1:credit"
    ),
    "debit": lambda dialler, spec: dialler.credit(
        REMOTE_ID, Money(-5_00, dialler.currency), reference="order-line-1:take-back"
    ),
    "delete": lambda dialler, spec: dialler.delete(REMOTE_ID),
    "read_usage": lambda dialler, spec: dialler.usage(REMOTE_ID),
    "list": lambda dialler, spec: dialler.list_accounts(),
}
