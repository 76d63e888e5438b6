"""What happens to payments at the simulated gateway. Everything here runs in one transaction."""

import secrets
from typing import Any

from . import cards, events
from .cards import Card
from .events import Shaping
from .store import Row, Store

DAY_SECONDS = 86_400
FINAL = {"succeeded", "failed", "cancelled"}


class Refused(Exception):
    """The request cannot be done. `status` and `code` are the answer."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


class Desk:
    """The rules, bound to one transaction, one moment, and how events are sent just now."""

    def __init__(
        self, store: Store, *, at: float, account: str, settle_seconds: float, shaping: Shaping
    ) -> None:
        self.store = store
        self.at = at
        self.account = account
        self.settle_seconds = settle_seconds
        self.shaping = shaping

    def open(self, key: str, asked: dict[str, Any], *, method: str | None = None) -> Row:
        """A new open payment; nobody pays within a day: cancelled."""
        payment_id = f"pay_{secrets.token_hex(16)}"
        self.store.insert(
            "payment",
            id=payment_id,
            key=key,
            state="open",
            method=method,
            created_at=self.at,
            due_at=self.at + DAY_SECONDS,
            due_state="cancelled",
            **asked,
        )
        return self.get(payment_id)

    def get(self, payment_id: str) -> Row:
        """The payment. Raises Refused(404)."""
        found = self.store.row("SELECT * FROM payment WHERE id = ?", payment_id)
        if not found:
            raise Refused(404, "no_such_payment")
        return found

    def pay(self, payment_id: str, card: Card) -> Row:
        """Try `card` on an open payment. One that is not open any more stays as it is."""
        if self.get(payment_id)["state"] != "open":
            return self.get(payment_id)
        if card.outcome == "declined":
            return self._declined(payment_id, card)
        if card.outcome == "authentication":
            self._set(payment_id, pending_card=card.number, failure_code=None)
            return self.get(payment_id)
        return self._accepted(payment_id, card)

    def confirm(self, payment_id: str) -> Row:
        """The customer proved to be the card's owner."""
        payment = self.get(payment_id)
        card = cards.find(payment["pending_card"] or "")
        if payment["state"] != "open" or card is None:
            return payment
        return self._accepted(payment_id, card)

    def reject(self, payment_id: str) -> Row:
        """The customer did not prove it: that attempt failed, another card may be used."""
        payment = self.get(payment_id)
        card = cards.find(payment["pending_card"] or "")
        if payment["state"] != "open" or card is None:
            return payment
        return self._declined(payment_id, card)

    def finish(self, payment_id: str, state: str, code: str | None = None) -> Row:
        """Move an open or processing payment to `state`; a final one stays as it is."""
        payment = self.get(payment_id)
        if payment["state"] in FINAL or payment["state"] == state:
            return payment
        ends: Row = {"failure_code": code, "pending_card": None, "due_at": None, "due_state": None}
        if state == "processing":
            ends |= {"due_at": self.at + self.settle_seconds, "due_state": "succeeded"}
        if state == "succeeded":
            ends |= {"succeeded_at": self.at}
            self._charge(payment)
        self._set(payment_id, state=state, **ends)
        return self._tell(f"payment.{state}", payment_id)

    def charge(self, payment_id: str) -> Row:
        """Charge an open payment's saved method without the customer."""
        payment = self.get(payment_id)
        method = self.store.row("SELECT * FROM method WHERE token = ?", payment["method"])
        if method and method["later"]:
            return self.finish(payment_id, "failed", method["later"])
        return self.finish(payment_id, "succeeded")

    def refund(self, payment_id: str, key: str, amount_minor: int) -> Row:
        """Give back up to what is left of a succeeded, undisputed payment."""
        payment = self.get(payment_id)
        left_minor = payment["amount_minor"] - refunded_minor(self.store, payment_id)
        if payment["state"] != "succeeded" or payment["disputed"]:
            raise Refused(400, "not_refundable")
        if amount_minor > left_minor:
            raise Refused(400, "refund_too_high")
        refund_id = f"re_{secrets.token_hex(12)}"
        self.store.insert(
            "refund",
            id=refund_id,
            key=key,
            payment=payment_id,
            amount_minor=amount_minor,
            currency=payment["currency"],
            at=self.at,
        )
        self._tell("payment.refunded", payment_id)
        return self.store.rows("SELECT * FROM refund WHERE id = ?", refund_id)[0]

    def dispute(self, payment_id: str) -> Row:
        """The customer's bank takes the money back."""
        if self.get(payment_id)["state"] != "succeeded":
            raise Refused(400, "not_disputable")
        self._set(payment_id, disputed=1)
        return self._tell("payment.disputed", payment_id)

    def settle(self) -> None:
        """Let delayed payments arrive and forgotten ones lapse."""
        due = "SELECT id, due_state FROM payment WHERE due_at <= ?"
        for payment in self.store.rows(due, self.at):
            self.finish(payment["id"], payment["due_state"])

    def _accepted(self, payment_id: str, card: Card) -> Row:
        if self.get(payment_id)["save_method"]:
            self._set(payment_id, method=self._save(card))
            self._tell("method.saved", payment_id)
        state = "processing" if card.outcome == "processing" else "succeeded"
        return self.finish(payment_id, state)

    def _declined(self, payment_id: str, card: Card) -> Row:
        code = card.code or "authentication_required"
        self._set(payment_id, failure_code=code, pending_card=None)
        return self._tell("payment.failed", payment_id)

    def _save(self, card: Card) -> str:
        token = f"pm_{secrets.token_hex(16)}"
        expires_on = card.expires_on.isoformat()
        shown = {"brand": "Visa", "last4": card.last4, "expires_on": expires_on}
        self.store.insert("method", token=token, later=card.later, **shown)
        return token

    def _charge(self, payment: Row) -> None:
        shown = {"amount_minor": payment["amount_minor"], "currency": payment["currency"]}
        self.store.insert("charge", payment=payment["id"], at=self.at, **shown)

    def _set(self, payment_id: str, **values: object) -> None:
        changes = ", ".join(f"{name} = ?" for name in values)
        self.store.run(f"UPDATE payment SET {changes} WHERE id = ?", *values.values(), payment_id)

    def _tell(self, kind: str, payment_id: str) -> Row:
        payment = self.get(payment_id)
        shown = view(self.store, payment, account=self.account)
        events.add(self.store, kind, shown, at=self.at, shaping=self.shaping)
        return payment


def refunded_minor(store: Store, payment_id: str) -> int:
    """How much of the payment was given back."""
    total = "SELECT coalesce(sum(amount_minor), 0) AS minor FROM refund WHERE payment = ?"
    return int(store.rows(total, payment_id)[0]["minor"])


def view(store: Store, payment: Row, *, account: str) -> dict[str, Any]:
    """The payment as the API shows it."""
    currency = payment["currency"]
    method = store.row("SELECT * FROM method WHERE token = ?", payment["method"])
    return {
        "id": payment["id"],
        "key": payment["key"],
        "account": account,
        "livemode": False,
        "state": payment["state"],
        "amount": {"minor": payment["amount_minor"], "currency": currency},
        "refunded": {"minor": refunded_minor(store, payment["id"]), "currency": currency},
        "disputed": bool(payment["disputed"]),
        "failure_code": payment["failure_code"],
        "description": payment["description"],
        "created": payment["created_at"],
        "succeeded": payment["succeeded_at"],
        "method": method and _shown(method),
    }


def _shown(method: Row) -> dict[str, Any]:
    return {name: method[name] for name in ("token", "brand", "last4", "expires_on")} | {
        "kind": "card"
    }
