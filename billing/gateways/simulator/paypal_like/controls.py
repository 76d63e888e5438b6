"""/_sim: what tests and training may order. Never part of PayPal."""

from typing import Any

from ..levers import Levers
from ..web import Request, Response, Route, json_response
from .bank import SOURCES, Bank
from .books import Thing, shown
from .machine import Machine


def routes(machine: Machine) -> list[Route]:
    """The routes of the controls."""
    controls = Controls(machine)
    return controls.routes(
        {
            "vault": controls.set_vault,
            "search": controls.set_search,
            "refunds": controls.set_refunds,
            "refunds/ID/fail": controls.fail_refund,
            "refunds/ID/arrive": controls.let_arrive,
            "end_tokens": controls.end_tokens,
            "payments/ID/pay": controls.pay,
            "payments/ID/expire": controls.expire,
            "payments/ID/refund": controls.refund,
            "payments/ID/reverse": controls.reverse,
            "payments/ID/dispute": controls.dispute,
            "payouts": controls.pay_out,
            "disputes/ID/close": controls.decide,
            "methods/ID": controls.change_method,
        }
    )


class Controls(Levers[Machine]):
    """What may be ordered of PayPal's objects."""

    def set_vault(self, request: Request) -> Response:
        """Say whether methods are kept `late`: after the answer that tells of the money."""
        self._machine.vaults_late = bool(request.data().get("late", False))
        return json_response(200, {"late": self._machine.vaults_late})

    def set_search(self, request: Request) -> Response:
        """Say how many lines (`most`) the transaction search lists at once."""
        self._machine.most_listed = int(request.data().get("most", 10_000))
        return json_response(200, {"most": self._machine.most_listed})

    def set_refunds(self, request: Request) -> Response:
        """Say whether refunds are `pending`, as those are that a bank account pays."""
        self._machine.refunds_wait = bool(request.data().get("pending", False))
        return json_response(200, {"pending": self._machine.refunds_wait})

    def fail_refund(self, request: Request, refund_id: str) -> Response:
        """Let a refund fail."""
        with self._machine.rules() as bank:
            bank.fail_refund(bank.books.get(refund_id, "refund"))
        return json_response(200, {})

    def let_arrive(self, request: Request, refund_id: str) -> Response:
        """Let a pending refund be done."""
        with self._machine.rules() as bank:
            bank.arrive(bank.books.get(refund_id, "refund"))
        return json_response(200, {})

    def end_tokens(self, request: Request) -> Response:
        """Let all bearer tokens end now."""
        with self._machine.rules() as bank:
            return json_response(200, {"ended": bank.books.store.run("DELETE FROM token")})

    def pay(self, request: Request, order_id: str) -> Response:
        """Be the customer who approves on the page, with a `source` (balance)."""
        source = request.data().get("source", SOURCES[0])
        if source not in SOURCES:
            raise ValueError("no such source")
        with self._machine.rules() as bank:
            bank.approve(bank.books.get(order_id, "order"), source)
            return self._done(request, {})

    def expire(self, request: Request, order_id: str) -> Response:
        """Forget an order that nobody approved, as PayPal does after some hours."""
        with self._machine.rules() as bank:
            bank.books.get(order_id, "order")
            bank.books.store.run("DELETE FROM thing WHERE id = ?", order_id)
            return self._done(request, {})

    def refund(self, request: Request, order_id: str) -> Response:
        """Refund on PayPal's pages, past the shop: `value`, or all that is left."""
        with self._machine.rules() as bank:
            capture = _capture(bank, order_id)
            asked: dict[str, Any] = {}
            if "value" in request.data():
                asked["amount"] = capture["amount"] | {"value": request.data()["value"]}
            return self._done(request, shown(bank.refund(capture, asked)))

    def reverse(self, request: Request, order_id: str) -> Response:
        """Let PayPal take the payment back."""
        with self._machine.rules() as bank:
            return self._done(request, shown(bank.reverse(_capture(bank, order_id))))

    def dispute(self, request: Request, order_id: str) -> Response:
        """Let the payer contest the payment."""
        with self._machine.rules() as bank:
            return self._done(request, shown(bank.dispute(_capture(bank, order_id))))

    def pay_out(self, request: Request) -> Response:
        """Withdraw `value` (and `currency_code`, EUR) to the merchant's bank account."""
        data = request.data()
        amount = {"currency_code": data.get("currency_code", "EUR"), "value": data["value"]}
        with self._machine.rules() as bank:
            return self._done(request, bank.books.add("payout", at=bank.at, amount=amount))

    def decide(self, request: Request, dispute_id: str) -> Response:
        """End a dispute: `won` (true or false, or a form's yes)."""
        with self._machine.rules() as bank:
            dispute = bank.books.get(dispute_id, "dispute")
            won = request.data().get("won") in (True, "yes")
            return self._done(request, shown(bank.decide(dispute, won=won)))

    def change_method(self, request: Request, token: str) -> Response:
        """Change what a kept method does: `later` (an issue, or ""), `gone`."""
        data = request.data()
        with self._machine.rules() as bank:
            method = bank.books.get(token, "token")
            later, gone = data.get("later") or "", bool(data.get("gone", False))
            bank.books.save(method, later=later, gone=gone)
        return json_response(200, data)


def _capture(bank: Bank, order_id: str) -> Thing:
    """The latest capture of an order."""
    return bank.books.of_order("capture", bank.books.get(order_id, "order"))[-1]
