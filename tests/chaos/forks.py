"""Processes of the product that can be killed: forked from one that has loaded everything.

`Forks` is the test's side. The other is `tests.chaos.forking`, a process of its own with a single
thread, which forks a child for every order.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.processes import ROOT, environment


@dataclass(frozen=True)
class Child:
    """A forked process; its files stay when it is killed."""

    forks: Forks
    pid: int
    file: Path

    def wait(self) -> int:
        """Wait for its end; return 0, its exit code, or minus the signal that ended it."""
        return int(self.forks.ask(wait=self.pid)["status"])

    def stopped(self) -> bool:
        """Wait until it stands still or has ended; say whether it stands."""
        return bool(self.forks.ask(wait=self.pid, standing=True)["stopped"])

    def wake(self, at: datetime) -> None:
        """Let it go on where it stood still; it finds that its clock, too, has moved on."""
        self.file.with_suffix(".at").write_text(at.isoformat())
        os.kill(self.pid, signal.SIGCONT)

    def points(self) -> list[str]:
        """Return the names of the points it has passed."""
        return self.file.read_text().splitlines() if self.file.exists() else []

    def result(self) -> Any:
        """Return what its work returned; it must have ended by itself."""
        return json.loads(self.file.with_suffix(".json").read_text())


class Forks:
    """Starts children that do one of `work.py`'s functions, in the database of this test."""

    def __init__(self, folder: Path, **env: str) -> None:
        self._folder = folder
        self._count = 0
        self.log = folder / "log"
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.forking"],
            cwd=ROOT,
            env={**environment(), **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log.open("wb"),
            text=True,
            bufsize=1,
        )

    def start(
        self,
        work: str,
        *arguments: Any,
        at: datetime,
        act_at: int | None = None,
        act: str = "kill",
        seed: str = "",
        broker: bool = True,
    ) -> Child:
        """Let a child do `work` with its clock at `at`; `act` happens to it at point `act_at`."""
        self._count += 1
        file = self._folder / f"child-{self._count}"
        order = {"work": work, "arguments": arguments, "at": at.isoformat(), "file": str(file)}
        how = {"act_at": act_at, "act": act, "seed": seed, "broker": broker}
        answer = self.ask(fork={**order, **how})
        return Child(self, answer["pid"], file)

    def warm_up(self, work: str, *arguments: Any, at: datetime) -> None:
        """Do `work` in the forking process itself, so that its children need not load so much."""
        order = {"work": work, "arguments": arguments, "at": at.isoformat()}
        file = str(self._folder / "child-0")
        how = {"act_at": None, "act": "", "seed": "", "broker": True}
        self.ask(here={**order, "file": file, **how})

    def ask(self, **order: Any) -> dict[str, Any]:
        """Send an order to the forking process and return its answer."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(order) + "\n")
        answer = self._server.stdout.readline()
        assert answer, f"The forking process is gone: {self.said()}"
        return dict(json.loads(answer))

    def said(self) -> str:
        """Return the end of what the processes have logged."""
        return self.log.read_text()[-4000:]

    def forget(self) -> None:
        """Remove the files of the children that have ended."""
        for file in self._folder.glob("child-*"):
            file.unlink()

    def end(self) -> None:
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait(timeout=10)


@contextmanager
def forking(**env: str) -> Iterator[Forks]:
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        forks = Forks(Path(folder), **env)
        try:
            yield forks
        finally:
            forks.end()
