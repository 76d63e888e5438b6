"""`manage.py preview --on DATE`: what the calendar would do, by the same code; nothing is kept."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand

from billing import collections, days, reports
from billing.models import current_brand
from packages import clock
from packages.periods import business_day


class Command(BaseCommand):
    help = "Print what the calendar would do on these days; nothing is written and nothing is sent."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--on", type=date.fromisoformat, help="a date like 2027-01-31")
        parser.add_argument("--days", type=int, default=1, help="how many days from there")

    def handle(self, *args: Any, **options: Any) -> None:
        on = options["on"] or business_day(clock.now(), current_brand().zone)
        usual = days.usual()
        foreseen = days.preview(on, days=options["days"])
        for line in reports.of_days(foreseen):
            self.stdout.write(line)
        for day in foreseen:
            for kind, count in day.weight.items():
                if count > usual.get(kind, count):
                    seen, most = (collections.worded(kind, n) for n in (count, usual[kind]))
                    self.stdout.write(f"{day.on}: a run would stop at {seen}, {most} are usual.")
