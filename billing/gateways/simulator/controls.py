"""/_sim: what tests, training and the overview page may order. Never part of a real gateway."""

from typing import Any

from . import events
from .cards import find
from .events import Shaping
from .machine import Machine
from .payments import Desk, Refused, refunded_minor, view
from .store import Row
from .web import Request, Response, Route, json_response, route, see_other

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
    return [
        route("GET", "/_sim/log", controls.log),
        route("GET", "/_sim/faults", controls.faults),
        route("POST", "/_sim/faults", controls.set_faults),
        route("POST", "/_sim/webhooks", controls.shape_webhooks),
        route("POST", "/_sim/forget_keys", controls.forget_keys),
        route("POST", "/_sim/payments/ID/pay", controls.pay),
        route("POST", "/_sim/payments/ID/refund", controls.refund),
        route("POST", "/_sim/payments/ID/dispute", controls.dispute),
        route("POST", "/_sim/events/ID/resend", controls.resend),
        route("POST", "/_sim/methods/ID", controls.change_method),
    ]


class Controls:
    """The handlers. A form is answered with the overview, JSON with JSON."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def log(self, request: Request) -> Response:
        """The truth log."""
        return json_response(200, truth(self._machine))

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
        if order not in {None, "as_is", "reversed", "shuffled"}:
            raise ValueError("release is as_is, reversed or shuffled")
        try:
            self._machine.shaping = Shaping(**asked)
        except TypeError as error:
            raise ValueError(str(error)) from error
        if order:
            with self._machine.desk() as desk:
                events.release(desk.store, order, at=desk.at)
        return json_response(200, vars(self._machine.shaping))

    def forget_keys(self, request: Request) -> Response:
        """Forget all idempotency keys, as Stripe does after 24 hours."""
        with self._machine.desk() as desk:
            return json_response(200, {"forgotten": desk.store.run("DELETE FROM answer")})

    def pay(self, request: Request, payment_id: str) -> Response:
        """Be the customer: `outcome` as on the page, or a `card_number`."""
        data = request.data()
        outcome = data.get("outcome", "succeeded")
        with self._machine.desk() as desk:
            payment = _paid(desk, payment_id, outcome, data.get("card_number"))
            return self._done(request, payment)

    def refund(self, request: Request, payment_id: str) -> Response:
        """Refund at the gateway, past the shop: `amount_minor`, or all that is left."""
        with self._machine.desk() as desk:
            left_minor = desk.get(payment_id)["amount_minor"] - refunded_minor(
                desk.store, payment_id
            )
            amount_minor = int(request.data().get("amount_minor", left_minor))
            if amount_minor <= 0:
                raise Refused(400, "nothing_to_refund")
            desk.refund(payment_id, "by-hand", amount_minor)
            return self._done(request, desk.get(payment_id))

    def dispute(self, request: Request, payment_id: str) -> Response:
        """Let the customer's bank take the money back."""
        with self._machine.desk() as desk:
            return self._done(request, desk.dispute(payment_id))

    def resend(self, request: Request, event_id: str) -> Response:
        """Deliver an event `times` (1) more."""
        with self._machine.desk() as desk:
            if not desk.store.row("SELECT id FROM event WHERE id = ?", event_id):
                raise Refused(404, "no_such_event")
            times = int(request.data().get("times", 1))
            events.send_again(desk.store, event_id, times=times, at=desk.at)
        return see_other("/") if request.is_form else json_response(200, {"times": times})

    def change_method(self, request: Request, token: str) -> Response:
        """Change what a saved card does: `later` (a failure code or null), `gone` (true/false)."""
        data = request.data()
        with self._machine.desk() as desk:
            change = "UPDATE method SET later = ?, gone = ? WHERE token = ?"
            if not desk.store.run(change, data.get("later"), int(data.get("gone", False)), token):
                raise Refused(404, "no_such_method")
        return json_response(200, data)

    def _done(self, request: Request, payment: Row) -> Response:
        shown = view(self._machine.store, payment, account=self._machine.options.account)
        return see_other("/") if request.is_form else json_response(200, {"payment": shown})


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
