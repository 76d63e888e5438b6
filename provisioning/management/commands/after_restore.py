"""`manage.py after_restore`: let nothing be done twice that was done after the backup."""

from typing import Any

from django.core.management.base import BaseCommand

from packages import clock
from provisioning import restores


class Command(BaseCommand):
    help = (
        "After a backup was restored, before workers start: mark unfinished jobs that must not be "
        "done twice as perhaps done, so that they are looked up or left to staff."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        doubted = restores.doubt_unfinished(at=clock.now())
        for job in doubted:
            self.stdout.write(f"perhaps done: {job} for {job.account}")
        self.stdout.write(f"{len(doubted)} jobs are looked up before they are done.")
