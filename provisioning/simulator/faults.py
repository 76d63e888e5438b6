"""Scripts of misbehaviour: which call, whether it takes effect, and how it is answered."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from provisioning.simulator.store import insert, row, rows

ANSWERS = (
    *("ok", "500", "html", "truncated", "empty", "wrong_type", "redirect", "reset_before"),
    *("reset_after", "drip", "errorcode_200", "errorcode_500", "double_json", "giant"),
    *("notice_before_json", "strings", "refused", "null_reason", "401", "405", "hang", "stale"),
)
# Answers that claim nothing happened; unless told otherwise, nothing does.
DENIALS = {"refused", "null_reason", "401", "405"}
TIMED = re.compile(r"(late|hang|drip):(\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Fault:
    """`method` is a name, `*` or `mutating`; `times` counts down, -1 is for ever.

    `apply`: `yes`, `no`, or `late:SECONDS` (after the answer). `answer`: one of ANSWERS;
    `hang:SECONDS` answers properly afterwards, `drip:SECONDS` waits so long before each byte,
    `stale` repeats what the same question was answered the last time.
    """

    method: str
    username: str | None = None
    times: int = 1
    apply: str = "yes"
    answer: str = "ok"

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Self:
        """Return the script; raise ValueError in a sentence for what it cannot be."""
        unknown = data.keys() - {"method", "username", "times", "apply", "answer"}
        if unknown or not isinstance(data.get("method"), str):
            raise ValueError("A fault has method and may have username, times, apply, answer.")
        answer = str(data.get("answer", "ok"))
        apply = str(data.get("apply") or ("no" if answer in DENIALS else "yes"))
        if answer not in ANSWERS and not _timed(answer, ("hang", "drip")):
            raise ValueError(f"There is no answer {answer!r}: {', '.join(ANSWERS)}, hang:SECONDS.")
        if apply not in {"yes", "no"} and not _timed(apply, ("late",)):
            raise ValueError("apply is yes, no or late:SECONDS.")
        return cls(data["method"], data.get("username"), int(data.get("times", 1)), apply, answer)

    @property
    def late_seconds(self) -> float | None:
        return _timed(self.apply, ("late",))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def add(db: sqlite3.Connection, scripts: list[Fault]) -> None:
    for each in scripts:
        insert(db, "fault", **each.as_json())


def take(
    db: sqlite3.Connection, method: str, *, mutating: int, username: str | None
) -> Fault | None:
    """Return the oldest script that fits and use it up by one."""
    query = (
        "SELECT * FROM fault WHERE times <> 0 AND (method IN (?, '*') OR method = 'mutating' AND ?)"
        " AND (username IS NULL OR username = ?) ORDER BY id LIMIT 1"
    )
    found = row(db, query, method, mutating, username)
    if found is None:
        return None
    identity = found.pop("id")
    db.execute("UPDATE fault SET times = times - 1 WHERE id = ? AND times > 0", (identity,))
    return Fault(**found)


def waiting(db: sqlite3.Connection) -> list[dict[str, Any]]:
    query = "SELECT method, username, times, apply, answer FROM fault WHERE times <> 0 ORDER BY id"
    return rows(db, query)


def clear(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM fault")


def seconds_of(answer: str) -> float:
    """Return the seconds in `hang:2`; plain `hang` is 30, plain `drip` a fifth per byte."""
    given = _timed(answer, ("hang", "drip"))
    return given if given is not None else {"hang": 30.0, "drip": 0.2}.get(answer, 0.0)


def _timed(text: str, words: tuple[str, ...]) -> float | None:
    found = TIMED.fullmatch(text)
    return float(found[2]) if found and found[1] in words else None
