"""`manage.py walkthrough`: live for months with the running shop; all of it must be true."""

import uuid
from typing import Any

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from billing import invariants
from storefront.walkthrough.browser import Browser, Lost
from storefront.walkthrough.road import Buyer, Road
from storefront.walkthrough.staff import Staff
from storefront.walkthrough.timeline import Differs, Timeline
from storefront.walkthrough.year import Year

TOP_UP = "credit-25"
CONSUMER = {
    "kind": "private",
    "name": "Ada Muster",
    "street": "Musterweg 1",
    "postcode": "20095",
    "city": "Hamburg",
    "country": "DE",
}
BUSINESS = {
    "kind": "business",
    "name": "Jo Sample",
    "company": "Sample Ltd",
    "street": "1 Sample Street",
    "postcode": "10115",
    "city": "Berlin",
    "country": "DE",
}


class Command(BaseCommand):
    help = "Walk through the running demo as customers do; exit non-zero if anything differs."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("The walkthrough orders things: it runs in a demo only (DEMO=1).")
        timeline = Timeline(self.stdout.write)
        try:
            staff = Staff(settings.SITE_URL)
            for buyer, package, bigger in _walkers():
                browser = Browser(settings.SITE_URL, buyer.language)
                road = Road(browser, buyer, timeline)
                road.walk(package, TOP_UP)
                Year(road, staff).lives(package, bigger, TOP_UP)
            self._check_books()
        except (Differs, Lost) as error:
            raise CommandError(f"Differs: {error}") from error
        except requests.RequestException as error:
            raise CommandError(f"Nobody answers at {settings.SITE_URL}: {error}") from error
        self.stdout.write("\nEverything is as it should be.")

    def _check_books(self) -> None:
        found = invariants.violations()
        if found:
            codes = ", ".join(each.invariant.code for each in found)
            raise Differs(f"invariants {codes} are violated")
        self.stdout.write(f"\n{len(invariants.INVARIANTS)} invariants hold.")


def _walkers() -> list[tuple[Buyer, str, str]]:
    """A consumer in German and euros, a business in English and dollars: both kinds of dialler.

    With the package each buys, and the bigger one each tries for a while.
    """
    ada = Buyer(f"ada-{uuid.uuid4().hex[:8]}@example.com", "de", "EUR", CONSUMER)
    jo = Buyer(f"jo-{uuid.uuid4().hex[:8]}@example.com", "en", "USD", BUSINESS)
    return [(ada, "business", "scale"), (jo, "starter", "business")]
