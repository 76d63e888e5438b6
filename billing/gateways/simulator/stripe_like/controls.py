"""/_sim: what tests and training may order. Never part of Stripe."""

from typing import Any

from .. import events
from ..events import Shaping
from ..web import Request, Response, Route, json_response, route, see_other
from .bank import Bank
from .books import Thing
from .cards import TESTS, WALLETS, find
from .machine import Machine


def routes(machine: Machine) -> list[Route]:
    """The routes of the controls."""
    controls = Controls(machine)
    return [
        route("GET", "/_sim/faults", controls.faults),
        route("POST", "/_sim/faults", controls.set_faults),
        route("POST", "/_sim/webhooks", controls.shape_webhooks),
        route("POST", "/_sim/forget_keys", controls.forget_keys),
        route("POST", "/_sim/payments/ID/pay", controls.pay),
        route("POST", "/_sim/payments/ID/expire", controls.expire),
        route("POST", "/_sim/payments/ID/refund", controls.refund),
        route("POST", "/_sim/refunds/ID/fail", controls.fail_refund),
        route("POST", "/_sim/payments/ID/dispute", controls.dispute),
        route("POST", "/_sim/disputes/ID/close", controls.decide),
        route("POST", "/_sim/payouts", controls.pay_out),
        route("POST", "/_sim/events/ID/resend", controls.resend),
        route("POST", "/_sim/methods/ID", controls.change_method),
        route("POST", "/_sim/customers/ID/delete", controls.delete_customer),
    ]


class Controls:
    """The handlers. A form of the overview is answered with the overview, JSON with JSON."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def faults(self, request: Request) -> Response:
        """The faults still to come."""
        return json_response(200, self._machine.faults.left())

    def set_faults(self, request: Request) -> Response:
        """Replace the faults; an empty list ends them."""
        self._machine.faults.set(request.data())
        return self.faults(request)

    def shape_webhooks(self, request: Request) -> Response:
        """Say how the following events are delivered, and let held ones go (`release`)."""
        asked = dict(request.data())
        order = asked.pop("release", None)
        self._machine.shaping = Shaping(**asked)
        if order:
            with self._machine.bank() as bank:
                events.release(bank.books.store, order, at=bank.at)
        return json_response(200, vars(self._machine.shaping))

    def forget_keys(self, request: Request) -> Response:
        """Forget all idempotency keys, as Stripe does after 24 hours."""
        with self._machine.bank() as bank:
            return json_response(200, {"forgotten": bank.books.store.run("DELETE FROM answer")})

    def pay(self, request: Request, session_id: str) -> Response:
        """Be the customer on the page: a `card_number` or IBAN, confirmed or not, or a `wallet`."""
        data = request.data()
        given = data.get("card_number", TESTS[0].number)
        test = WALLETS.get(data.get("wallet", "")) or find(given)
        if test is None:
            raise ValueError("no test number")
        with self._machine.bank() as bank:
            session = bank.books.get(session_id, "checkout.session")
            outcome = bank.pay_page(session, test, confirmed=data.get("confirmed", True) is True)
            return self._done(request, {"outcome": outcome})

    def expire(self, request: Request, session_id: str) -> Response:
        """Let a page's day be over."""
        with self._machine.bank() as bank:
            bank.expire(bank.books.get(session_id, "checkout.session"))
            return self._done(request, {})

    def refund(self, request: Request, payment_id: str) -> Response:
        """Refund in the Dashboard, past the shop: `amount_minor`, or all that is left."""
        with self._machine.bank() as bank:
            asked = {"payment_intent": _intent(bank, payment_id)["id"]}
            if "amount_minor" in request.data():
                asked["amount"] = request.data()["amount_minor"]
            return self._done(request, bank.refund(asked))

    def fail_refund(self, request: Request, refund_id: str) -> Response:
        """Let the customer's bank send a refund back."""
        with self._machine.bank() as bank:
            bank.fail_refund(bank.books.get(refund_id, "refund"))
        return json_response(200, {})

    def dispute(self, request: Request, payment_id: str) -> Response:
        """Let the payer's bank take the money back."""
        with self._machine.bank() as bank:
            return self._done(request, bank.dispute(_intent(bank, payment_id)))

    def decide(self, request: Request, dispute_id: str) -> Response:
        """End a dispute: `won` (true or false, or a form's yes)."""
        with self._machine.bank() as bank:
            dispute = bank.books.get(dispute_id, "dispute")
            won = request.data().get("won") in (True, "yes")
            return self._done(request, bank.decide(dispute, won=won))

    def pay_out(self, request: Request) -> Response:
        """Send the balance of a `currency` to the operator's bank."""
        with self._machine.bank() as bank:
            return self._done(request, bank.pay_out(request.data().get("currency", "eur")))

    def resend(self, request: Request, event_id: str) -> Response:
        """Deliver an event `times` (1) more."""
        with self._machine.bank() as bank:
            bank.books.get(event_id, "event")
            times = int(request.data().get("times", 1))
            events.send_again(bank.books.store, event_id, times=times, at=bank.at)
            return self._done(request, {"times": times})

    def change_method(self, request: Request, method_id: str) -> Response:
        """Change what a kept method does: `later` (a decline code, "" or null), `gone`."""
        data = request.data()
        with self._machine.bank() as bank:
            method = bank.books.get(method_id, "payment_method")
            later, gone = data.get("later"), bool(data.get("gone", False))
            bank.books.save(method, later=later, gone=gone)
        return json_response(200, data)

    def delete_customer(self, request: Request, customer_id: str) -> Response:
        """Delete a customer in the Dashboard, with all that was kept of them."""
        with self._machine.bank() as bank:
            bank.books.get(customer_id, "customer")
            for each in bank.books.all("payment_method"):
                if each["customer"] == customer_id:
                    bank.books.save(each, customer=None, gone=True)
            bank.books.store.run("DELETE FROM thing WHERE id = ?", customer_id)
        return json_response(200, {})

    def _done(self, request: Request, shown: dict[str, Any]) -> Response:
        return see_other("/") if request.is_form else json_response(200, shown)


def _intent(bank: Bank, payment_id: str) -> Thing:
    """The PaymentIntent of a page, or the one with this id."""
    found = bank.books.get(payment_id)
    return bank.books.get(found["payment_intent"]) if "payment_intent" in found else found
