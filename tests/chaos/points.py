"""Where a process may die: around every commit, and on both sides of every call that leaves it.

Nobody keeps a list of them. What every commit and every call goes through is wrapped (`install`),
and a run without a kill says which points it passed. Python's own audit of connections tells
whether a call left that no point is around: then `Points.unwrapped` has it, and a test fails.
"""

from __future__ import annotations

import os
import signal
import smtplib
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import kombu
import requests
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

BASE = Path(__file__).resolve().parent.parent.parent
APPS = ("billing", "packages", "provisioning", "storefront")
OURS = tuple(str(BASE / app) + os.sep for app in APPS)
# What PostgreSQL commits by itself, outside of a transaction.
WRITES = ("INSERT", "UPDATE", "DELETE")


@dataclass
class Points:
    """Counts what is passed, and does what was asked at the given one (0 is the first)."""

    at: int | None = None
    act: str = "kill"
    seen: list[str] = field(default_factory=list)
    unwrapped: list[str] = field(default_factory=list)
    # Called with each point's name, e.g. to write it down where a killed process leaves it.
    note: Callable[[str], None] = lambda name: None
    # Called when the process goes on after it stood still.
    woken: Callable[[], None] = lambda: None

    def passed(self, name: str) -> None:
        number = len(self.seen)
        self.seen.append(name)
        self.note(name)
        if number != self.at:
            return
        if not _is_place_for(self.act, name):
            self.at += 1
            return
        ACTS[self.act]()


def _is_place_for(act: str, name: str) -> bool:
    """Only what was committed can be lost; a process that stands in a transaction stops others,
    which is no news and takes real seconds.
    """
    if act == "lose":
        return name.startswith("after commit")
    return act != "stop" or not name.startswith("before commit")


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)
    points.woken()


def _cut() -> None:
    """Let the database end this process's session, as its restart or a bad line does."""
    if connection.connection is None:
        return
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(%s, 1000)", [connection.connection.info.backend_pid]
        )
    other.close()


def _lose() -> None:
    """The database has committed, but its answer does not arrive."""
    _cut()
    raise OperationalError("server closed the connection unexpectedly")


ACTS: dict[str, Callable[[], None]] = {"kill": _kill, "stop": _stop, "cut": _cut, "lose": _lose}
points = Points()
_scope = threading.local()


def install() -> None:
    """Wrap commits and calls of this process, once."""
    _wrap(BaseDatabaseWrapper, "_commit", lambda *_: "commit")
    _wrap(requests.Session, "send", lambda _, request, **__: f"call {_path(request)}")
    _wrap(smtplib.SMTP, "connect", lambda *_, **__: "mail connect")
    _wrap(smtplib.SMTP, "sendmail", lambda *_, **__: "mail")
    _wrap(kombu.Producer, "publish", lambda *_, **__: "publish")
    connection_created.connect(_watch_statements)
    sys.addaudithook(_audit)


@contextmanager
def around(what: str) -> Iterator[None]:
    """Pass a point before and one after; the latter also when it raises."""
    where = _where()
    points.passed(f"before {what} in {where}")
    _scope.depth = getattr(_scope, "depth", 0) + 1
    try:
        yield
    finally:
        _scope.depth -= 1
        points.passed(f"after {what} in {where}")


def _wrap(owner: type, name: str, say: Callable[..., str]) -> None:
    original = getattr(owner, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with around(say(*args, **kwargs)):
            return original(*args, **kwargs)

    setattr(owner, name, wrapped)


def _watch_statements(connection: BaseDatabaseWrapper, **_: Any) -> None:
    def watch(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        if connection.in_atomic_block or not str(sql).lstrip().startswith(WRITES):
            return execute(sql, params, many, context)
        with around("statement"):
            return execute(sql, params, many, context)

    connection.execute_wrappers.append(watch)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    """The database's driver is not Python's, so all that connects here is a call of ours."""
    if event == "socket.connect" and not getattr(_scope, "depth", 0):
        points.unwrapped.append(f"{arguments[1]} in {_where()}")


def _path(request: requests.PreparedRequest) -> str:
    """Name the call: the dialler's method, or the kind of thing that a gateway is asked about."""
    parts = urlsplit(request.url or "").path.strip("/").split("/")
    return parts[-1] if "rest" in parts else "/".join(parts[:2])


def _where() -> str:
    """Return the innermost functions of ours that are running, the inner one first."""
    found: list[str] = []
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and len(found) < 2:
        if frame.f_code.co_filename.startswith(OURS):
            module = Path(frame.f_code.co_filename).relative_to(BASE).with_suffix("")
            found.append(f"{'.'.join(module.parts)}.{frame.f_code.co_name}")
        frame = frame.f_back
    return " < ".join(found) or "a test"
