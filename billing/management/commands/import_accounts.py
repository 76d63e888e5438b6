"""`manage.py import_accounts FILE --server NAME`: make existing dialler accounts services."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing import imports
from billing.imports import Found
from packages import clock
from packages.desk import Impossible
from provisioning.dialler.base import DiallerError
from provisioning.models import Server


class Command(BaseCommand):
    help = (
        "Make accounts that a dialler has already services of customers, from a list of usernames "
        f"or a CSV file with the columns {', '.join(imports.COLUMNS)}."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--server", required=True, help="name of the dialler")
        parser.add_argument("--package", default="", help="where a line names none")
        parser.add_argument("--cycle", default="", help="where a line names none")
        parser.add_argument("--start", default="", help="where a line names none, as 2026-03-31")
        parser.add_argument("--dry-run", action="store_true", help="report, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        server = Server.objects.filter(name=options["server"]).first()
        if server is None:
            raise CommandError(f"There is no server {options['server']}.")
        try:
            rows = imports.read(options["file"].read_text(encoding="utf-8"), options)
            found = list(imports.check(rows, server, at=clock.now()))
        except (OSError, UnicodeDecodeError, imports.Unreadable, DiallerError) as error:
            raise CommandError(str(error)) from error
        told = [each.problem if options["dry_run"] else _adopted(each, server) for each in found]
        for each, problem in zip(found, told, strict=True):
            self.stdout.write(f"{each.row.username}: {problem or _becomes(each)}")
        done = "would be imported" if options["dry_run"] else "imported"
        self.stdout.write(f"{told.count('')} of {len(rows)} {done}.")
        if any(told):
            raise CommandError("Some cannot be imported; see above.")


def _adopted(found: Found, server: Server) -> str:
    """Take it over; return what is in the way, nothing if it is done."""
    try:
        imports.adopt(found, server, at=clock.now(), actor="staff:command")
    except Impossible as error:
        return str(error)
    return ""


def _becomes(found: Found) -> str:
    since = f"{found.price} for {found.customer}, since {found.row.start_on}"
    return f"{since}; differs in {', '.join(found.differs)}" if found.differs else since
