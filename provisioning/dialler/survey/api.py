"""Asking a server that is not known yet, and keeping every word."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from provisioning.dialler import replies, transport
from provisioning.dialler.errors import DiallerError, Misconfigured, NotSent, Refused, Unknown
from provisioning.dialler.http import Post
from provisioning.dialler.replies import NOTHING
from provisioning.dialler.transport import Answer
from provisioning.dialler.values import Endpoint

ANSWER_CHARACTERS = 4_000

Outcome = Literal["yes", "no", "unclear", "not_sent"]


class Interrupted(Exception):
    """The server did not answer; what was asked may have happened. Go on from this step later."""


class Hopeless(Exception):
    """A person is needed first: the login is refused, or the address is not allowed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One call for the transcript; secrets are masked, the answer is cut."""

    method: str
    fields: tuple[tuple[str, str], ...]
    status: int | None
    answer: str
    outcome: Outcome
    seconds: float


@dataclass(frozen=True, slots=True)
class Said:
    """What came back: a yes with its payload, a no with the reason, or something unclear."""

    outcome: Outcome
    payload: Any = NOTHING
    # False: the server does not let us call this method (403, 405).
    allowed: bool = True

    @property
    def yes(self) -> bool:
        return self.outcome == "yes"

    @property
    def records(self) -> list[dict[str, Any]]:
        """Return the accounts (or other rows) that a yes shows."""
        shown = self.payload if isinstance(self.payload, list) else [self.payload]
        return [each for each in shown if isinstance(each, dict)] if self.yes else []


class Api:
    """Calls of one survey. `keep` is given each entry when its request is over."""

    def __init__(self, endpoint: Endpoint, post: Post, keep: Callable[[Entry], None]) -> None:
        self._endpoint = endpoint
        self._post = post
        self._keep = keep

    def ask(self, method: str, arguments: dict[str, str], *, secrets: tuple[str, ...] = ()) -> Said:
        """Call the method, whatever it is called. Raises Interrupted and Hopeless."""
        begun = time.monotonic()
        answer: Answer | None = None
        trouble: DiallerError | None = None
        payload: Any = NOTHING
        try:
            answer = self._post(self._endpoint, method, arguments, secrets=secrets)
            reply = replies.read(answer)
            payload = reply.payload
            replies.demand_yes(reply, answer)
        except DiallerError as error:
            trouble = error
        outcome = _outcome(trouble)
        _, fields = transport.request_of(self._endpoint, arguments)
        hidden = (self._endpoint.secret, *secrets)
        self._keep(
            Entry(
                method,
                tuple((name, transport.without_secrets(text, hidden)) for name, text in fields),
                answer.status if answer else None,
                answer.quote()[:ANSWER_CHARACTERS] if answer else str(trouble),
                outcome,
                round(time.monotonic() - begun, 3),
            )
        )
        _raise_if_over(trouble, answer)
        return Said(outcome, payload, allowed=not isinstance(trouble, Misconfigured))


def as_field(record: dict[str, Any]) -> str:
    """Return the record as the JSON that travels in one form field."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"), default=str)


def _outcome(trouble: DiallerError | None) -> Outcome:
    if trouble is None:
        return "yes"
    if isinstance(trouble, NotSent):
        return "not_sent"
    return "no" if isinstance(trouble, Refused | Misconfigured) else "unclear"


def _raise_if_over(trouble: DiallerError | None, answer: Answer | None) -> None:
    """Without an answer nothing can be learned; after 401 nothing more will be answered."""
    if answer is not None and answer.status == 401:
        raise Hopeless("the server did not accept our login")
    if answer is None and isinstance(trouble, Misconfigured):
        raise Hopeless(trouble.reason)
    if answer is None and isinstance(trouble, NotSent | Unknown):
        raise Interrupted(trouble.reason)
