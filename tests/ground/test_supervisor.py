"""Children are started again when they end, and end with us, whole groups at a time."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.local.processes import command_line, environment, stop_leftovers, wait_until
from config.local.supervisor import Supervisor
from tests.ground import launches


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path, cwd=launches.BASE)
    yield made
    made.stop_all()


def _noted_pid(tmp_path: Path, name: str) -> int:
    return int(json.loads((tmp_path / "run" / f"{name}.json").read_text())["pid"])


def test_child_that_ends_is_reported_and_started_again(
    supervisor: Supervisor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor.start("sleeper", ["sleep", "300"], env=environment())
    first = _noted_pid(tmp_path, "sleeper")
    os.kill(first, signal.SIGKILL)

    def is_back() -> bool:
        supervisor.look_after()
        return _noted_pid(tmp_path, "sleeper") != first

    assert wait_until(is_back, timeout_seconds=10)
    assert "sleeper ended with code -9; starting it again in 1 s" in capsys.readouterr().out


def test_grandchildren_end_with_the_child(supervisor: Supervisor, tmp_path: Path) -> None:
    marker = f"sleep 311.{os.getpid()}"
    supervisor.start(
        "family", ["sh", "-c", f"trap '' TERM; {marker} & wait; {marker}"], env=environment()
    )
    assert wait_until(lambda: len(launches.processes_with(marker)) >= 2, timeout_seconds=10)
    os.kill(_noted_pid(tmp_path, "family"), signal.SIGKILL)
    supervisor.stop_all()
    assert wait_until(lambda: launches.processes_with(marker) == [], timeout_seconds=10)


def test_child_left_by_a_killed_start_is_ended_by_the_next(tmp_path: Path) -> None:
    command = ["sleep", f"312.{os.getpid()}"]
    left = subprocess.Popen(command, start_new_session=True)
    assert wait_until(lambda: "sleep" in command_line(left.pid), timeout_seconds=5)
    (tmp_path / "run").mkdir()
    note = {"pid": left.pid, "command": command}
    (tmp_path / "run/sleeper.json").write_text(json.dumps(note))
    Supervisor(tmp_path, cwd=launches.BASE).stop_leftovers()
    assert left.wait(10) == -signal.SIGTERM


def test_process_that_only_has_the_same_number_is_left_alone() -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    try:
        assert stop_leftovers([(stranger.pid, "-D /our/data ")], by=signal.SIGTERM) == 0
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
    assert command_line(stranger.pid) == ""
