"""`manage.py forget_second_factor EMAIL`: let in an owner who lost their second factor."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing import second_factors
from billing.models import User
from packages import clock


class Command(BaseCommand):
    help = "Remove a user's second factors; who has a colleague does this in the admin instead."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--reason", required=True, help="kept in the history")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email__iexact=options["email"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['email']}.")
        reason, at = options["reason"], clock.now()
        if not second_factors.take_away(user, reason=reason, at=at, actor="command"):
            raise CommandError(f"{user.email} has no second factor.")
        self.stdout.write(f"{user.email} signs in with the password alone, and is told by mail.")
