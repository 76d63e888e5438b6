"""`python -m config.local exec`: private servers around a command."""

import os
import pwd
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.local.processes import wait_until
from tests.ground import launches


@pytest.fixture(scope="module")
def var() -> Iterator[Path]:
    with launches.open_folder() as folder:
        yield folder


def test_command_reaches_unprivileged_servers_and_its_exit_code_is_ours(
    var: Path,
) -> None:
    result = launches.execute_python(var, launches.ASK_BOTH + "raise SystemExit(7)")
    assert (result.returncode, result.stdout.splitlines()[-1]) == (7, "True"), result.stderr
    owner = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
    assert result.stdout.splitlines()[0] == str(owner)
    assert launches.processes_with(str(var)) == []


def test_second_start_finds_the_data_of_the_first(var: Path) -> None:
    statement = "import os, psycopg; c = psycopg.connect(os.environ['DATABASE_URL']); r = c.execute"
    first = "('CREATE TABLE IF NOT EXISTS kept (n int)'); c.commit()"
    assert launches.execute_python(var, statement + first).returncode == 0
    assert launches.execute_python(var, statement + "('SELECT n FROM kept')").returncode == 0


def test_what_was_loaded_is_kept_compiled_in_the_folder_alone(var: Path) -> None:
    env = launches.environment(var, PYTHONDONTWRITEBYTECODE="1")
    code = "import wsgiref.util; print(wsgiref.util.__cached__)"
    result = launches.execute(var, [sys.executable, "-c", code], env=env)
    assert result.returncode == 0, result.stderr
    kept = Path(result.stdout.strip())
    assert kept.is_relative_to(var / "bytecode")
    assert kept.exists()


def test_killed_launcher_takes_everything_along_and_the_next_start_works(var: Path) -> None:
    with launches.held(var) as launcher:
        assert len(launches.processes_with(str(var))) >= 2
        launcher.kill()
        launcher.wait()
    assert wait_until(lambda: launches.processes_with(str(var)) == [], timeout_seconds=20)
    assert launches.execute(var, ["sh", "-c", "exit 5"]).returncode == 5


def test_postgres_that_outlived_its_launcher_is_ended_by_the_next_start(var: Path) -> None:
    result = launches.execute_python(var, LEAVE_ONE_BEHIND)
    assert result.returncode == 0, result.stderr
    assert launches.execute(var, ["sh", "-c", "exit 5"]).returncode == 5
    assert launches.processes_with(str(var)) == []


# Takes the place of the launcher's own PostgreSQL with one that is nobody's child.
LEAVE_ONE_BEHIND = """
import os, signal, subprocess
from pathlib import Path
from config.local.accounts import servers_account
from config.local.processes import command_line, wait_until
data = Path(os.environ["VAR_DIR"]) / "postgres" / "data"
pid = int((data / "postmaster.pid").read_text().splitlines()[0])
command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split(chr(0))[:-1]
os.kill(pid, signal.SIGINT)
assert wait_until(lambda: not (data / "postmaster.pid").exists(), timeout_seconds=20)
account = servers_account()
subprocess.Popen(
    command, start_new_session=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    user=account.uid if account else None, group=account.gid if account else None,
)
def ready():
    try:
        return "ready" in (data / "postmaster.pid").read_text()
    except OSError:
        return False
assert wait_until(ready, timeout_seconds=20)
"""


def test_servers_named_in_the_environment_are_not_started(var: Path) -> None:
    named = {"DATABASE_URL": "postgres://elsewhere/x", "REDIS_URL": "redis://elsewhere"}
    env = launches.environment(var, **named)
    result = launches.execute(var, ["sh", "-c", 'echo "$DATABASE_URL $REDIS_URL"'], env=env)
    assert result.stdout == "postgres://elsewhere/x redis://elsewhere\n"


def test_second_launcher_names_the_one_that_holds_the_folder(var: Path) -> None:
    with launches.held(var) as first:
        second = launches.execute(var, ["true"])
        assert second.returncode == 1
        assert f"is in use by process {first.pid}" in second.stderr


def test_data_goes_elsewhere_when_the_servers_cannot_reach_the_folder() -> None:
    with launches.open_folder() as shut:
        shut.chmod(0o700)
        var = shut / "v a r"
        var.mkdir()
        result = launches.execute_python(var, launches.ASK_BOTH)
        linked = (var / "servers").is_symlink()
        mode = shut.stat().st_mode & 0o777
        launches.remove(var)
    assert result.returncode == 0, result.stderr
    assert linked == (os.geteuid() == 0)
    assert mode == 0o700


def test_taken_port_is_named_and_nothing_is_started(var: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = subprocess.run(
            [sys.executable, "-m", "config.local", "run"],
            cwd=launches.BASE,
            env=launches.environment(var, PORT=str(port)),
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    assert result.returncode == 1
    assert f"Already in use: PORT={port}" in result.stdout
    assert launches.processes_with(str(var)) == []
