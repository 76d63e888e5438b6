"""The dialler over HTTP: which calls an operation is made of, and what its answers prove."""

from __future__ import annotations

import json
from collections.abc import Mapping as ReadOnlyDict
from typing import Any, Protocol

from packages.money import Money
from provisioning.dialler import campaigns, payloads, records, replies, transport
from provisioning.dialler.errors import Misconfigured, NotSent, Refused, Unknown
from provisioning.dialler.mapping import CAPABILITIES, Capability
from provisioning.dialler.replies import Reply
from provisioning.dialler.scalars import Record, folded
from provisioning.dialler.transport import Answer
from provisioning.dialler.values import AccountSpec, Endpoint, Limits, RemoteAccount, Role, Usage

# More would be too many calls for one reading.
MOST_CAMPAIGNS = 50
# Asked for where a server has no list of roles: no username of ours can be this one.
NOBODY = "castfront probe"


class Post(Protocol):
    """How a call travels; another one than `transport.post` can show a request instead of sending
    it.
    """

    def __call__(
        self,
        endpoint: Endpoint,
        method: str,
        arguments: ReadOnlyDict[str, str],
        *,
        secrets: tuple[str, ...],
    ) -> Answer: ...


class HttpDialler:
    """The `Dialler` of one ICTBroadcast server. Holds no connection and no state; safe to share."""

    def __init__(self, endpoint: Endpoint, post: Post = transport.post) -> None:
        self._endpoint = endpoint
        self._mapping = endpoint.mapping
        self._post = post

    @property
    def capabilities(self) -> ReadOnlyDict[str, Capability]:
        return {name: getattr(self._mapping.capabilities, name) for name in CAPABILITIES}

    @property
    def currency(self) -> str:
        """The currency of the server's balances."""
        return self._endpoint.currency

    def check(self) -> tuple[Role, ...]:
        if not self._mapping.methods.roles:
            self._look(self._by_name(NOBODY))
            return ()
        reply, answer = self._ask(self._mapping.methods.roles, {})
        return payloads.roles_from(replies.demand_yes(reply, answer), answer)

    def find(self, username: str) -> RemoteAccount | None:
        shown, answer = self._look(self._by_name(username))
        if not shown:
            return None
        wanted, key = folded(username), self._mapping.lookup.username_key
        same = [each for each in shown if folded(str(each.get(key) or "")) == wanted]
        exact = [each for each in same if each.get(key) == username] or same
        if len(exact) != 1:
            raise Unknown(
                "The server answered with other accounts than the one asked for.", answer.quote()
            )
        return self._account(exact[0])

    def get(self, remote_id: str) -> RemoteAccount | None:
        record = self._record(remote_id)
        return None if record is None else self._account(record)

    def list_accounts(self) -> tuple[RemoteAccount, ...]:
        reply, answer = self._ask(self._mapping.methods.list, {})
        shown = replies.demand_yes(reply, answer)
        if not isinstance(shown, list) or not all(isinstance(each, dict) for each in shown):
            raise Unknown("The list of accounts is not readable.", answer.quote())
        return tuple(self._account(each) for each in shown)

    def usage(self, remote_id: str) -> Usage | None:
        self._require("read_usage")
        mapping, currency = self._mapping, self._endpoint.currency
        names, owner = mapping.campaigns, {mapping.campaigns.owner_arg: remote_id}
        reply, answer = self._ask(names.list_method, owner)
        listed = campaigns.listed(replies.demand_yes(reply, answer), answer, mapping)
        if len(listed) > MOST_CAMPAIGNS:
            return None
        shown = []
        for identity, service in listed:
            reply, answer = self._ask(names.summary_method, {**owner, names.id_arg: identity})
            payload = replies.demand_yes(reply, answer)
            shown.append(campaigns.summed(service, payload, answer, mapping, currency=currency))
        return campaigns.totalled(shown, currency=currency)

    def create(self, spec: AccountSpec, *, password: str, marker: str) -> str | None:
        self._require("create")
        record = records.for_create(spec, self._mapping, password=password, marker=marker)
        payload, answer = self._command(
            self._mapping.methods.create,
            {self._mapping.arguments.record: _json(record)},
            secrets=(password,),
        )
        return payloads.told_id(payload, answer, self._mapping, username=spec.username)

    def update_limits(self, remote_id: str, limits: Limits) -> None:
        self._require("set_limits")
        self._change(remote_id, records.for_limits(limits, self._mapping))

    def set_active(self, remote_id: str, *, active: bool) -> None:
        self._require("suspend")
        self._change(remote_id, records.for_active(self._mapping, active=active))

    def set_password(self, remote_id: str, *, password: str) -> None:
        self._require("set_password")
        self._change(remote_id, {self._mapping.fields.password: password}, secrets=(password,))

    def credit(self, remote_id: str, amount: Money, *, reference: str) -> None:
        if not amount:
            raise ValueError("There is nothing to credit.")
        self._require("credit" if amount.minor > 0 else "debit")
        if amount.currency != self._endpoint.currency:
            raise Misconfigured(
                f"The server counts in {self._endpoint.currency}, not in {amount.currency}."
            )
        names = self._mapping.credit
        arguments = {
            **dict(names.fixed_args),
            names.id_arg: remote_id,
            names.amount_arg: f"{amount.decimal():f}",
            names.reference_arg: reference,
        }
        self._command(names.method, {key: value for key, value in arguments.items() if key})

    def delete(self, remote_id: str) -> None:
        self._require("delete")
        self._command(self._mapping.methods.delete, {self._mapping.arguments.id: remote_id})

    def _change(self, remote_id: str, targets: Record, *, secrets: tuple[str, ...] = ()) -> None:
        """Read, merge, write, read again: `User_Update` may reset what it does not carry.

        The sibling ICTCore's does so with roles (core/User.php); the vendor documents neither.
        """
        sent = {**records.kept(self._before(remote_id), self._mapping), **targets}
        arguments = self._mapping.arguments
        _, answer = self._command(
            self._mapping.methods.update,
            {arguments.id: remote_id, arguments.record: _json(sent)},
            secrets=secrets,
        )
        shown = self._after(remote_id)
        wrong = records.differing(sent, shown, self._mapping)
        if wrong:
            raise Unknown(
                f"The server said yes but does not show: {', '.join(wrong)}.", answer.quote()
            )

    def _before(self, remote_id: str) -> Record:
        try:
            record = self._record(remote_id)
        except Unknown as error:
            reason = f"Not changed, it could not be read first: {error.reason}"
            raise NotSent(reason, error.excerpt) from None
        if record is None:
            raise Refused("The server has no account with this id.")
        return record

    def _after(self, remote_id: str) -> Record:
        try:
            return self._record(remote_id) or {}
        except (NotSent, Misconfigured) as error:
            reason = f"Changed, but not readable after: {error.reason}"
            raise Unknown(reason, error.excerpt) from None

    def _record(self, remote_id: str) -> Record | None:
        shown, answer = self._look({self._mapping.arguments.id: remote_id})
        if not shown:
            return None
        if len(shown) != 1 or records.remote_id(shown[0], self._mapping) != remote_id:
            raise Unknown("The server answered with another account.", answer.quote())
        return shown[0]

    def _by_name(self, username: str) -> dict[str, str]:
        lookup = self._mapping.lookup
        return {lookup.search_arg: lookup.username_key, lookup.value_arg: username}

    def _look(self, arguments: dict[str, str]) -> tuple[list[Record], Answer]:
        """Return the records shown, none only for the clear shapes of "not there"."""
        reply, answer = self._ask(self._mapping.methods.get, arguments)
        if payloads.is_absence(reply, self._mapping):
            return [], answer
        payload = replies.demand_yes(reply, answer) if reply.ok else None
        shown = [payload] if isinstance(payload, dict) else payload
        if not isinstance(shown, list) or not all(isinstance(each, dict) for each in shown):
            raise Unknown("The account is not readable.", answer.quote())
        return shown, answer

    def _account(self, record: Record) -> RemoteAccount:
        return records.account_from(record, self._mapping, currency=self._endpoint.currency)

    def _require(self, capability: str) -> None:
        if getattr(self._mapping.capabilities, capability) != "api":
            raise Misconfigured(f"On this server {capability} is done by hand.")

    def _command(
        self, method: str, arguments: dict[str, str], *, secrets: tuple[str, ...] = ()
    ) -> tuple[Any, Answer]:
        reply, answer = self._ask(method, arguments, secrets=secrets)
        return replies.demand_yes(reply, answer), answer

    def _ask(
        self, method: str, arguments: dict[str, str], *, secrets: tuple[str, ...] = ()
    ) -> tuple[Reply, Answer]:
        if not method:
            raise Misconfigured("The mapping names no method for this.")
        answer = self._post(self._endpoint, method, arguments, secrets=secrets)
        return replies.read(answer), answer


def _json(record: Record) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))
