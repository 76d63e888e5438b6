"""The mapping that a survey comes to, beside the facts it rests on; both are plain JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from provisioning.dialler.mapping import Mapping
from provisioning.dialler.scalars import Record


@dataclass(slots=True)
class Draft:
    """`mapping` is complete (`Mapping.to_json`), `facts` is what later steps need to know."""

    mapping: dict[str, Any]
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def record(self) -> Record:
        """The throw-away account as it was shown last."""
        return dict(self.facts.get("record", {}))

    @property
    def remote_id(self) -> str:
        return str(self.facts.get("remote_id", ""))

    @property
    def may_exist(self) -> bool:
        """Whether the throw-away account may be on the server: asked for, and not seen gone."""
        return bool(self.facts.get("may_exist", False))

    def key(self, name: str) -> str:
        return str(self.mapping["fields"][name])

    def name_key(self, name: str, key: str) -> None:
        self.mapping["fields"][name] = key

    def can(self, capability: str, able: bool) -> None:
        """Leave the capability to the API, or to a person."""
        self.mapping["capabilities"][capability] = "api" if able else "manual"

    def taken(self) -> set[str]:
        """Return the keys that have their meaning already."""
        known = {key for key in self.mapping["fields"].values() if key}
        known |= {key for key in self.mapping["units"].values() if key}
        return known | set(self.mapping["ids"])

    def speak(self, family: str) -> None:
        """Name methods and arguments by the family: User_Create(user), Client_Get(client_id)."""
        methods, arguments = self.mapping["methods"], self.mapping["arguments"]
        for verb in ("create", "update", "get", "delete"):
            methods[verb] = f"{family}_{verb.capitalize()}"
        arguments["record"], arguments["id"] = family.lower(), f"{family.lower()}_id"

    @property
    def id_names(self) -> list[str]:
        """Return the keys that are taken for the account's id so far."""
        return list(dict.fromkeys((self.mapping["arguments"]["id"], *self.mapping["ids"])))

    @property
    def family(self) -> str:
        return str(self.mapping["methods"]["get"]).rpartition("_")[0]


def begin(mapping: Mapping) -> Draft:
    """Return the draft that a survey begins with: the server's mapping as it is."""
    return Draft(mapping.to_json())
