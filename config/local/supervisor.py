"""Keeps the product's processes alive until someone wants them gone."""

import json
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from config.local import processes
from config.local.passwords import write_private
from config.local.steps import say

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0  # after such a life the next pause is the first one again
GRACE_SECONDS = 12.0


@dataclass
class Child:
    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    start_again: float = 0.0
    pause_seconds: float = field(default=FIRST_PAUSE_SECONDS)


class Supervisor:
    """Starts children with logs in VAR_DIR/log, restarts those that end, stops them all."""

    def __init__(self, var: Path, *, cwd: Path) -> None:
        self._var = var
        self._cwd = cwd
        self._children: list[Child] = []

    def stop_leftovers(self) -> None:
        """End what an earlier start of this VAR_DIR left running because it was killed itself."""
        left = []
        for note in sorted((self._var / "run").glob("*.json")):
            seen = json.loads(note.read_text())
            left.append((int(seen["pid"]), " ".join(seen["command"])))
            note.unlink()
        processes.stop_leftovers(left, by=signal.SIGTERM)

    def start(self, name: str, command: Sequence[str], *, env: Mapping[str, str]) -> None:
        child = Child(name=name, command=command, env=env)
        self._children.append(child)
        self._launch(child)

    def look_after(self) -> None:
        """Report children that ended and start them again, each time after a longer pause."""
        for child in self._children:
            if child.process is not None and child.process.poll() is not None:
                self._note_end(child)
            elif child.process is None and time.monotonic() >= child.start_again:
                self._launch(child)

    def stop_all(self) -> None:
        """Ask all to end at once, then end what is left; the notes about them go too."""
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        limit = time.monotonic() + GRACE_SECONDS
        for process in running:
            processes.stop(process, grace_seconds=max(0.1, limit - time.monotonic()))
        for child in self._children:
            self._note(child).unlink(missing_ok=True)

    def _launch(self, child: Child) -> None:
        with processes.open_log(self._var / "log" / f"{child.name}.log") as log:
            child.process = processes.spawn(child.command, log=log, cwd=self._cwd, env=child.env)
        child.started = time.monotonic()
        seen = {"pid": child.process.pid, "command": list(child.command)}
        write_private(self._note(child), json.dumps(seen))

    def _note_end(self, child: Child) -> None:
        process = child.process
        if process is None:
            return
        code = processes.stop(process)
        now = time.monotonic()
        if now - child.started > STEADY_SECONDS:
            child.pause_seconds = FIRST_PAUSE_SECONDS
        child.process, child.start_again = None, now + child.pause_seconds
        say(
            f"{child.name} ended with code {code}; starting it again in "
            f"{child.pause_seconds:.0f} s (log: {self._var / 'log' / child.name}.log)"
        )
        child.pause_seconds = min(child.pause_seconds * 2, LONGEST_PAUSE_SECONDS)

    def _note(self, child: Child) -> Path:
        folder = self._var / "run"
        folder.mkdir(exist_ok=True)
        return folder / f"{child.name}.json"
