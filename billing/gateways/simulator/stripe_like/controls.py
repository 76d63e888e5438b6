"""/_sim: what tests and training may order. Never part of Stripe."""

from ..levers import Levers
from ..web import Request, Response, Route, json_response
from .bank import Bank
from .books import Thing
from .cards import TESTS, WALLETS, find
from .machine import Machine


def routes(machine: Machine) -> list[Route]:
    """The routes of the controls."""
    controls = Controls(machine)
    return controls.routes(
        {
            "payments/ID/pay": controls.pay,
            "payments/ID/expire": controls.expire,
            "payments/ID/refund": controls.refund,
            "refunds/ID/fail": controls.fail_refund,
            "payments/ID/dispute": controls.dispute,
            "disputes/ID/close": controls.decide,
            "payouts": controls.pay_out,
            "methods/ID": controls.change_method,
            "customers/ID/delete": controls.delete_customer,
        }
    )


class Controls(Levers[Machine]):
    """What may be ordered of Stripe's objects."""

    def pay(self, request: Request, session_id: str) -> Response:
        """Be the customer on the page: a `card_number` or IBAN, confirmed or not, or a `wallet`."""
        data = request.data()
        given = data.get("card_number", TESTS[0].number)
        test = WALLETS.get(data.get("wallet", "")) or find(given)
        if test is None:
            raise ValueError("no test number")
        with self._machine.rules() as bank:
            session = bank.books.get(session_id, "checkout.session")
            outcome = bank.pay_page(session, test, confirmed=data.get("confirmed", True) is True)
            return self._done(request, {"outcome": outcome})

    def expire(self, request: Request, session_id: str) -> Response:
        """Let a page's day be over."""
        with self._machine.rules() as bank:
            bank.expire(bank.books.get(session_id, "checkout.session"))
            return self._done(request, {})

    def refund(self, request: Request, payment_id: str) -> Response:
        """Refund in the Dashboard, past the shop: `amount_minor`, or all that is left."""
        with self._machine.rules() as bank:
            asked = {"payment_intent": _intent(bank, payment_id)["id"]}
            if "amount_minor" in request.data():
                asked["amount"] = request.data()["amount_minor"]
            return self._done(request, bank.refund(asked))

    def fail_refund(self, request: Request, refund_id: str) -> Response:
        """Let the customer's bank send a refund back."""
        with self._machine.rules() as bank:
            bank.fail_refund(bank.books.get(refund_id, "refund"))
        return json_response(200, {})

    def dispute(self, request: Request, payment_id: str) -> Response:
        """Let the payer's bank take the money back."""
        with self._machine.rules() as bank:
            return self._done(request, bank.dispute(_intent(bank, payment_id)))

    def decide(self, request: Request, dispute_id: str) -> Response:
        """End a dispute: `won` (true or false, or a form's yes)."""
        with self._machine.rules() as bank:
            dispute = bank.books.get(dispute_id, "dispute")
            won = request.data().get("won") in (True, "yes")
            return self._done(request, bank.decide(dispute, won=won))

    def pay_out(self, request: Request) -> Response:
        """Send the balance of a `currency` to the operator's bank."""
        with self._machine.rules() as bank:
            return self._done(request, bank.pay_out(request.data().get("currency", "eur")))

    def change_method(self, request: Request, method_id: str) -> Response:
        """Change what a kept method does: `later` (a decline code, "" or null), `gone`."""
        data = request.data()
        with self._machine.rules() as bank:
            method = bank.books.get(method_id, "payment_method")
            later, gone = data.get("later"), bool(data.get("gone", False))
            bank.books.save(method, later=later, gone=gone)
        return json_response(200, data)

    def delete_customer(self, request: Request, customer_id: str) -> Response:
        """Delete a customer in the Dashboard, with all that was kept of them."""
        with self._machine.rules() as bank:
            bank.books.get(customer_id, "customer")
            for each in bank.books.all("payment_method"):
                if each["customer"] == customer_id:
                    bank.books.save(each, customer=None, gone=True)
            bank.books.store.run("DELETE FROM thing WHERE id = ?", customer_id)
        return json_response(200, {})


def _intent(bank: Bank, payment_id: str) -> Thing:
    """The PaymentIntent of a page, or the one with this id."""
    found = bank.books.get(payment_id)
    return bank.books.get(found["payment_intent"]) if "payment_intent" in found else found
