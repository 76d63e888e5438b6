"""The rows a test begins with, kept beside the tables and put back by copying them.

Django empties a test's database by truncating every table and filling in its own rows again, and
the seed asks for each of its rows; both take far longer than most tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import psycopg
from django.db import connection, transaction

# Neither triggers nor foreign keys have a say in what is copied whole.
UNGUARDED = "session_replication_role = replica"
KEEP = """
DO $$ DECLARE name text; filled bool; BEGIN
  CREATE SCHEMA {schema};
  FOR name IN SELECT tablename FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> 'django_migrations' LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO filled;
    IF filled AND to_regclass(format('bare.%I', name)) IS NULL THEN
      EXECUTE format('CREATE TABLE {schema}.%I AS TABLE %I', name, name);
    END IF;
  END LOOP;
END $$"""
# A statement for each table, since what a function says itself is planned once in a session. Few
# tests touch the rows that migrations bring, such as permissions: those stay if they are the same.
HOW_TO_WIPE = """
DO $$ DECLARE statements text; BEGIN
  SELECT string_agg(format(
      CASE WHEN to_regclass('bare.' || quote_ident(tablename)) IS NULL THEN
        'IF EXISTS (SELECT FROM %1$I) THEN DELETE FROM %1$I; END IF;'
      ELSE
        'IF EXISTS (TABLE %1$I EXCEPT ALL TABLE bare.%1$I)
            OR EXISTS (TABLE bare.%1$I EXCEPT ALL TABLE %1$I)
          THEN DELETE FROM %1$I; INSERT INTO %1$I TABLE bare.%1$I; END IF;'
      END, tablename), ' ')
    FROM pg_tables INTO statements
    WHERE schemaname = 'public' AND tablename <> 'django_migrations';
  EXECUTE format(
    'CREATE FUNCTION bare.wipe() RETURNS void LANGUAGE plpgsql AS %L',
    'BEGIN ' || statements || ' END');
END $$"""
WIPE = "SELECT bare.wipe()"
COPY = """
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = '{schema}' LOOP
    EXECUTE format('INSERT INTO %I TABLE {schema}.%I ON CONFLICT DO NOTHING', name, name);
  END LOOP;
END $$"""

# By the database they are for.
_keepers: dict[tuple[object, ...], psycopg.Connection] = {}


def keep(seed: Callable[[], object]) -> None:
    """Keep the migrated database's rows as `bare`, and what `seed` adds to them as `seeded`."""
    keep_as("bare")
    _run(HOW_TO_WIPE)
    keep_made("seeded", seed)


def keep_made(name: str, make: Callable[[], object]) -> None:
    """Keep what `make` adds to the migrated rows under a name; commits, so before a test."""
    make()
    keep_as(name)
    wipe()


def keep_as(name: str) -> None:
    """Keep all rows as they are now under a name, in place of what was kept under it."""
    with transaction.atomic():
        _run(f"DROP SCHEMA IF EXISTS {name} CASCADE", KEEP.format(schema=name))


def put_back(name: str) -> None:
    """Bring the database to the state that was kept; sequences go on counting."""
    _unguarded(WIPE, COPY.format(schema=name))


def wipe() -> None:
    """Bring the database back to its state after the migrations; sequences go on counting.

    The session holds no lock afterwards: the next test has the same one.
    """
    _unguarded(WIPE)
    _run("SELECT pg_advisory_unlock_all()")


def add(name: str) -> None:
    """Insert the rows kept under a name that are not there; a test's transaction may be open."""
    _unguarded(COPY.format(schema=name))


def end() -> None:
    """Close what was opened beside the tests' own connection."""
    while _keepers:
        _keepers.popitem()[1].close()


def _unguarded(*statements: str) -> None:
    """Run them all or none, in the transaction of the test where one is open.

    Else in a session of their own: a change of role makes a session forget all that it has planned.
    """
    if connection.in_atomic_block:
        _run(f"SET LOCAL {UNGUARDED}", *statements, "SET LOCAL session_replication_role = origin")
        return
    keeper = _keeper()
    try:
        _all(keeper, statements)
    except psycopg.OperationalError:
        # A test may end every session of its database.
        if not keeper.closed:
            raise
        _all(_keeper(), statements)


def _all(keeper: psycopg.Connection, statements: Sequence[str]) -> None:
    with keeper.transaction():
        for statement in statements:
            keeper.execute(statement.encode())


def _keeper() -> psycopg.Connection:
    """One that fails rather than waits for a test which has left a transaction open."""
    how = connection.get_connection_params()
    where = {name: how[name] for name in ("host", "port", "user", "password", "dbname")}
    key = tuple(where.values())
    if key not in _keepers or _keepers[key].closed:
        _keepers[key] = psycopg.connect(**where, autocommit=True)
        _keepers[key].execute(f"SET {UNGUARDED}".encode())
        _keepers[key].execute("SET lock_timeout = '20s'")
    return _keepers[key]


def _run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
