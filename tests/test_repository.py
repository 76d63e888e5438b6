"""The house style as far as a machine can read it: sizes, names, and what may be written where."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests import source
from tests.source import BASE, name_of

MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60
MOST_POSITIONAL = 4

# The clock is read at these doors only, and passed down as `at`.
DOORS = re.compile(
    r"/views/|/api/|/admin/|/admin\.py|/management/|/walkthrough/|/simulator/|webhooks?\.py"
    r"|/tasks\.py|/circuits\.py|/deliveries\.py|/inbound_mails\.py|/data_requests\.py|/charges\.py|/refunds\.py|/vat_ids\.py|/statement_files\.py"
    r"|/accounts\.py|/health\.py|/kept\.py|/context\.py|/paypal/gateway\.py"
    r"|/middleware\.py|/templatetags/|^config/|/desk/|^packages/clock"
)
CLOCKS = {
    "clock.now",
    "timezone.now",
    "datetime.now",
    "datetime.utcnow",
    "date.today",
    "timezone.localdate",
}
# Signs of life, the age of a signature, and servers of their own go by the machine's time; the rest
# of the shop by its own, which a demo moves.
MACHINE = re.compile(
    r"^packages/clock|/simulator/|/health\.py|^config/|^provisioning/tasks|webhooks?\.py"
    r"|^billing/tasks|/add_server\.py|/test_alert\.py|/circuits\.py|models/customer"
    r"|/paypal/gateway\.py|/admin/automation\.py"
)
NO_NAMES = {"utils.py", "helpers.py", "services.py", "common.py", "misc.py"}
# `Stateful.move` itself; many invoices in one statement; an inbox row that is no `Stateful`.
STATE_SETTERS = {
    ("packages/states.py", "move"),
    ("packages/states.py", "move_if_still"),
    ("billing/invoices.py", "issue"),
    ("billing/desk.py", "_leave"),
}
# Contrasts are ratios, not money.
FLOATS = {"billing/colours.py"}
# Put together from parts, so that this file does not contain them.
NEVER_WRITTEN = [
    "".join(parts)
    for parts in (
        ("py", "pi.org"),
        ("python", "hosted"),
        ("/root", "/."),
        ("art", "ifactory"),
        ("ne", "xus."),
        ("Co-Auth", "ored-By"),
    )
]


def lines_of(path: Path) -> int:
    return len(path.read_text().splitlines())


@pytest.mark.parametrize("suffix", [".py", ".html", ".css", ".js", ".txt", ".typ", ".sh"])
def test_no_file_is_longer_than_400_lines(suffix: str) -> None:
    ours = [
        path
        for path in source.texts(suffix)
        if not {"migrations", "requirements", "locale"} & set(path.parts)
    ]
    assert {name_of(path): lines_of(path) for path in ours if lines_of(path) > MOST_LINES} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    long = {
        f"{name_of(path)}:{function.name}": size
        for path in source.modules()
        for function in source.functions(path)
        if (size := (function.end_lineno or 0) - function.lineno + 1) > MOST_LINES_OF_A_FUNCTION
    }
    assert long == {}


def test_a_module_is_named_for_its_subject() -> None:
    # A view may well show the customer's services.
    named = [path for path in source.product() if path.name in NO_NAMES]
    assert [name_of(path) for path in named if path.parent.name != "views"] == []


def test_a_state_changes_only_by_a_move() -> None:
    found = {
        (name_of(path), function.name)
        for path in source.product()
        for function in source.functions(path)
        for node in ast.walk(function)
        if isinstance(node, ast.Assign | ast.AugAssign) and _assigns_state(node)
    }
    assert found - STATE_SETTERS == set()


def _assigns_state(node: ast.Assign | ast.AugAssign) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    flat = [each for target in targets for each in ast.walk(target)]
    # `self.state` of a plain class is its own business; rows are moved by name.
    return any(isinstance(each, ast.Attribute) and each.attr == "state" for each in flat)


def test_the_clock_is_read_at_the_door_only() -> None:
    found = [
        f"{name_of(path)}:{call.lineno}"
        for path in source.product()
        if not DOORS.search(name_of(path))
        for call in source.calls(path)
        if source.called(call) in CLOCKS
    ]
    assert found == []


def test_a_door_asks_for_the_shops_time() -> None:
    found = [
        f"{name_of(path)}:{call.lineno}"
        for path in source.product()
        if not MACHINE.search(name_of(path))
        for call in source.calls(path)
        if source.called(call) in CLOCKS - {"clock.now"}
    ]
    assert found == []


def test_there_is_one_signal_of_our_own() -> None:
    made = [
        name_of(path)
        for path in source.product()
        for call in source.calls(path)
        if source.called(call).split(".")[-1] == "Signal"
    ]
    assert made == ["provisioning/signals.py"]


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("GenericForeign" + "Key", "a row points to one table, and the database knows which"),
        ("ATOMIC_" + "REQUESTS", "flows open their transactions themselves"),
        ("_without_" + "verification", "no webhook is believed unread"),
        ("tolerance" + "=0", "a webhook has an age"),
        ("auto_now", "the clock is read at the door"),
        ("db_default", "the database's clock is not the test's"),
        ("except:" + " pass", "an error is recorded or raised"),
    ],
)
def test_never_in_the_product(word: str, why: str) -> None:
    assert [name_of(path) for path in source.product() if word in path.read_text()] == [], why


@pytest.mark.parametrize(
    "line",
    [
        "from stripe import Webhook",
        "import stripe\n\nstripe.Webhook.construct_event_without_verification(b'')",
        "from stripe import WebhookSignature as Checked",
        "import stripe\n\nstripe.StripeEventNotificationHandler.without_verification()",
    ],
)
def test_lint_bans_what_believes_webhooks_too_easily(line: str) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--stdin-filename", "billing/x.py", "-"]
    found = subprocess.run(command, cwd=BASE, input=line, text=True, capture_output=True)
    assert "TID251" in found.stdout


def test_no_webhook_is_believed_by_a_client_or_with_another_tolerance() -> None:
    """What a client offers, lint cannot follow: it knows no types."""
    found = [
        f"{name_of(path)}:{call.lineno}"
        for path in source.product()
        for call in source.calls(path)
        if source.called(call).endswith((".construct_event", ".parse_event_notification"))
        or "tolerance" in {given.arg for given in call.keywords}
    ]
    assert found == []


def test_a_form_says_which_fields_it_takes() -> None:
    """Django's admin replaces a form's fields by those of its page, so there it does no harm."""
    found = [
        name_of(path)
        for path in source.product()
        for node in ast.walk(source.tree(path))
        if isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]) in ("fields", "exclude")
        and ast.unparse(node.value) in ("'__all__'", "()", "[]")
    ]
    assert [name for name in found if "admin" not in name] == []


@pytest.mark.parametrize("word", ["unittest" + ".mock", "mock" + ".patch", "pytest.mark." + "skip"])
def test_never_in_a_test(word: str) -> None:
    assert [name_of(path) for path in source.modules("tests") if word in path.read_text()] == []


def test_a_test_waits_for_a_condition_and_not_for_time() -> None:
    sleeping = {
        name_of(path)
        for path in source.modules("tests")
        for call in source.calls(path)
        if source.called(call) in ("time.sleep", "sleep")
    }
    assert sleeping <= pollers()


def pollers() -> set[str]:
    """Return the modules whose only sleep is the pause of a poll with a limit (`waiting` in name).

    They are helpers, not tests: each loops until a deadline and raises when it passes.
    """
    return {
        name_of(path)
        for path in source.modules("tests")
        if not path.name.startswith("test_") and "monotonic()" in path.read_text()
    }


def test_money_is_never_a_float() -> None:
    found = [
        f"{name_of(path)}:{ast.unparse(node)}"
        for path in source.product()
        if path.relative_to(BASE).parts[0] in ("packages", "billing")
        and "simulator" not in path.parts
        and name_of(path) not in FLOATS
        for node in ast.walk(source.tree(path))
        if _is_a_float(node)
    ]
    assert found == []


def _is_a_float(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) in ("float", "models.FloatField", "round")
    return isinstance(node, ast.Constant) and type(node.value) is float


def test_every_request_has_a_time_out() -> None:
    verbs = ("get", "post", "put", "delete", "request", "head", "patch")
    clients = ("requests", "session", "self._session", "self.session", "http")
    silent = [
        f"{name_of(path)}:{call.lineno}"
        for path in source.modules()
        for call in source.calls(path)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in verbs
        and ast.unparse(call.func.value) in clients
        and "requests" in path.read_text()
        and not {"timeout", None} & {keyword.arg for keyword in call.keywords}
    ]
    assert silent == []


def test_a_task_takes_ids_and_nothing_else() -> None:
    wrong = [
        f"{name_of(path)}:{function.name}"
        for path in source.product()
        for function in source.functions(path)
        if any("shared_task" in ast.unparse(mark) for mark in function.decorator_list)
        and not all(
            each.arg.endswith("_id") and ast.unparse(each.annotation or each) == "int"
            for each in function.args.args
        )
    ]
    assert wrong == []


def test_every_entry_of_the_beat_table_is_a_task() -> None:
    from config.celery import BEAT, app

    app.loader.import_default_modules()
    assert {entry["task"] for entry in BEAT.values()} - set(app.tasks) == set()


def test_few_arguments_of_public_functions_are_positional() -> None:
    """Aim at three; a fourth is for Django's own signatures and for a context."""
    many = [
        f"{name_of(path)}:{function.name}"
        for path in source.product()
        for function in source.functions(path)
        if not function.name.startswith("_")
        and len([each for each in function.args.args if each.arg not in ("self", "cls")])
        > MOST_POSITIONAL
    ]
    assert many == []


def test_the_migrations_have_names() -> None:
    migrations = [path for path in source.texts(".py") if path.parent.name == "migrations"]
    assert [name_of(path) for path in migrations if "_auto_" in path.name] == []


LOCKS = sorted((BASE / "requirements").glob("*.txt"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_file_pins_every_package_by_hash(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    pins = re.findall(r"^([a-zA-Z0-9][\w.\-]*)(?:\[[^\]]+\])?==\S+", text, flags=re.MULTILINE)
    assert pins
    entries = re.split(r"^(?=[a-zA-Z0-9])", text, flags=re.MULTILINE)[1:]
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize(
    ("lock", "sections"),
    [
        ("runtime.txt", ["dependencies"]),
        ("local.txt", ["dependencies", "local"]),
        ("dev.txt", ["dependencies", "local", "dev"]),
    ],
)
def test_a_lock_file_holds_what_pyproject_asks_for(lock: str, sections: list[str]) -> None:
    text = (BASE / "requirements" / lock).read_text()
    pinned = {normal(name) for name in re.findall(r"^([\w.\-]+)(?:\[|==)", text, re.MULTILINE)}
    assert {name for section in sections for name in direct(section)} - pinned == set()


def test_the_interpreters_agree() -> None:
    project = tomllib.loads((BASE / "pyproject.toml").read_text())
    floor = project["project"]["requires-python"].removeprefix(">=")
    assert project["tool"]["mypy"]["python_version"] == floor
    assert project["tool"]["ruff"]["target-version"] == f"py{floor.replace('.', '')}"


@pytest.mark.parametrize("word", NEVER_WRITTEN)
def test_no_file_names_what_is_not_the_projects(word: str) -> None:
    ours = [path for path in source.texts() if path != Path(__file__)]
    assert [name_of(path) for path in ours if word in path.read_text(errors="replace")] == []


def test_no_commit_names_what_is_not_the_projects() -> None:
    log = subprocess.run(
        ["git", "log", "--format=%B"], cwd=BASE, capture_output=True, text=True, check=False
    ).stdout
    assert [word for word in NEVER_WRITTEN if word in log] == []


def direct(section: str) -> set[str]:
    """Return the normalised names of the direct dependencies of a section of pyproject.toml."""
    project = tomllib.loads((BASE / "pyproject.toml").read_text())["project"]
    asked = project.get(section) or project["optional-dependencies"].get(section, [])
    return {normal(re.split(r"[\[<>=!~; ]", each)[0]) for each in asked}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
