"""The calendar: renewed, topped up, up, down, reminded, suspended, restored, ended, deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from billing.models import Invoice, Mail, Notice, Subscription
from storefront.walkthrough.browser import Page
from storefront.walkthrough.exchange import Exchange
from storefront.walkthrough.road import CARD, DECLINED_CARD, Road
from storefront.walkthrough.staff import Staff, today
from storefront.walkthrough.timeline import Differs, subscription_of, wait_for


@dataclass(slots=True)
class Year:
    """What comes after the purchase, for the customer of a road. Raises Differs like it."""

    road: Road
    staff: Staff

    def lives(self, package: str, bigger: str, top_up: str) -> None:
        self._renewal()
        self._more(package, bigger, top_up)
        self._late(package)
        self._end()

    def _renewal(self) -> None:
        """Wait for the invoice of the second period, and pay it on its due date."""
        begun = self._service()
        invoice = self._invoiced(begun)
        self.road.timeline.must("owed after the invoice", invoice.due, begun.amount)
        self.staff.lives_until(self._due(invoice))
        self._pays(invoice)
        self._paid_until_moved(begun)
        self._step("paid the renewal on its due date")

    def _more(self, package: str, bigger: str, top_up: str) -> None:
        """Top up in the middle of the period, change to the bigger package, agree to go back."""
        self.staff.lives_until(today() + timedelta(days=5))
        price = self.road.price(top_up)
        self.road.top_up(price, self.road.balance() + price.credit)
        exchange = Exchange(self.road)
        exchange.up(bigger)
        exchange.down(package)

    def _late(self, package: str) -> None:
        """Let the third period's invoice go unpaid until the service stands still; then pay it.

        It is that of the package which was agreed for this period; its payment brings that too.
        """
        begun = self._service()
        invoice = self._invoiced(begun)
        agreed = self.road.price(package)
        self.road.timeline.must("owed for the next period", invoice.due, agreed.amount)
        due_on = self._due(invoice)
        self.staff.lives_until(due_on)
        self._noticed(invoice, Notice.Step.REMINDER)
        self._declined(invoice)
        self.staff.lives_until(due_on + timedelta(days=1))
        self._noticed(invoice, Notice.Step.FIRST)
        self.staff.lives_until(due_on + timedelta(days=7))
        self._noticed(invoice, Notice.Step.SECOND)
        self.staff.lives_until(due_on + timedelta(days=10))
        self._noticed(invoice, Notice.Step.SUSPENDED)
        self._stands("suspended", "suspended")
        self._pays(invoice)
        self._stands("active", "live")
        self._paid_until_moved(begun)
        self._step("paid, and the service runs again")
        Exchange(self.road).is_done(package)

    def _end(self) -> None:
        """Cancel, take it back, cancel again, and live until the account is deleted."""
        page = self._page()
        for button in ("/cancellation/", "/withdrawal/", "/cancellation/"):
            page = self.road.browser.submit(page, button)
        ends_on = self._service().ends_on
        if ends_on is None:
            raise Differs("the cancellation is not on record")
        self._step(f"cancelled to {ends_on}")
        self.staff.lives_until(ends_on)
        self._stands("ended", "suspended")
        self._step("the service has ended")
        self.staff.lives_until(ends_on + timedelta(days=31))
        self._stands("ended", "closed")
        self.road.timeline.must("account at the dialler", self.road.is_gone(), True)
        self._step("the account is deleted at the dialler")

    def _invoiced(self, begun: Subscription) -> Invoice:
        if begun.next_invoice_on is None:
            raise Differs("no renewal is planned")
        self.staff.lives_until(begun.next_invoice_on)
        invoice = wait_for("the renewal's invoice", self._open_invoice)
        self._step(f"renewal invoiced: {invoice.number}, due on {invoice.due_on}")
        return invoice

    def _open_invoice(self) -> Invoice | None:
        rows = Invoice.objects.filter(customer__email=self.road.buyer.email)
        return rows.filter(state=Invoice.State.OPEN).order_by("pk").last()

    def _pays(self, invoice: Invoice) -> None:
        page = self._gateway_page(invoice)
        self.road.browser.submit(page, "card_number", {"card_number": CARD}, button="pay")
        wait_for(f"{invoice.number} is paid", lambda: self._is_paid(invoice))

    def _declined(self, invoice: Invoice) -> None:
        page = self._gateway_page(invoice)
        card = {"card_number": DECLINED_CARD}
        self.road.browser.submit(page, "card_number", card, button="pay")
        self._step("the card is declined, nothing paid")

    def _gateway_page(self, invoice: Invoice) -> Page:
        page = self.road.browser.open(f"/account/invoices/{invoice.public_id}/")
        return self.road.browser.submit(page, "gateway", {"gateway": "simulated"})

    def _is_paid(self, invoice: Invoice) -> bool | None:
        invoice.refresh_from_db()
        return True if invoice.state == Invoice.State.PAID else None

    def _noticed(self, invoice: Invoice, step: Notice.Step) -> None:
        what = f"{step.label} of {invoice.number} on {today()}"
        notice = wait_for(what, lambda: invoice.notices.filter(step=step).first())
        wait_for("the notice's mail", lambda: self._is_sent(notice))
        self._step(str(step.label))

    def _is_sent(self, notice: Notice) -> bool | None:
        return True if Mail.objects.get(pk=notice.mail_id).state == Mail.State.SENT else None

    def _stands(self, paid: str, runs: str) -> None:
        """Wait until the subscription and its account are in these states."""
        wait_for(f"service {paid}, account {runs}", lambda: self._is(paid, runs))

    def _is(self, paid: str, runs: str) -> bool | None:
        service = self._service()
        state = service.account.state if service.account else ""
        return True if (service.state, state) == (paid, runs) else None

    def _paid_until_moved(self, begun: Subscription) -> None:
        now = self._service()
        if begun.paid_until is None or now.paid_until is None or now.paid_until <= begun.paid_until:
            raise Differs(f"paid until {now.paid_until} after {begun.paid_until}")

    def _page(self) -> Page:
        return self.road.browser.open(f"/account/services/{self._service().public_id}/")

    def _service(self) -> Subscription:
        service = subscription_of(self.road.buyer.email)
        if service is None:
            raise Differs("the subscription is gone")
        return service

    def _due(self, invoice: Invoice) -> date:
        if invoice.due_on is None:
            raise Differs(f"{invoice.number} has no due date")
        return invoice.due_on

    def _step(self, text: str) -> None:
        self.road.step(f"{today()}: {text}")
