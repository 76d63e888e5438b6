"""Every unique key, check and trigger refuses what it should, and nothing else would.

Each guard is met twice by the same write: as it is, it refuses; taken away, the write goes through.
So a guard that is dropped fails its first test, and no first test passes by accident.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from pytest_django import DjangoDbBlocker

from tests.guards import rows
from tests.guards.guards import CHECKS, TRIGGERS, UNIQUE, Change, Copy

# Asks pytest-django for a database, also when no other test of the run does.
pytestmark = pytest.mark.django_db

APPS = ("packages", "provisioning", "billing")
# Django's own tables for groups and permissions.
NOT_OURS = "billing_user_%"

UNIQUE_INDEXES = """
    SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
    JOIN pg_class t ON t.oid = x.indrelid
    WHERE x.indisunique AND NOT x.indisprimary AND t.relname NOT LIKE %s
      AND split_part(t.relname, '_', 1) = ANY (%s)"""


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[rows.Rows]:
    """One row of everything, for all tests of this module; nothing of it is ever committed."""
    with django_db_blocker.unblock(), transaction.atomic():
        made = rows.make()
        # A deferred check would otherwise wait for a commit that never comes.
        execute("SET CONSTRAINTS ALL IMMEDIATE")
        yield made
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def undone(world: rows.Rows) -> Iterator[None]:
    """Undo what a test did, dropped guards included."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize("copy", UNIQUE, ids=str)
def test_a_unique_key_refuses_the_second_row(copy: Copy, world: rows.Rows) -> None:
    assert insert_refused_by(copy, world) == copy.guard


@pytest.mark.parametrize("copy", UNIQUE, ids=str)
def test_without_the_unique_key_the_second_row_is_there(copy: Copy, world: rows.Rows) -> None:
    remove_unique(copy.guard)
    remove_unique(copy.twin)
    assert insert_refused_by(copy, world) is None


@pytest.mark.parametrize("copy", CHECKS, ids=str)
def test_a_check_refuses_the_impossible_row(copy: Copy, world: rows.Rows) -> None:
    assert insert_refused_by(copy, world) == copy.guard


@pytest.mark.parametrize("copy", CHECKS, ids=str)
def test_without_the_check_the_impossible_row_is_there(copy: Copy, world: rows.Rows) -> None:
    for name in filter(None, (copy.guard, copy.twin)):
        execute(f"ALTER TABLE {world[copy.row]._meta.db_table} DROP CONSTRAINT {name}")
    assert insert_refused_by(copy, world) is None


@pytest.mark.parametrize("change", TRIGGERS, ids=str)
def test_a_trigger_refuses_raw_sql(change: Change, world: rows.Rows) -> None:
    with pytest.raises(IntegrityError, match="append-only|never changes|sum to zero"):
        execute(change.statement.format(world[change.row].pk))


@pytest.mark.parametrize("change", TRIGGERS, ids=str)
def test_without_the_trigger_raw_sql_gets_through(change: Change, world: rows.Rows) -> None:
    execute(f"ALTER TABLE {table_of(change.guard)} DISABLE TRIGGER {change.guard}")
    assert execute(change.statement.format(world[change.row].pk)) == 1


def test_every_unique_key_of_the_database_has_its_test() -> None:
    with connection.cursor() as cursor:
        cursor.execute(UNIQUE_INDEXES, [NOT_OURS, list(APPS)])
        found = {name for (name,) in cursor.fetchall()}
    assert {copy.guard for copy in UNIQUE} == found


def test_every_check_of_the_models_has_its_test() -> None:
    declared = {
        constraint.name
        for app in APPS
        for model in apps.get_app_config(app).get_models()
        for constraint in model._meta.constraints
        if isinstance(constraint, models.CheckConstraint)
    }
    assert {copy.guard for copy in CHECKS} == declared


def test_every_trigger_of_the_database_has_its_test() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
        found = {name for (name,) in cursor.fetchall()}
    assert {change.guard for change in TRIGGERS} == found


def execute(statement: str) -> int:
    """Run a statement and return how many rows it touched."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)


def insert_refused_by(copy: Copy, world: rows.Rows) -> str | None:
    """Insert the copy; return the name of the constraint that refused it, None if it is there."""
    first = world[copy.row]
    columns = [str(f.column) for f in first._meta.concrete_fields if f.column != "id"]
    columns += [column for column in copy.changes if column not in columns]
    values = [copy.changes.get(column, f'"{column}"') for column in columns]
    table, names = first._meta.db_table, ", ".join(f'"{column}"' for column in columns)
    try:
        execute(
            f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} FROM {table} "
            f"WHERE id = {first.pk}"
        )
    except IntegrityError as error:
        cause: Any = error.__cause__
        return str(cause.diag.constraint_name)
    return None


def remove_unique(name: str) -> None:
    """Drop a unique key, be it a constraint of a table or an index on its own; "" is none."""
    if not name:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text FROM pg_constraint WHERE conname = %s", [name]
        )
        owner = cursor.fetchone()
    execute(f"ALTER TABLE {owner[0]} DROP CONSTRAINT {name}" if owner else f"DROP INDEX {name}")


def table_of(trigger: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = %s", [trigger]
        )
        return str(cursor.fetchone()[0])
