"""`manage.py bill --on DATE`: do what the calendar says for a day; again changes nothing."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing import days, reports, runs
from billing.models import current_brand
from packages import clock
from packages.periods import business_day


class Command(BaseCommand):
    help = "Issue renewals, end what was cancelled, and dun, as of a day (today by default)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--on", type=date.fromisoformat, help="a date like 2027-01-31")
        parser.add_argument(
            "--yes", action="store_true", help="also when far more than usual would be suspended"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        on = options["on"] or business_day(clock.now(), current_brand().zone)
        careful = not options["yes"]
        try:
            day = runs.by_hand(on, careful=careful, now=clock.now, actor="staff:command")
        except days.TooMany as error:
            raise CommandError(f"{error} Look at the preview; --yes does it.") from error
        except runs.Busy as error:
            raise CommandError(f"{error} Nothing was done.") from error
        for line in reports.of_days([day]):
            self.stdout.write(line)
        if day.faults:
            raise CommandError(f"{len(day.faults)} items failed; the run's page names them.")
