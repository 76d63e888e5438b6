"""What can go wrong at the dialler, named for what is known about the effect."""

from __future__ import annotations

import unicodedata
from typing import ClassVar

EXCERPT_CHARACTERS = 300


class DiallerError(Exception):
    """A call that did not end in a clear yes.

    `reason` is our sentence or the server's refusal, `excerpt` what the server said. Both are
    capped and free of control characters; they may be stored and shown (escaped), they never hold a
    secret of ours.
    """

    effect_possible: ClassVar[bool] = True

    def __init__(self, reason: str, excerpt: str = "") -> None:
        self.reason = harmless(reason)
        self.excerpt = harmless(excerpt)
        super().__init__(self.reason)


class NotSent(DiallerError):
    """Not one byte of the command left: name resolution, connection, TLS handshake, or a failed
    read before it.
    """

    effect_possible = False


class Refused(DiallerError):
    """The server clearly said no (`[false, reason]`): nothing was changed, repeating changes
    nothing.
    """

    effect_possible = False


class Misconfigured(DiallerError):
    """Nothing was changed and nothing will be until a person acts: credentials, rights, method
    name, capability.
    """

    effect_possible = False


class NotAllowed(Misconfigured):
    """The server's address is not one that a dialler of this shop may have (reach.py)."""


class Unknown(DiallerError):
    """Anything else. A command may have had its effect; only reading the dialler can tell."""


def harmless(text: str) -> str:
    """Return hostile text on one line, without control or direction characters, at most 300
    characters.
    """
    capped = text[: EXCERPT_CHARACTERS * 4]
    shown = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in capped)
    return " ".join(shown.split())[:EXCERPT_CHARACTERS]
