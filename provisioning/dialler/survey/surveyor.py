"""What the steps of a survey share: the throw-away account, looked at and written to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from provisioning.dialler.scalars import Record, as_text, folded
from provisioning.dialler.survey.api import Api, Said, as_field
from provisioning.dialler.survey.draft import Draft

# Never sent back with a change: the name is fixed, and money and passwords have calls of their own.
NEVER_KEPT = ("username", "password", "balance")


class Stopped(Exception):
    """Without this nothing further can be tried; the throw-away account is cleaned up."""


@dataclass(frozen=True, slots=True)
class Throwaway:
    """The account that is made, changed and deleted. `tariff` is a plan to try, empty for none."""

    username: str
    email: str
    password: str = field(repr=False)
    tariff: str = ""
    first_name: str = "Survey"
    last_name: str = "Throwaway"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found out: `verdict` is works, missing, refused, unseen or left; `about` names what
    it is about, as the server does.
    """

    verdict: str
    about: str


@dataclass(slots=True)
class Surveyor:
    """`keep` stores the draft; it is called before anything that must not be forgotten."""

    api: Api
    draft: Draft
    account: Throwaway
    currency: str
    keep: Callable[[], None]

    def named(self, key: str) -> str:
        """Return the method's name in the draft."""
        return str(self.draft.mapping["methods"][key])

    def ask_by_name(self) -> Said:
        lookup = self.draft.mapping["lookup"]
        wanted = {lookup["search_arg"]: lookup["username_key"]}
        return self.api.ask(
            self.named("get"), {**wanted, lookup["value_arg"]: self.account.username}
        )

    def found(self) -> bool:
        """Look for the account by its name; remember its record and its id if it is there."""
        records = [each for each in self.ask_by_name().records if self._is_ours(each)]
        if records:
            self.remember(records[0])
        return bool(records)

    def read(self) -> Record:
        """Read the account by its id and remember what is shown; an empty record if nothing is."""
        identity = {self.draft.mapping["arguments"]["id"]: self.draft.remote_id}
        records = [
            each
            for each in self.api.ask(self.named("get"), identity).records
            if self._is_ours(each)
        ]
        if not records:
            return {}
        self.remember(records[0])
        return records[0]

    def change(self, changes: Record, *, secrets: tuple[str, ...] = (), bare: bool = False) -> Said:
        """Update the account by these keys; unless `bare`, with all that is known sent back too."""
        arguments = self.draft.mapping["arguments"]
        kept = {} if bare else self._kept()
        return self.api.ask(
            self.named("update"),
            {
                arguments["id"]: self.draft.remote_id,
                arguments["record"]: as_field({**kept, **changes}),
            },
            secrets=secrets,
        )

    def takes(self, key: str, value: str) -> bool:
        """Set one key and say whether the server shows it afterwards."""
        said = self.change({key: value})
        return as_text(self.read().get(key)) == value and said.yes

    def remember(self, record: Record) -> None:
        self.draft.facts["record"] = {key: _plain(value) for key, value in record.items()}
        for key in self.draft.mapping["ids"]:
            told = as_text(record.get(key))
            if told and not self.draft.remote_id:
                self.draft.facts["remote_id"] = told

    def _is_ours(self, record: Record) -> bool:
        wanted = folded(self.account.username)
        return any(isinstance(value, str) and folded(value) == wanted for value in record.values())

    def _kept(self) -> Record:
        """Return what is sent back with every change: the server may reset what is missing."""
        fields = self.draft.mapping["fields"].items()
        keys = [key for name, key in fields if key and name not in NEVER_KEPT]
        keys += [key for key in self.draft.mapping["units"].values() if key]
        keys += self.draft.mapping["keep"]
        record = self.draft.record
        return {key: record[key] for key in keys if record.get(key) is not None}


def _plain(value: Any) -> Any:
    """Return the value as JSON stores it: decimals as text, as they came."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value if isinstance(value, str | int | bool | None) else str(value)
