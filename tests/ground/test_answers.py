"""What `make run` decides is kept, private, and weaker than the environment."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from config.local import answers, ports
from tests.ground import launches

CHOSEN = answers.Ports(web=8000, simulator=8001, gateway=8002)
URLS = {"DATABASE_URL": "postgres://x/y", "REDIS_URL": "redis://x"}


@pytest.fixture(autouse=True)
def _nothing_set_by_the_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in answers.SECRETS:
        monkeypatch.delenv(name, raising=False)


def test_secrets_are_made_once_and_the_file_is_private(tmp_path: Path) -> None:
    first = answers.write(tmp_path, chosen=CHOSEN, urls=URLS)
    second = answers.write(tmp_path, chosen=CHOSEN, urls=URLS)
    assert {name: first[name] for name in answers.SECRETS} == {
        name: second[name] for name in answers.SECRETS
    }
    assert (tmp_path / "local.env").stat().st_mode & 0o777 == 0o600


def test_secrets_of_two_copies_differ(tmp_path: Path) -> None:
    copies = [tmp_path / "one", tmp_path / "two"]
    for copy in copies:
        copy.mkdir()
    one, two = (answers.write(copy, chosen=CHOSEN, urls=URLS) for copy in copies)
    assert all(one[name] != two[name] for name in answers.SECRETS)


def test_environment_wins_and_is_not_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "the operator's own")
    env = answers.write(tmp_path, chosen=CHOSEN, urls=URLS)
    assert env["SECRET_KEY"] == "the operator's own"
    assert "the operator's own" not in (tmp_path / "local.env").read_text()


def test_settings_read_what_was_written(tmp_path: Path) -> None:
    answers.write(tmp_path, chosen=CHOSEN, urls=URLS)
    names = ["SECRET_KEY", "FIELD_KEYS", "DATABASE_URL", "SITE_URL", "SIMULATED_GATEWAY_URL"]
    code = f"from config.env import env; print([env.str(name) for name in {names}])"
    env = {"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=launches.BASE,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    written = dict(
        line.split("=", 1) for line in (tmp_path / "local.env").read_text().splitlines()[1:]
    )
    assert done.stdout.strip() == str([written[name] for name in names])


def test_ports_follow_the_shops_port_unless_named(tmp_path: Path) -> None:
    chosen = answers.chosen_ports(tmp_path, {"PORT": "9100"})
    assert (chosen.web, chosen.simulator) == (9100, 9101)
    assert answers.chosen_ports(tmp_path, {"PORT": "9100"}).gateway == chosen.gateway
    named = answers.chosen_ports(tmp_path, {"SIMULATOR_PORT": "9300", "GATEWAY_PORT": "9400"})
    assert (named.web, named.simulator, named.gateway) == (8000, 9300, 9400)


def test_remembered_port_is_given_up_when_someone_else_took_it(tmp_path: Path) -> None:
    book = tmp_path / "ports.json"
    port = ports.remembered(book, "database")
    assert ports.remembered(book, "database") == port
    with socket.socket() as other:
        other.bind((ports.HOST, port))
        other.listen()
        assert ports.remembered(book, "database") != port
