"""docs/operations.md names every setting the product reads and every entry of beat's table."""

import ast
import re
from pathlib import Path

from config.local import commands

BASE = Path(__file__).resolve().parent.parent.parent
OPERATIONS = (BASE / "docs/operations.md").read_text()
READERS = {"str", "bool", "int", "list", "float", "json", "db_url", "email_url", "cache_url", "url"}


def _calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]


def _reads_environment(call: ast.Call) -> bool:
    function = call.func
    if isinstance(function, ast.Name):
        return function.id in ("env", "env_secret")
    if not isinstance(function, ast.Attribute):
        return False
    owner = ast.unparse(function.value)
    return (owner == "env" and function.attr in READERS) or owner == "os.environ"


def names_read_by(path: Path) -> set[str]:
    """Return the constant names of variables that the module asks for."""
    firsts = [call.args[0] for call in _calls(path) if _reads_environment(call) and call.args]
    return {
        first.value
        for first in firsts
        if isinstance(first, ast.Constant) and isinstance(first.value, str)
    }


def names_read() -> set[str]:
    modules = [*(BASE / "config").glob("*.py"), BASE / "manage.py"]
    return set().union(*(names_read_by(path) for path in modules)) - {"DJANGO_SETTINGS_MODULE"}


def documented() -> set[str]:
    return set(re.findall(r"^\| `([A-Z_]+)`", OPERATIONS, flags=re.MULTILINE))


def beat_entries() -> set[str]:
    """Return the keys of the table in config/celery.py, read without running it."""
    tree = ast.parse((BASE / "config/celery.py").read_text())
    tables = [node for node in ast.walk(tree) if isinstance(node, ast.Dict)]
    return {
        str(key.value)
        for table in tables
        for key, value in zip(table.keys, table.values, strict=True)
        if isinstance(key, ast.Constant) and "'schedule'" in ast.unparse(value)
    }


def test_every_variable_that_is_read_is_documented() -> None:
    assert names_read() - documented() == set()


def test_every_documented_setting_is_read() -> None:
    settings = OPERATIONS.split("## Settings")[1].split("## In production")[0]
    in_table = set(re.findall(r"^\| `([A-Z_]+)`", settings, flags=re.MULTILINE))
    assert in_table - names_read() == set()


def test_secrets_that_may_come_from_a_file_are_marked() -> None:
    tree = _calls(BASE / "config/settings.py")
    secrets = {
        ast.literal_eval(call.args[0])
        for call in tree
        if isinstance(call.func, ast.Name) and call.func.id == "env_secret"
    }
    marked = set(re.findall(r"^\| `([A-Z_]+)`\*", OPERATIONS, flags=re.MULTILINE))
    assert secrets == marked


def test_every_beat_entry_is_described() -> None:
    described = set(re.findall(r"^\| `([a-z_]+)` \|", OPERATIONS, flags=re.MULTILINE))
    assert beat_entries() == described
    assert beat_entries()


def test_every_worker_is_in_the_document_with_its_queues() -> None:
    found = re.findall(
        r"^\| ([\w-]+) \| `celery .*--queues ([\w,]+)", OPERATIONS, flags=re.MULTILINE
    )
    assert dict(found) == commands.WORKERS
