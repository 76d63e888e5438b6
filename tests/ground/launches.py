"""Starts `python -m config.local` as users do, in folders with a space in their names."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent.parent

ASK_BOTH = """
import os, psycopg, redis
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    pid = connection.execute("SELECT pg_backend_pid()").fetchone()[0]
    print(os.stat(f"/proc/{pid}").st_uid if os.path.isdir("/proc") else os.getuid())
print(redis.Redis.from_url(os.environ["REDIS_URL"]).ping())
"""


@contextmanager
def open_folder() -> Iterator[Path]:
    """Give a folder that every account can reach, and remove it with what it links to."""
    folder = Path(tempfile.mkdtemp(prefix="castfront ground "))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    link = folder / "servers"
    if link.is_symlink():
        shutil.rmtree(link.resolve())
    shutil.rmtree(folder)


def environment(var: Path, **more: str) -> dict[str, str]:
    """Return our environment without servers, so that the launcher starts its own."""
    without = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    return {**without, "VAR_DIR": str(var), **more}


def execute(
    var: Path, command: Sequence[str], *, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `command` with servers of `var` and return what it said."""
    return subprocess.run(
        [sys.executable, "-m", "config.local", "exec", "--", *command],
        cwd=BASE,
        env=env or environment(var),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def execute_python(var: Path, code: str) -> subprocess.CompletedProcess[str]:
    return execute(var, [sys.executable, "-c", code])


@contextmanager
def held(var: Path) -> Iterator[subprocess.Popen[str]]:
    """Keep servers of `var` up inside the block; the launcher has said "up" by then."""
    process = subprocess.Popen(
        [sys.executable, "-m", "config.local", "exec", "--", "sh", "-c", "echo up; exec sleep 60"],
        cwd=BASE,
        env=environment(var),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "up\n"
        yield process
    finally:
        process.stdout.close()
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def processes_with(marker: str) -> list[int]:
    """Return the living processes whose command line shows `marker`."""
    shown = subprocess.run(
        ["ps", "-ww", "-A", "-o", "pid=,stat=,command="],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rows = (line.split(None, 2) for line in shown.splitlines())
    return [int(row[0]) for row in rows if len(row) == 3 and row[1][0] != "Z" and marker in row[2]]
