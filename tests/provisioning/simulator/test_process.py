"""The simulator as a process of its own: ready line, clean end, memory that outlives it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests

from provisioning.simulator import Simulator
from tests.provisioning.simulator.conftest import LOGIN


def start(*options: str) -> tuple[subprocess.Popen[str], str]:
    """Start it on a free port and return the process and its address once it is ready."""
    command = [sys.executable, "-m", "provisioning.simulator", "--password", "pw", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    words = process.stdout.readline().split()
    return process, next(word for word in words if word.startswith("http://"))


def end(process: subprocess.Popen[str], number: int) -> int:
    process.send_signal(number)
    return process.wait(timeout=5)


def test_state_and_issued_keys_outlive_the_process(tmp_path: Path) -> None:
    data = str(tmp_path / "dialler.sqlite3")
    process, url = start("--data", data)
    fields = {**LOGIN, "user": '{"username": "acme", "password": "x", "role_id": "2"}'}
    created = requests.post(f"{url}/legacy/rest/User_Create", data=fields, timeout=5)
    token = requests.post(f"{url}/_sim/token", json={}, timeout=5).json()["token"]
    assert created.json()[0] is True
    assert end(process, signal.SIGTERM) == 0

    process, url = start("--data", data, "--currency", "USD")
    accounts = requests.get(f"{url}/_sim/accounts", timeout=5).json()
    assert [each["username"] for each in accounts] == ["acme"]
    headers = {"Authorization": f"Bearer {token}"}
    roles = requests.post(f"{url}/current/rest/User_Role_List", headers=headers, timeout=5)
    assert roles.status_code == 200
    assert "0.00 USD" in requests.get(url, timeout=5).text
    assert end(process, signal.SIGINT) == 0


@pytest.mark.parametrize(
    ("profile", "expected"),
    [("legacy", [200, 404, 200]), ("current", [404, 200, 500]), ("both", [200, 200, 200])],
)
def test_a_profile_decides_what_is_spoken(profile: str, expected: list[int]) -> None:
    simulator = Simulator.start(profile=profile, password="pw")
    paths = ("legacy/rest/User_List", "current/rest/User_List", "rest/User_Payment_Create")
    answers = [requests.post(f"{simulator.url}/{path}", data=LOGIN, timeout=5) for path in paths]
    simulator.close()
    assert [each.status_code for each in answers] == expected


def test_a_stopped_simulator_comes_back_on_its_port_with_its_state() -> None:
    simulator = Simulator.start(password="pw")
    port = simulator.port
    simulator.switch(unique_email=True)
    simulator.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(simulator.url, timeout=1)
    simulator.start_again()
    assert simulator.port == port
    switches = requests.get(f"{simulator.url}/_sim/switches", timeout=5).json()
    assert switches["unique_email"] is True
    simulator.close()


def test_a_stopped_simulator_takes_no_more_calls_that_are_for_another() -> None:
    """Who still accepts when the socket is closed takes from the next that gets its number."""
    before = set(threading.enumerate())
    simulators = [Simulator.start(password="pw") for _ in range(20)]
    for left, each in zip(reversed(range(20)), simulators, strict=True):
        each.close()
        assert len(set(threading.enumerate()) - before) == left


def test_a_profile_that_does_not_exist_is_turned_down() -> None:
    with pytest.raises(ValueError, match="legacy, current or both"):
        Simulator.start(profile="future")
