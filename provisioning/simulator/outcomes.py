"""What a method can come to, before it is put into an answer."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any, Final

_turn = count()
NO_PAYLOAD: Final = object()


@dataclass(frozen=True, slots=True)
class Effect:
    """A change that took place; `changed` is false for a repetition that altered nothing."""

    verb: str
    username: str
    reference: str | None = None
    amount: str | None = None
    changed: bool = True


@dataclass(frozen=True, slots=True)
class Done:
    """`[true, payload]` or `[true]`; `bare` answers the boolean alone, as seen on delete."""

    payload: Any = NO_PAYLOAD
    effect: Effect | None = None
    bare: bool = False


class Refusal(Exception):
    """`[false, reason]`; `[false]` for an empty reason, `[false, null]` for None."""

    def __init__(self, reason: str | None) -> None:
        self.reason = reason
        super().__init__(reason)


class ServerFault(Exception):
    """An exception inside the server: `{ErrorCode, ErrorMessage}` with 500 or 200."""


class Unauthorised(Exception):
    """401."""


class NotAllowed(Exception):
    """405: the method is not in the server's list of API methods."""


# No wording is documented; nobody may rely on one, so each comes in several.
WORDINGS = {
    "taken": ("Username already exists", "user name is not available", "Duplicate user", ""),
    "email": ("Email already exists", "This email address is in use"),
    "rights": (
        "Permission denied",
        "You are not authorized to perform this action",
        "Access denied",
    ),
    "missing": ("User not found", "No such record", "Invalid user id"),
    "invalid": ("Invalid arguments", "Required data missing", "Unable to process request"),
    "tariff": ("Rate plan not found", "Invalid rate plan"),
    "campaign": ("Campaign not found", "Invalid campaign"),
    "no_credit": ("Insufficient credit", "Balance too low"),
}


def refusal(kind: str, wording: int) -> Refusal:
    variants = WORDINGS[kind]
    return Refusal(variants[(next(_turn) if wording < 0 else wording) % len(variants)])
