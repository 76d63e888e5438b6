"""From an outcome to the bytes of an answer, honest or spoilt on order."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from provisioning.simulator.faults import Fault, seconds_of
from provisioning.simulator.outcomes import (
    NO_PAYLOAD,
    Done,
    NotAllowed,
    Refusal,
    ServerFault,
    Unauthorised,
)
from provisioning.simulator.switches import Switches

Outcome = Done | Refusal | ServerFault | Unauthorised | NotAllowed

LOGIN_PAGE = b"""<!DOCTYPE html><html><head><title>Login</title></head>
<body><form method="post"><input name="username"><input name="password"></form></body></html>"""
NOTICE = (
    b"<br />\n<b>Notice</b>:  Undefined index: plan in <b>/usr/ictbroadcast/api.php</b>"
    b" on line <b>41</b><br />\n"
)
ERROR_PAGE = b"<h1>500 Internal Server Error</h1>"
GIANT_BYTES = 3 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """`manner` "" sends it, "hang" and "drip" take `seconds`, "reset" and "reset_half" break."""

    status: int
    body: bytes
    label: str
    content_type: str = "application/json"
    location: str = ""
    manner: str = ""
    seconds: float = 0.0


def answer_to(outcome: Outcome, switches: Switches, fault: Fault | None) -> Answer:
    """Return the honest answer, or what the fault makes of it."""
    honest = _honest(outcome, switches)
    return honest if fault is None else _spoilt(honest, outcome, fault.answer)


def _honest(outcome: Outcome, switches: Switches) -> Answer:
    match outcome:
        case Done(bare=True):
            return Answer(200, b"true", "ok")
        case Done(payload=payload):
            return Answer(200, _json([True] if payload is NO_PAYLOAD else [True, payload]), "ok")
        case Refusal(reason=reason):
            return Answer(200, _json([False] if reason == "" else [False, reason]), "refused")
        case Unauthorised():
            return Answer(401, _error(401, str(outcome)), "401")
        case NotAllowed():
            return Answer(405, _error(405, "Method not allowed"), "405")
    return Answer(int(switches.error_status), _error(500, str(outcome)), "error")


def _spoilt(honest: Answer, outcome: Outcome, order: str) -> Answer:
    kind = order.partition(":")[0]
    spoilt = replace(honest, label=order)
    match kind:
        case "hang" | "drip":
            return replace(spoilt, manner=kind, seconds=seconds_of(order))
        case "reset_before":
            return replace(spoilt, manner="reset")
        case "reset_after":
            return replace(spoilt, manner="reset_half")
        case "truncated":
            return replace(spoilt, body=honest.body[: max(1, len(honest.body) // 2)])
        case "double_json":
            return replace(spoilt, body=_json(honest.body.decode()))
        case "notice_before_json":
            return replace(spoilt, body=NOTICE + honest.body, content_type="text/html")
        case "strings":
            payload = outcome.payload if isinstance(outcome, Done) else NO_PAYLOAD
            strings = honest.body if payload is NO_PAYLOAD else _json([True, _strings(payload)])
            return replace(spoilt, body=strings)
    return replace(spoilt, **PLAIN.get(kind, {}))


def _error(code: int, message: str) -> bytes:
    return _json({"ErrorCode": code, "ErrorMessage": message})


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _strings(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _strings(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_strings(each) for each in value]
    if isinstance(value, bool):
        return "1" if value else "0"
    return value if value is None else str(value)


PLAIN: dict[str, dict[str, Any]] = {
    "redirect": {"status": 302, "body": b"", "location": "/login"},
    "html": {"status": 200, "body": LOGIN_PAGE, "content_type": "text/html"},
    "500": {"status": 500, "body": ERROR_PAGE, "content_type": "text/html"},
    "401": {"status": 401, "body": _error(401, "Who are you?")},
    "405": {"status": 405, "body": _error(405, "Method not allowed")},
    "empty": {"status": 200, "body": b""},
    "wrong_type": {"status": 200, "body": b'{"status": "done", "result": 5}'},
    "errorcode_200": {"status": 200, "body": _error(500, "SQLSTATE[HY000]: General error")},
    "errorcode_500": {"status": 500, "body": _error(500, "SQLSTATE[HY000]: General error")},
    "refused": {"status": 200, "body": b'[false, "Not today"]'},
    "null_reason": {"status": 200, "body": b"[false, null]"},
    "giant": {"status": 200, "body": b'[true, "' + b"x" * GIANT_BYTES + b'"]'},
}
