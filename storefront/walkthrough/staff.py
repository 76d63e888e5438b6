"""The operator's browser: lets days pass on the demo's page for that."""

from __future__ import annotations

from datetime import date

from billing import demo
from billing.models import current_brand
from packages import clock
from packages.periods import business_day
from storefront.walkthrough.browser import Browser
from storefront.walkthrough.timeline import Differs

PAGE = "/admin/packages/shopclock/"
# The page answers when the days are over; more of them at once would keep it waiting too long.
DAYS_AT_ONCE = 7


class Staff:
    """A member of staff of the demo, signed in to the admin."""

    def __init__(self, site: str) -> None:
        self._browser = Browser(site)
        email, password = demo.STAFF
        page = self._browser.open("/admin/login/")
        self._browser.submit(page, "password", {"login": email, "password": password})

    def lives_until(self, day: date) -> None:
        """Let the days pass until the shop's date is that day."""
        while (left := (day - today()).days) > 0:
            page = self._browser.open(PAGE)
            before = today()
            self._browser.submit(page, "days", {"days": str(min(left, DAYS_AT_ONCE))})
            if today() <= before:
                raise Differs(f"the shop's date stays at {before}")


def today() -> date:
    """Return the shop's date."""
    return business_day(clock.now(), current_brand().zone)
