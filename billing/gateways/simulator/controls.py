"""/_sim: what tests, training and the overview page may order. Never part of a real gateway."""

from typing import Any

from .cards import find
from .levers import Levers
from .machine import Machine
from .payments import Desk, Refused, refunded_minor, view
from .store import Row
from .web import Request, Response, Route, json_response, route

CARD_FOR = {
    "succeeded": "4242424242424242",
    "declined": "4000000000000002",
    "authentication": "4000002500003155",
    "processing": "4000000000000077",
}
LOGGED = {
    "payments": "payment",
    "charges": "charge",
    "refunds": "refund",
    "methods": "method",
    "events": "event",
    "deliveries": "delivery",
    "attempts": "attempt",
    "calls": "call",
}


def routes(machine: Machine) -> list[Route]:
    """The routes of the controls."""
    controls = Controls(machine)
    ordered = {
        "payments/ID/pay": controls.pay,
        "payments/ID/refund": controls.refund,
        "payments/ID/dispute": controls.dispute,
        "methods/ID": controls.change_method,
    }
    return [route("GET", "/_sim/log", controls.log), *controls.routes(ordered)]


class Controls(Levers[Machine]):
    """What may be ordered of payments and saved cards."""

    def log(self, request: Request) -> Response:
        """The truth log."""
        return json_response(200, truth(self._machine))

    def pay(self, request: Request, payment_id: str) -> Response:
        """Be the customer: `outcome` as on the page, or a `card_number`."""
        data = request.data()
        outcome = data.get("outcome", "succeeded")
        with self._machine.rules() as desk:
            payment = _paid(desk, payment_id, outcome, data.get("card_number"))
            return self._shown(request, payment)

    def refund(self, request: Request, payment_id: str) -> Response:
        """Refund at the gateway, past the shop: `amount_minor`, or all that is left."""
        with self._machine.rules() as desk:
            left_minor = desk.get(payment_id)["amount_minor"] - refunded_minor(
                desk.store, payment_id
            )
            amount_minor = int(request.data().get("amount_minor", left_minor))
            if amount_minor <= 0:
                raise Refused(400, "nothing_to_refund")
            desk.refund(payment_id, "by-hand", amount_minor)
            return self._shown(request, desk.get(payment_id))

    def dispute(self, request: Request, payment_id: str) -> Response:
        """Let the customer's bank take the money back."""
        with self._machine.rules() as desk:
            return self._shown(request, desk.dispute(payment_id))

    def change_method(self, request: Request, token: str) -> Response:
        """Change what a saved card does: `later` (a failure code or null), `gone` (true/false)."""
        data = request.data()
        with self._machine.rules() as desk:
            change = "UPDATE method SET later = ?, gone = ? WHERE token = ?"
            if not desk.store.run(change, data.get("later"), int(data.get("gone", False)), token):
                raise Refused(404, "no_such_method")
        return json_response(200, data)

    def _shown(self, request: Request, payment: Row) -> Response:
        shown = view(self._machine.store, payment, account=self._machine.setup.account)
        return self._done(request, {"payment": shown})


def truth(machine: Machine) -> dict[str, list[Row]]:
    """What really happened: every table, oldest first."""
    with machine.store.transaction() as store:
        return {name: store.rows(f"SELECT * FROM {table}") for name, table in LOGGED.items()}


def _paid(desk: Desk, payment_id: str, outcome: str, number: Any) -> Row:
    state = desk.get(payment_id)["state"]
    if outcome in {"failed", "cancelled"}:
        return desk.finish(payment_id, outcome, "card_declined" if outcome == "failed" else None)
    if state == "processing" and outcome == "succeeded":
        return desk.finish(payment_id, "succeeded")
    if outcome == "confirmed":
        return desk.confirm(payment_id)
    card = find(number or CARD_FOR.get(outcome, ""))
    if card is None:
        raise ValueError("unknown outcome or card number")
    return desk.pay(payment_id, card)
