"""`manage.py check_invariants`: one line per rule, and a non-zero exit if any is violated."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing import invariants


class Command(BaseCommand):
    help = "Check that everything that must always be true is true; changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        violated = 0
        for finding in invariants.check():
            count = len(finding.rows)
            verdict = "ok  " if not count else f"{count:<4}"
            self.stdout.write(f"{verdict} {finding.invariant.code:7} {finding.invariant.rule}")
            for row in finding.rows[:10]:
                self.stdout.write(f"       violated by {', '.join(map(str, row))}")
            violated += bool(count)
        if violated:
            raise CommandError(f"{violated} invariants are violated.")
