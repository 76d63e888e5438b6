"""`python -m config.local prepare`: everything the database and the files need before a start.

One process does it all, because loading Django five times costs more than the work.
"""

import hashlib
import io
import os
from pathlib import Path

from config.local.passwords import write_private
from config.local.steps import step

LOGINS = "demo-logins.txt"


def prepare(var: Path) -> None:
    """Bring schema, cache table, static files and demo data up to date; each step may be repeated.

    What seed_demo says (the demo logins) is left in VAR_DIR/demo-logins.txt, mode 0600.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    with step("loading the product"):
        import django

        django.setup()
    from django.core.management import call_command

    with step("database schema"):
        if _has_pending_migrations():
            call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
    fingerprint = _static_fingerprint()
    stamp = var / "static.stamp"
    if not _is_current(stamp, fingerprint):
        with step("static files"):
            call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(fingerprint)
    with step("demo catalogue and logins"):
        said = io.StringIO()
        call_command("seed_demo", stdout=said)
        write_private(var / LOGINS, said.getvalue())


def _has_pending_migrations() -> bool:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _is_current(stamp: Path, fingerprint: str) -> bool:
    from django.conf import settings

    collected = Path(str(settings.STATIC_ROOT)).is_dir()
    return collected and stamp.exists() and stamp.read_text() == fingerprint


def _static_fingerprint() -> str:
    """Describe every static file and the place they go to, without reading them."""
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders

    found = hashlib.sha256(str(settings.STATIC_ROOT).encode())
    for finder in get_finders():
        for path, storage in finder.list([]):
            made = os.stat(storage.path(path))
            found.update(f"{path} {made.st_size} {made.st_mtime_ns}\n".encode())
    return found.hexdigest()
