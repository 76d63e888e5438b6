"""Child processes that end with us, and leftovers of an earlier start that did not end."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from config.local.accounts import Account

PR_SET_PDEATHSIG = 1  # prctl(2)
LOG_LIMIT_BYTES = 5_000_000
LEFTOVER_GRACE_SECONDS = 8.0

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def spawn(
    command: Sequence[str],
    *,
    log: IO[bytes] | None = None,
    account: Account | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
    own_group: bool = True,
) -> subprocess.Popen[bytes]:
    """Start `command`; Linux sends it `death_signal` when we die, however we die.

    With `own_group` the child is out of reach of the terminal's Ctrl-C. The caller's thread must
    live as long as the child, because prctl(2) watches the thread and not the process.
    """
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL if own_group else None,
        stdout=log,
        stderr=subprocess.STDOUT if log else None,
        cwd=cwd,
        env=env,
        start_new_session=own_group,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        preexec_fn=_die_with_parent(death_signal),
    )


def stop(
    process: subprocess.Popen[bytes],
    *,
    by: signal.Signals = signal.SIGTERM,
    grace_seconds: float = 10,
) -> int:
    """End a process with its own group: politely, by force after the grace. Returns its code."""
    if process.poll() is None:
        process.send_signal(by)
        try:
            process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            _signal_group(process.pid, signal.SIGKILL)
    code = process.wait()
    _signal_group(process.pid, signal.SIGKILL)
    return code


def environment() -> dict[str, str]:
    """Return our environment for children, without the settings module that `config` has named.

    Loading the package config.local loads config, which names the default one; handed on, it would
    win over the one that tests name.
    """
    ours = dict(os.environ)
    if ours.get("DJANGO_SETTINGS_MODULE") == "config.settings":
        del ours["DJANGO_SETTINGS_MODULE"]
    return ours


def open_log(path: Path) -> IO[bytes]:
    """Open a log for appending; the one that grew too long is set aside as `NAME.log.1`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    return path.open("ab", buffering=0)


def stop_leftovers(left: Sequence[tuple[int, str]], *, by: signal.Signals) -> int:
    """End processes of an earlier start, given as number and a part of their command line.

    A number alone proves nothing, for the system gives numbers out again. Returns how many were
    there; raises TimeoutError when one cannot be ended.
    """
    there = [(pid, marker) for pid, marker in left if marker in command_line(pid)]
    for step in (by, signal.SIGQUIT, signal.SIGKILL):
        living = [(pid, marker) for pid, marker in there if marker in command_line(pid)]
        for pid, _ in living:
            _signal(pid, step)
        if wait_until(lambda: _none_lives(there), timeout_seconds=LEFTOVER_GRACE_SECONDS):
            for pid, _ in there:
                _signal_group(pid, signal.SIGKILL)
            return len(there)
    raise TimeoutError(f"processes of an earlier start do not end: {there}")


def end_with_parent() -> None:
    """Have Linux send us SIGTERM when our parent dies, as `make run` wants it."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


def command_line(pid: int) -> str:
    """Return the command line of a living process, "" when there is none (a zombie has none)."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return "" if sys.platform == "linux" else _command_line_by_ps(pid)
    return raw.replace(b"\0", b" ").decode(errors="replace")


def wait_until(condition: Callable[[], bool], *, timeout_seconds: float) -> bool:
    """Ask again and again until the condition holds; False when it does not hold in time."""
    limit = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(0.02)
    return True


def _command_line_by_ps(pid: int) -> str:
    shown = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout.strip()


def _none_lives(processes: Sequence[tuple[int, str]]) -> bool:
    return not any(marker in command_line(pid) for pid, marker in processes)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):  # nobody is left in it (macOS: only zombies)
        return


def _die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    if _libc is None:
        return None
    libc, parent = _libc, os.getpid()

    def arrange() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return arrange
