"""The documents say what the code does: paths, guards, invariants, dependencies, links."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from billing import invariants
from billing.bank.files import MAX_FILE
from billing.gateways.base import MAX_BODY
from billing.mail_webhook import MAX_MAIL
from tests import source
from tests.guards.guards import CHECKS, TRIGGERS, UNIQUE
from tests.guards.test_row_locks import functions_that_lock
from tests.source import BASE
from tests.test_repository import direct, normal

DOCS = BASE / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *BASE.glob("*.md")])
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))
HOP = re.compile(r"^\| (\d+) \| `([^`]+)` \| `([^`]+)` \| ([^|]+) \|", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


class Hop:
    """One row of the path: what is defined where, and from which hops it is reached."""

    def __init__(self, row: tuple[str, str, str, str]) -> None:
        self.number, name, self.function, self.origin = int(row[0]), row[1], row[2], row[3].strip()
        self.path = BASE / name
        self.module = name.removesuffix(".py").replace("/", ".")

    def __repr__(self) -> str:
        return f"{self.number}-{self.function}"


HOPS = {hop.number: hop for hop in map(Hop, HOP.findall((DOCS / "payment-path.md").read_text()))}
CALLED = [hop for hop in HOPS.values() if hop.origin.isdigit()]


@pytest.mark.parametrize("hop", HOPS.values(), ids=repr)
def test_a_hop_is_where_the_path_says(hop: Hop) -> None:
    body = source.tree(hop.path).body
    names = {each.name for each in body if isinstance(each, ast.FunctionDef | ast.ClassDef)}
    assert hop.function in names


@pytest.mark.parametrize("hop", CALLED, ids=repr)
def test_a_hop_calls_the_next(hop: Hop) -> None:
    before = HOPS[int(hop.origin)]
    assert hop.module in imported_by(before.path) | {before.module}
    used = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in ast.walk(source.tree(before.path))
        if isinstance(node, ast.Attribute | ast.Name)
    }
    assert hop.function in used


def test_the_path_has_no_gap() -> None:
    assert list(HOPS) == list(range(1, len(HOPS) + 1))
    assert len(HOPS) > 20


def test_the_signal_joins_provisioning_and_billing() -> None:
    for name in ("provisioning/outcomes.py", "billing/receivers.py"):
        assert "provisioning.signals.job_finished" in imported_by(BASE / name)


def imported_by(path: Path) -> set[str]:
    """Return the dotted names a module imports: modules, and names out of modules."""
    found: set[str] = set()
    for node in ast.walk(source.tree(path)):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{each.name}" for each in node.names}
    return found


def test_every_guard_is_in_the_list_of_locks() -> None:
    text = (DOCS / "locking.md").read_text()
    named = set(re.findall(r"`([\w.]+)`", text))
    guards = {guard.guard for guard in (*UNIQUE, *CHECKS, *TRIGGERS)}
    assert guards - named == set()
    assert functions_that_lock() - named == set()


def test_the_list_of_locks_names_no_guard_that_is_gone() -> None:
    text = (DOCS / "locking.md").read_text()
    first = set(re.findall(r"^\| `([\w.]+)` \|", text, re.MULTILINE))
    guards = {guard.guard for guard in (*UNIQUE, *CHECKS, *TRIGGERS)}
    assert first - guards - functions_that_lock() - {"billing.numbers.draw"} == set()


def test_every_invariant_is_described_and_no_other() -> None:
    described = re.findall(
        r"^\| ([A-Z]+-\d+) \|", (DOCS / "invariants.md").read_text(), re.MULTILINE
    )
    assert described == [each.code for each in invariants.INVARIANTS]


def test_the_proxy_lets_through_what_the_doors_take() -> None:
    server, *doors = (DOCS / "nginx.conf").read_text().split("location ")
    events, mails, _pages = doors
    assert f"client_max_body_size {MAX_BODY // 1024}k;" in events
    assert max(MAX_MAIL, MAX_FILE) < 30 * 2**20
    assert "client_max_body_size 30m;" in server
    for limit in ("limit_req zone=events", "limit_conn webhooks"):
        assert all(limit in each for each in (events, mails))


def test_every_dependency_is_explained_and_no_other() -> None:
    text = (DOCS / "dependencies.md").read_text()
    explained = {normal(name) for name in re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)}
    wanted = direct("dependencies") | direct("local") | direct("dev")
    assert explained == wanted


@pytest.mark.parametrize("document", PAGES, ids=lambda each: str(each.relative_to(BASE)))
def test_every_link_leads_somewhere(document: Path) -> None:
    links = [link for link in LINK.findall(document.read_text()) if "://" not in link]
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DECISIONS, ids=lambda each: each.stem)
def test_a_decision_says_context_decision_and_consequences(document: Path) -> None:
    text = document.read_text()
    assert re.match(r"# \d{4}: .+\n", text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
        "Context",
        "Decision",
        "Consequences",
    ]
    assert len(text.splitlines()) <= 60


def test_decisions_are_numbered_and_listed() -> None:
    numbers = [int(page.name[:4]) for page in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))
    listed = (DOCS / "architecture.md").read_text()
    assert [page.name for page in DECISIONS if page.name not in listed] == []


def test_the_readme_maps_the_tree() -> None:
    text = (BASE / "README.md").read_text()
    for folder in (*source.APPS, "templates", "static", "locale", "tests", "docs"):
        assert f"\n{folder}/" in text


def test_the_readme_says_what_make_can_do() -> None:
    text = (BASE / "README.md").read_text()
    targets = re.findall(r"^([a-z]+):.*## ", (BASE / "Makefile").read_text(), re.MULTILINE)
    assert [target for target in targets if f"make {target}" not in text and target != "help"] == []


def test_every_model_of_the_product_is_in_the_glossary() -> None:
    glossary = (DOCS / "architecture.md").read_text().split("## Glossary")[1]
    from django.apps import apps

    models = {
        model.__name__
        for app in ("packages", "provisioning", "billing")
        for model in apps.get_app_config(app).get_models()
        if not model._meta.auto_created
    }
    assert {name for name in models if f"`{name}`" not in glossary} == set()
