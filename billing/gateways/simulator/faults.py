"""Misbehaviour on order: for the next calls that match, with or without doing what was asked."""

import threading
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass
class Fault:
    """`path` may hold `*`; `answer` is 500, html, reset or hang:SECONDS; `apply` says done or not.

    `replay` keeps the bad answer under the idempotency key, as Stripe does with its own 500s.
    """

    path: str
    method: str = "POST"
    times: int = 1
    apply: bool = False
    answer: str = "500"
    replay: bool = False

    @property
    def hang_seconds(self) -> float:
        return float(self.answer.removeprefix("hang:")) if self.answer.startswith("hang:") else 0.0


class Faults:
    """The list of faults still to come, shared by the server's threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def set(self, asked: list[dict[str, Any]]) -> None:
        """Replace the list. Raises ValueError for what is no fault."""
        faults = [_fault(dict(fault)) for fault in asked]
        with self._lock:
            self._faults = faults

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for this call, counted down; None when it goes well."""
        with self._lock:
            for fault in self._faults:
                matches = fault.method == method and fnmatchcase(path, fault.path)
                if matches and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def left(self) -> list[dict[str, Any]]:
        """What is still to come."""
        with self._lock:
            return [vars(fault).copy() for fault in self._faults if fault.times > 0]


def _fault(asked: dict[str, Any]) -> Fault:
    for name in ("apply", "replay"):
        asked[name] = asked.get(name, "no") in ("yes", True)
    asked["answer"] = str(asked.get("answer", "500"))
    try:
        fault = Fault(**asked)
        known = fault.answer in {"500", "html", "reset"} or fault.hang_seconds > 0
    except TypeError as error:
        raise ValueError(str(error)) from error
    if not known:
        raise ValueError(f"unknown answer {fault.answer}")
    return fault
