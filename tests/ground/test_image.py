"""Dockerfile and compose.yaml fit the code: files, commands, queues and variables exist."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

from config.local import commands
from tests.ground.test_operations_doc import names_read

BASE = Path(__file__).resolve().parent.parent.parent
DOCKERFILE = (BASE / "Dockerfile").read_text().replace("\\\n", " ")
COMPOSE: dict[str, Any] = yaml.safe_load((BASE / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
BACKGROUND = (*commands.WORKERS, "beat")
OURS = ("web", *BACKGROUND, "migrate")
# Variables of the image that others read: Python, the shell, and our own settings.
FOREIGN = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}


def _lines(instruction: str) -> list[str]:
    return re.findall(rf"^{instruction} (.+)$", DOCKERFILE, flags=re.MULTILINE)


def _words(command: str | list[str]) -> str:
    return command if isinstance(command, str) else " ".join(command)


def _all_commands() -> str:
    of_services = [_words(SERVICES[name].get("command", "")) for name in OURS]
    return "\n".join([*_lines("RUN"), *_lines("CMD"), *of_services])


def test_copied_files_exist_and_are_sent_to_the_builder() -> None:
    allowed = (BASE / ".dockerignore").read_text().splitlines()
    for line in _lines("COPY"):
        if "--from=" in line:
            continue
        for source in shlex.split(line)[:-1]:
            assert (BASE / source).exists(), source
            assert source == "." or f"!{source}" in allowed


def test_all_the_code_is_sent_to_the_builder() -> None:
    allowed = (BASE / ".dockerignore").read_text().splitlines()
    needed = {"config", "packages", "provisioning", "billing", "storefront", "manage.py"}
    needed |= {"templates", "static", "locale"}
    assert {f"!{name}" for name in needed} <= set(allowed)
    for line in allowed:
        if line.startswith("!"):
            assert (BASE / line[1:]).exists(), line


def test_image_installs_the_lock_by_hash() -> None:
    assert "--require-hashes" in DOCKERFILE
    lock = (BASE / "requirements/runtime.txt").read_text()
    pins = re.findall(r"^[\w.\[\]-]+==", lock, flags=re.MULTILINE)
    assert len(pins) <= lock.count("--hash=sha256:")


def test_image_runs_as_an_ordinary_user() -> None:
    last_stage = DOCKERFILE.split("\nFROM ")[-1]
    user = re.findall(r"^USER (\w+)$", last_stage, flags=re.MULTILINE)
    assert user
    assert user[-1] not in ("root", "0")


def test_python_of_the_image_is_supported() -> None:
    versions = re.findall(r"^FROM python:(\d+)\.(\d+)", DOCKERFILE, flags=re.MULTILINE)
    assert len(set(versions)) == 1
    assert all((int(major), int(minor)) >= (3, 11) for major, minor in versions)


def test_management_commands_exist() -> None:
    called = set(re.findall(r"manage\.py (\w+)", _all_commands()))
    assert called
    assert called <= set(get_commands())


def test_modules_and_files_that_are_run_exist() -> None:
    for module in re.findall(r"python -m ([\w.]+)", _all_commands()):
        if module.startswith("config"):
            assert (BASE / f"{module.replace('.', '/')}.py").exists(), module
    for file in re.findall(r'"python", "([\w/]+\.py)"', DOCKERFILE):
        assert (BASE / file).exists(), file


def test_web_serves_our_application() -> None:
    assert settings.WSGI_APPLICATION == "config.wsgi.application"
    assert re.search(r'CMD \["gunicorn", "config\.wsgi"', DOCKERFILE)


def test_every_queue_has_one_worker_and_what_diallers_hold_up_has_its_own() -> None:
    queues = []
    for name, listened in commands.WORKERS.items():
        words = SERVICES[name]["command"]
        assert words[words.index("--queues") + 1] == listened
        queues += listened.split(",")
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    assert sorted(queues) == sorted(routed | {settings.CELERY_TASK_DEFAULT_QUEUE})
    assert commands.WORKERS["dialler-worker"] == "provisioning"


@pytest.mark.parametrize("name", OURS)
def test_services_share_one_image_and_set_known_variables(name: str) -> None:
    assert SERVICES[name]["image"] == COMPOSE["x-product"]["image"]
    assert set(SERVICES[name]["environment"]) <= names_read()


def test_required_settings_are_set_for_every_service() -> None:
    required = {"SECRET_KEY", "FIELD_KEYS", "DATABASE_URL", "REDIS_URL"}
    for name in OURS:
        assert required <= set(SERVICES[name]["environment"])


def test_variables_of_the_image_are_known() -> None:
    final = DOCKERFILE.split("\nFROM ")[-1]
    lines = re.findall(r"^ENV (.+)$", final, flags=re.MULTILINE)
    names = {word.split("=")[0] for line in lines for word in shlex.split(line)}
    assert names - FOREIGN <= names_read()


def test_volumes_and_dependencies_exist() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in COMPOSE["volumes"]
        assert set(service.get("depends_on", {})) <= set(SERVICES)


def test_background_processes_wait_for_the_schema() -> None:
    for name in ("web", *BACKGROUND):
        waits = SERVICES[name]["depends_on"]["migrate"]
        assert waits == {"condition": "service_completed_successfully"}


def test_health_check_asks_the_address_that_web_serves() -> None:
    port = re.search(r'"--bind", "0\.0\.0\.0:(\d+)"', DOCKERFILE)
    assert port
    assert f":{port[1]}/healthz" in (BASE / "config/local/health.py").read_text()
    assert SERVICES["web"]["ports"] == [f"127.0.0.1:{port[1]}:{port[1]}"]
