"""`manage.py add_server` as a process: one line, an exit code, and nothing on the command line."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from provisioning import servers, vault
from provisioning.models import Server
from provisioning.simulator.simulator import Simulator
from tests.world import SIMULATOR_PASSWORD

ROOT = Path(__file__).resolve().parents[2]


def add_server(*arguments: str, password: str = SIMULATOR_PASSWORD) -> tuple[int, str]:
    """Run the command against the test's database; return exit code and everything it said."""
    config = connection.settings_dict
    address = f"postgres://{config['USER']}:{config['PASSWORD']}@{config['HOST']}:{config['PORT']}"
    environment = {
        **os.environ,
        "DATABASE_URL": f"{address}/{config['NAME']}",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "REDIS_URL": settings.REDIS_URL,
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "add_server", *arguments, "--password-stdin"],
        cwd=ROOT,
        env=environment,
        input=f"{password}\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).strip()


class Refusal:
    """The command in this process, for its many ways to refuse."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def told(self, *arguments: str, password: str = SIMULATOR_PASSWORD) -> str:
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(f"{password}\n"))
        with pytest.raises(CommandError) as caught:
            call_command("add_server", *arguments, "--password-stdin")
        return str(caught.value)


@pytest.fixture
def options(transactional_db: None, dialler: Simulator) -> list[str]:
    return [
        *("--name", "Main", "--url", dialler.base_url("current"), "--profile", "current"),
        *("--auth", "form", "--username", "admin"),
    ]


def test_it_adds_tests_and_changes_a_server(options: list[str]) -> None:
    code, said = add_server(*options, "--simulator-mapping")
    assert (code, said) == (0, "Server Main is added: works, 4 roles.")
    server = Server.objects.get()
    assert vault.unseal(server.secret_sealed, purpose=servers.SECRET) == SIMULATOR_PASSWORD
    assert server.login_url == server.base_url.removesuffix("rest")
    code, said = add_server(*options, "--currency", "usd")
    assert (code, said) == (0, "Server Main is changed: works, 4 roles.")
    server.refresh_from_db()
    assert server.currency == "USD"
    assert server.mapping["credit"]["method"] == "Client_Payment_Create"


WRONG = [
    ([], "wrong", "the connection test failed: Misconfigured."),
    ([], "", "No password came on standard input."),
    (["--url", "ftp://x/rest"], "x", "base_url:"),
    (["--url", "https://dial.example.com/api"], "x", "up to /rest"),
    (["--username", ""], "x", "--username is needed"),
    (["--mapping-file", "/nowhere.json"], "x", "/nowhere.json cannot be read"),
    (["--profile", "ancient"], "x", "invalid choice"),
]


def test_every_mistake_is_one_clear_line(
    options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for more, password, expected in WRONG:
        told = Refusal(monkeypatch).told(*options, *more, password=password)
        assert expected in told
        assert "\n" not in told


def test_a_mapping_with_mistakes_names_them_all(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mapping.json"
    path.write_text(json.dumps({"colour": "blue", "ids": "id"}))
    told = Refusal(monkeypatch).told(*options, "--mapping-file", str(path))
    assert "There is no setting colour." in told
    assert "ids must be a list of texts." in told
    assert not Server.objects.exists()


def test_a_server_that_is_down_is_kept_and_told(options: list[str], dialler: Simulator) -> None:
    dialler.stop()
    code, said = add_server(*options)
    assert code == 1
    assert said == "CommandError: Server Main is added, but the connection test failed: NotSent."
    assert Server.objects.count() == 1
