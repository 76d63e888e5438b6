"""`manage.py import_statement FILE`: import a bank statement here and now, with its progress."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing import matched_entries, statement_files
from billing.models import BankEntry, StatementFile, StatementLayout
from packages import clock

State = BankEntry.State


class Command(BaseCommand):
    help = "Import a CAMT.053 or CSV statement, or a ZIP of several; again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--layout", help="name of a CSV file's layout; recognised without it")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            kept = statement_files.keep(
                path.name,
                path.read_bytes(),
                layout=_layout(options["layout"]),
                at=clock.now(),
                actor="staff:command",
            )
        except OSError as error:
            raise CommandError(str(error)) from error
        except statement_files.TooLarge as error:
            raise CommandError(f"{path} is larger than 20 MB.") from error
        file = statement_files.read(kept.pk, now=clock.now, told=self._tell)
        self.stdout.write("")
        if file.state == StatementFile.State.FAILED:
            raise CommandError(f"{path}: {file.note}. Nothing of it was stored.")
        matched_entries.book(at=clock.now(), file_id=file.pk, told=lambda: self._tell_booked(file))
        self.stdout.write("")
        self.stdout.write(_outcome(StatementFile.objects.get(pk=file.pk)))

    def _tell(self, file: StatementFile) -> None:
        self._write_over(f"{file.lines_done} of {file.lines_total or 0} lines read")

    def _tell_booked(self, file: StatementFile) -> None:
        done, most = file.entries_booked
        self._write_over(f"{done} of {most} entries booked")

    def _write_over(self, line: str) -> None:
        """Write over the line that was written last."""
        self.stdout.write(f"\r{line}", ending="")
        self.stdout.flush()


def _layout(name: str | None) -> StatementLayout | None:
    if name is None:
        return None
    found = StatementLayout.objects.filter(name=name).first()
    if found is None:
        names = ", ".join(StatementLayout.objects.values_list("name", flat=True))
        raise CommandError(f"There is no layout {name}; there are: {names}.")
    return found


def _outcome(file: StatementFile) -> str:
    counts = {state: file.entries.filter(state=state).count() for state in State}
    return (
        f"{file.lines_new} new lines, {file.lines_known} known before: "
        f"{counts[State.BOOKED]} booked, {counts[State.OPEN] + counts[State.MATCHED]} need staff, "
        f"{counts[State.OUTGOING]} money out."
    )
