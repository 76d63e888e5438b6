"""`python -m config.local exec -- COMMAND`: a command with private servers around it."""

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from config.local import processes
from config.local.servers import test_servers

NOT_FOUND = 127  # what a shell answers


def run_with_servers(command: Sequence[str], *, var: Path) -> int:
    """Run the command with DATABASE_URL and REDIS_URL set and return its exit code.

    Test servers are started in `var` for those of the two that are not set, and stopped after.
    """
    with _terminations_as_exit(), test_servers(var) as urls:
        env = {**processes.environment(), **urls, **_kept_bytecode(var), "VAR_DIR": str(var)}
        try:
            child = processes.spawn(command, env=env, own_group=False)
        except OSError as error:
            print(f"cannot start {command[0]}: {error.strerror}")
            return NOT_FOUND
        return _wait(child)


def _kept_bytecode(var: Path) -> dict[str, str]:
    """Let what is loaded be compiled once, also by who wants none of it beside the sources.

    Tests start many processes, and each compiles for longer than it loads.
    """
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(var / "bytecode")}


class _terminations_as_exit:
    """While servers come up or go down, SIGTERM and SIGHUP end us through the clean-up."""

    def __enter__(self) -> None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _leave)

    def __exit__(self, *_details: object) -> None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _wait(child: subprocess.Popen[bytes]) -> int:
    """Wait for the child; the terminal's Ctrl-C reaches it directly, other signals we hand on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: child.send_signal(received))
    try:
        code = child.wait()
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return code if code >= 0 else 128 - code
