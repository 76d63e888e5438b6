"""The repository as its tests read it: which files are ours, and what is written in them."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
APPS = ("packages", "provisioning", "billing", "storefront", "config")
TEXTS = {".py", ".html", ".txt", ".css", ".js", ".md", ".sh", ".toml", ".yaml", ".yml", ".typ"}
# Not ours, or made by `make`.
SKIPPED = {".git", ".venv", "var", "staticfiles", "node_modules", "__pycache__"}


@cache
def files() -> tuple[Path, ...]:
    """Return every file of the repository; outside of a checkout, every file that is not made."""
    asked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=BASE,
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode == 0:
        listed = [BASE / name for name in asked.stdout.split("\0") if name]
    else:
        listed = [path for path in BASE.rglob("*") if not SKIPPED & set(path.parts)]
    return tuple(sorted(path for path in listed if path.is_file()))


def texts(*suffixes: str) -> list[Path]:
    """Return our text files, or those with the given suffixes."""
    wanted = set(suffixes) or TEXTS
    return [path for path in files() if path.suffix in wanted]


def modules(*folders: str) -> list[Path]:
    """Return the Python files below these top folders (all of ours by default)."""
    wanted = folders or (*APPS, "tests", "manage.py")
    return [path for path in texts(".py") if path.relative_to(BASE).parts[0] in wanted]


def product() -> list[Path]:
    """Return the product's modules, without migrations and tests."""
    return [path for path in modules(*APPS) if "migrations" not in path.parts]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def name_of(path: Path) -> str:
    return str(path.relative_to(BASE))


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    """Yield every function and method of a module."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef):
            yield node


def calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield node


def called(call: ast.Call) -> str:
    """Return what is called, as written: `timezone.now`."""
    return ast.unparse(call.func)
