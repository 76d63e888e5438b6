"""What differs between real servers and is unknown of most: switched here, so that all of it can be
tried.
"""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self, get_args, get_type_hints

from provisioning.simulator.store import keep_setting, setting


@dataclass(frozen=True, slots=True)
class Switches:
    """How this server is odd.

    `renamed_fields` gives keys of accounts other names (`phone=mobile,credit=wallet.amount`; a dot
    nests), `missing_methods` are answered 500 (`Client_Delete,Client_List`). `wording` picks one of
    the variants of every refusal; -1 changes it with every call.
    """

    auth_variants: Literal["all", "form", "form_legacy", "bearer"] = "all"
    update_resets_missing_fields: bool = False
    not_found_shape: Literal[
        "false", "false_null", "false_reason", "true_false", "true_empty", "true_null"
    ] = "false"
    unique_email: bool = False
    duplicates: Literal["refused", "error"] = "refused"
    error_status: Literal["500", "200"] = "500"
    id_payload: Literal["object", "scalar", "json_string", "none"] = "object"
    id_key: Literal["user_id", "usr_id", "client_id", "id"] = "user_id"
    numbers_as_strings: bool = True
    bare_boolean_on_delete: bool = False
    hide_balance: bool = False
    strict_tariffs: bool = False
    client_prefix: str = "Client"
    renamed_fields: str = ""
    missing_methods: str = ""
    wording: int = -1

    @classmethod
    def load(cls, db: sqlite3.Connection) -> Self:
        return cls(**setting(db, "switches", {}))

    def changed(self, changes: dict[str, Any]) -> Self:
        """Return the switches with these set; raise ValueError for a name or value that is not."""
        hints = get_type_hints(type(self))
        for name, value in changes.items():
            allowed = get_args(hints.get(name)) or None
            if name not in hints:
                raise ValueError(f"There is no switch {name}.")
            if allowed and value not in allowed:
                raise ValueError(f"{name} is one of {', '.join(allowed)}.")
            if not allowed and type(value) is not hints[name]:
                raise ValueError(f"{name} must be {hints[name].__name__}.")
        return replace(self, **changes)

    def save(self, db: sqlite3.Connection) -> None:
        plain = Switches()
        changed = {
            each.name: getattr(self, each.name)
            for each in fields(self)
            if getattr(self, each.name) != getattr(plain, each.name)
        }
        keep_setting(db, "switches", changed)

    def names(self) -> dict[str, str]:
        """Return the other names of accounts' keys, by our own."""
        pairs = (each.split("=") for each in self.renamed_fields.split(",") if "=" in each)
        return {ours.strip(): theirs.strip() for ours, theirs in pairs}

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
