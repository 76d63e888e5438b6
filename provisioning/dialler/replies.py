"""From an answer's text to a clear yes, a clear no, or an error: the shapes the API was seen to
use.

The order is that of the vendor's own clients (n8n-nodes-ictbroadcast, ictcrm-mcp, 2026-08): status,
stray bytes, JSON, JSON in a string, error object, pair, bare boolean. HTTP 200 proves nothing and
no wording is ever interpreted.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Literal

from provisioning.dialler.errors import Misconfigured, Refused, Unknown
from provisioning.dialler.transport import Answer


class _Nothing(Enum):
    NOTHING = "nothing"


NOTHING: Final = _Nothing.NOTHING
Nothing = Literal[_Nothing.NOTHING]

PERSON_NEEDED = {
    401: "The server did not accept our login.",
    403: "Our login has not the right to do this.",
    405: "The server does not allow this method over its API.",
}
# What PHP prints before the answer when notices are shown; a fatal error never precedes an answer.
NOTICE = re.compile(
    r"(?:<br\s*/?>\s*)?(?:<b>)?(?:PHP )?(?:Notice|Warning|Deprecated|Strict Standards)\b"
)
NOTICE_CHARACTERS = 16 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """`ok` is the server's own word. `payload` follows it: data, a reason, or NOTHING when there
    was none.
    """

    ok: bool
    payload: Any


def read(answer: Answer) -> Reply:
    """Return the server's clear yes or no; raise Misconfigured (401, 403, 405) or Unknown for all
    else.
    """
    if answer.status in PERSON_NEEDED:
        raise Misconfigured(PERSON_NEEDED[answer.status], answer.quote())
    if answer.status != 200:
        raise Unknown(f"The server answered HTTP {answer.status}.", answer.quote())
    value = decoded(answer.text)
    if isinstance(value, str):
        value = decoded(value)
    match value:
        case bool():
            return Reply(value, NOTHING)
        case [bool(ok)]:
            return Reply(ok, NOTHING)
        case [bool(ok), payload]:
            return Reply(ok, _unwrapped(payload))
        case {"ErrorMessage": _} | {"ErrorCode": _}:
            raise Unknown("The server reported an error of its own.", answer.quote())
    raise Unknown("The answer has no shape we know.", answer.quote())


def demand_yes(reply: Reply, answer: Answer) -> Any:
    """Return the payload of a clear yes; raise Refused for a no, Unknown for a yes that contradicts
    itself.
    """
    if not reply.ok:
        raise Refused(answer.quote(as_reason(reply.payload)), answer.quote())
    match reply.payload:
        case False | {"ErrorMessage": _} | {"ErrorCode": _}:
            raise Unknown("The server said yes and no in one answer.", answer.quote())
    return reply.payload


def as_reason(payload: Any) -> str:
    if payload in (NOTHING, None, ""):
        return "The server refused without giving a reason."
    return payload if isinstance(payload, str) else json.dumps(payload, default=str)


def decoded(text: str) -> Any:
    """Return the JSON value, or NOTHING if the text is not one whole JSON value (notices before it
    aside).
    """
    text = text.strip("\ufeff \t\r\n\0")
    value = _json(text)
    if value is NOTHING and NOTICE.match(text):
        starts = (
            found.start() for found in re.finditer(r"[\[{]|^[tf\"]", text[:NOTICE_CHARACTERS], re.M)
        )
        values = (_json(text[start:]) for start in starts)
        value = next((each for each in values if each is not NOTHING), NOTHING)
    return value


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return NOTHING


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not JSON.")


def _unwrapped(payload: Any) -> Any:
    """Old servers put the data into the pair as a JSON string (https://www.ictbroadcast.com/news/)."""
    if isinstance(payload, str) and payload.strip()[:1] in {"[", "{"}:
        inner = decoded(payload)
        return payload if inner is NOTHING else inner
    return payload
