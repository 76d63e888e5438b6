"""Another package: up at once by the day, and back with the next period."""

from __future__ import annotations

from dataclasses import dataclass

from billing.models import Invoice, Subscription
from packages.models import Price
from packages.money import Money
from storefront.walkthrough.browser import Page
from storefront.walkthrough.road import CARD, Road, limits_of
from storefront.walkthrough.staff import today
from storefront.walkthrough.timeline import Differs, subscription_of, wait_for


@dataclass(slots=True)
class Exchange:
    """What a customer of a road does with the package. Raises Differs like it.

    The sums are worked out here anew, by hand, from prices and days.
    """

    road: Road

    def up(self, package: str) -> None:
        """Change at once, having seen and paid what it costs for the days that are left."""
        must = self.road.timeline.must
        service, new, before = self._service(), self.road.price(package), self.road.balance()
        cost = self._share(service, new.amount) - self._share(service, service.amount)
        credit = self._share(service, new.credit) - self._share(service, service.credit)
        page = self._agreed(new, "now")
        invoice = wait_for("the exchange's invoice", self._open_invoice)
        must("the exchange's total", invoice.total, cost)
        self.road.step(f"{today()}: ordered {new.package} for the days that are left")
        self.road.browser.submit(page, "card_number", {"card_number": CARD}, button="pay")
        self._has(new)
        wait_for("the credit that is included more", lambda: self._holds(before + credit))
        must("paid until", self._service().paid_until, service.paid_until)
        self.road.step(f"{today()}: paid, the dialler has the limits of {new.package}")

    def down(self, package: str) -> None:
        """Agree on another package from the next period on; nothing changes before."""
        new, before = self.road.price(package), self.road.limits()
        self._agreed(new, "at_end")
        waiting = self._service().exchanges.filter(state="pending").count()
        self.road.timeline.must("changes that are agreed", waiting, 1)
        self.road.timeline.must("limits before the next period", self.road.limits(), before)
        self.road.step(f"{today()}: agreed on {new.package} from the next period on")

    def is_done(self, package: str) -> None:
        """Wait until service and dialler have the package."""
        new = self.road.price(package)
        self._has(new)
        self.road.timeline.must("price per period", self._service().amount, new.amount)
        self.road.step(f"{today()}: {new.package}, as was agreed")

    def _agreed(self, new: Price, mode: str) -> Page:
        browser = self.road.browser
        page = browser.open(f"/account/services/{self._service().public_id}/exchange/")
        page = browser.submit(page, "price", {"price": str(new.pk), "mode": mode})
        values = {"gateway": "simulated"} if mode == "now" else None
        return browser.submit(page, "seen", values)

    def _has(self, new: Price) -> None:
        what = f"limits of {new.package} on the dialler"
        wait_for(what, lambda: True if self.road.limits() == limits_of(new) else None)
        self.road.timeline.must("package", self._service().package, new.package)

    def _holds(self, expected: Money) -> bool | None:
        return True if self.road.balance() == expected else None

    def _share(self, service: Subscription, amount: Money) -> Money:
        """Return the part of an amount for a period that falls on today and the days after it."""
        period = service.periods.order_by("index").last()
        if period is None:
            raise Differs("the service has no period")
        days = (period.end_on - today()).days
        return amount.fraction(days, (period.end_on - period.start_on).days)

    def _open_invoice(self) -> Invoice | None:
        mine = Invoice.objects.filter(customer__email=self.road.buyer.email)
        return mine.filter(state=Invoice.State.OPEN).first()

    def _service(self) -> Subscription:
        service = subscription_of(self.road.buyer.email)
        if service is None:
            raise Differs("the subscription is gone")
        return service
