"""`manage.py seed_demo`: a shop to try out. Runs as often as you like."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from billing import demo
from packages import clock
from packages.demo import seed_catalogue
from provisioning.demo import seed_servers


class Command(BaseCommand):
    help = "Make the demo's catalogue, operator, servers and logins; bring back what is missing."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Demo data belongs in a demo: set DEMO=1 first.")
        seed_catalogue()
        demo.seed_operator(at=clock.now())
        if settings.SIMULATED_GATEWAY["url"]:
            demo.keep_card(at=clock.now())
        if settings.SIMULATOR_URL:
            seed_servers(settings.SIMULATOR_URL, settings.SIMULATOR_PASSWORD)
        self.stdout.write("Staff     {}  password {}".format(*demo.STAFF))
        self.stdout.write("Customer  {}  password {}".format(*demo.CUSTOMER))
