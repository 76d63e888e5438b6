"""What happens to money: orders are approved and captured, methods charged, sums refunded.

Inside one transaction of the store. Each change writes the event that tells of it.
"""

import json
import random
import secrets
from decimal import Decimal
from typing import Any

from ..events import Shaping
from .books import Books, Thing, moment, shown

# How a source behaves when it is captured: what the page offers, and what it leads to.
SOURCES = ("balance", "declined", "pending", "pending_fails")


class Refused(Exception):
    """An answer other than 2xx, in PayPal's words."""

    def __init__(self, status: int, issue: str) -> None:
        super().__init__(f"{status} {issue}")
        self.status = status
        self.issue = issue


class Bank:
    """The rules, at one instant."""

    def __init__(
        self,
        books: Books,
        *,
        at: float,
        public_url: str,
        account: str,
        settle_seconds: float,
        shaping: Shaping,
        vaults_late: bool = False,
        refunds_wait: bool = False,
    ) -> None:
        self.books = books
        self.store = books.store
        self.at = at
        self._url = public_url
        self._account = account
        self._settle_seconds = settle_seconds
        self._shaping = shaping
        self._vaults_late = vaults_late
        self._refunds_wait = refunds_wait

    def order(self, asked: Thing) -> Thing:
        """Make an order; with a vaulted method it is captured at once."""
        if asked["intent"] != "CAPTURE" or len(asked["purchase_units"]) != 1:
            raise Refused(422, "UNSUPPORTED_INTENT")
        (unit,) = asked["purchase_units"]
        _must_be_money(unit["amount"])
        paypal = asked["payment_source"]["paypal"]
        token = paypal.get("vault_id")
        method = self._method(token) if token else None
        made = self.books.add(
            "order",
            at=self.at,
            intent="CAPTURE",
            status="PAYER_ACTION_REQUIRED",
            purchase_units=[unit | {"payee": {"merchant_id": self._account}}],
            payment_source={"paypal": {}},
            source="balance",
            asked=paypal,
        )
        if method is None:
            return made
        if method["later"]:
            raise Refused(422, method["later"])
        return self._take(made)

    def approve(self, order: Thing, source: str) -> None:
        """The customer has agreed on PayPal's page; the shop may capture now."""
        self.books.save(order, status="APPROVED", source=source)
        self.tell("CHECKOUT.ORDER.APPROVED", "checkout-order", self.seen(order))

    def capture(self, order: Thing) -> Thing:
        """Take the money of an approved order."""
        if order["status"] == "COMPLETED":
            raise Refused(422, "ORDER_ALREADY_CAPTURED")
        if order["status"] != "APPROVED":
            raise Refused(422, "ORDER_NOT_APPROVED")
        if order["source"] == "declined":
            self.books.save(order, status="PAYER_ACTION_REQUIRED", source="balance")
            raise Refused(422, "INSTRUMENT_DECLINED")
        return self._take(order)

    def refund(self, capture: Thing, asked: Thing) -> Thing:
        """Give back a sum, or all that is left."""
        left = Decimal(capture["amount"]["value"]) - self._refunded(capture)
        amount = asked.get("amount") or capture["amount"] | {"value": str(left)}
        _must_be_money(amount)
        if capture["status"] not in {"COMPLETED", "PARTIALLY_REFUNDED"}:
            raise Refused(422, "CAPTURE_FULLY_REFUNDED")
        if Decimal(amount["value"]) > left:
            raise Refused(422, "REFUND_AMOUNT_EXCEEDED")
        up = self._up(capture)
        made = self.books.add(
            "refund",
            at=self.at,
            status="PENDING" if self._refunds_wait else "COMPLETED",
            amount=amount,
            custom_id=asked.get("custom_id"),
            links=[up],
            order=capture["order"],
            capture_id=capture["id"],
        )
        whole = Decimal(amount["value"]) == left
        self.books.save(capture, status="REFUNDED" if whole else "PARTIALLY_REFUNDED")
        told = "PAYMENT.REFUND.PENDING" if self._refunds_wait else "PAYMENT.CAPTURE.REFUNDED"
        self.tell(told, "refund", shown(made))
        return made

    def reverse(self, capture: Thing) -> Thing:
        """Let PayPal itself take a payment back, all of it."""
        about = {"amount": capture["amount"], "links": [self._up(capture)]}
        made = self.books.add("reversal", at=self.at, capture_id=capture["id"], **about)
        self.tell("PAYMENT.CAPTURE.REVERSED", "refund", shown(made))
        return made

    def fail_refund(self, refund: Thing) -> None:
        """Let the bank that a refund was paid by refuse it, days later."""
        self.books.save(refund, status="FAILED", status_details={"reason": "ECHECK"})
        capture = self.books.get(refund["capture_id"], "capture")
        some = self._refunded(capture) > 0
        self.books.save(capture, status="PARTIALLY_REFUNDED" if some else "COMPLETED")
        self.tell("PAYMENT.REFUND.FAILED", "refund", shown(refund))

    def arrive(self, refund: Thing) -> None:
        """Let a pending refund be done."""
        self.books.save(refund, status="COMPLETED")
        self.tell("PAYMENT.CAPTURE.REFUNDED", "refund", shown(refund))

    def dispute(self, capture: Thing) -> Thing:
        """The payer contests a payment."""
        transaction = {"seller_transaction_id": capture["id"]}
        made = self.books.add(
            "dispute",
            at=self.at,
            prefix="PP-D-",
            status="WAITING_FOR_SELLER_RESPONSE",
            disputed_transactions=[transaction],
        )
        self.books.save(made, dispute_id=made["id"])
        self.tell("CUSTOMER.DISPUTE.CREATED", "dispute", shown(made))
        return made

    def decide(self, dispute: Thing, *, won: bool) -> Thing:
        """End a dispute."""
        code = "RESOLVED_SELLER_FAVOUR" if won else "RESOLVED_BUYER_FAVOUR"
        self.books.save(dispute, status="RESOLVED", dispute_outcome={"outcome_code": code})
        self.tell("CUSTOMER.DISPUTE.RESOLVED", "dispute", shown(dispute))
        return dispute

    def settle(self) -> None:
        """Let what was pending succeed or fail, once its time has come."""
        for row in self.books.store.rows("SELECT id FROM due WHERE at <= ?", self.at):
            self.books.store.run("DELETE FROM due WHERE id = ?", row["id"])
            if self.books.kind(row["id"]) == "order":
                self._vault(self.books.get(row["id"], "order"))
                continue
            capture = self.books.get(row["id"], "capture")
            fails = self.books.get(capture["order"], "order")["source"] == "pending_fails"
            status = "DECLINED" if fails else "COMPLETED"
            self.books.save(capture, status=status)
            self.tell(f"PAYMENT.CAPTURE.{status}", "capture", shown(capture))

    def seen(self, order: Thing) -> Thing:
        """The order as PayPal shows it, with what became of it and where to go on."""
        captures = [shown(each) for each in self.books.of_order("capture", order)]
        refunds = [shown(each) for each in self.books.of_order("refund", order)]
        unit = dict(order["purchase_units"][0])
        if captures:
            unit["payments"] = {"captures": captures, "refunds": refunds}
        links = [{"rel": "self", "href": f"{self._url}/v2/checkout/orders/{order['id']}"}]
        if order["status"] in {"PAYER_ACTION_REQUIRED", "APPROVED"}:
            page = f"{self._url}/checkoutnow?token={order['id']}"
            links.append({"rel": "payer-action", "href": page})
        return shown(order) | {"purchase_units": [unit], "links": links}

    def tell(self, kind: str, resource_type: str, resource: Thing) -> None:
        """Write an event and its deliveries."""
        event_id = f"WH-{secrets.token_hex(8).upper()}-{secrets.token_hex(8).upper()}"
        body = {
            "id": event_id,
            "event_version": "1.0",
            "create_time": moment(self.at),
            "resource_type": resource_type,
            "event_type": kind,
            "resource": resource,
        }
        self.books.store.insert("event", id=event_id, body=json.dumps(body))
        shaping = self._shaping
        for _ in range(1 + shaping.duplicates):
            due_at = self.at + shaping.delay_seconds + random.uniform(0, shaping.shuffle_seconds)
            self.books.store.insert("delivery", event=event_id, state=shaping.state, due_at=due_at)

    def _take(self, order: Thing) -> Thing:
        unit = order["purchase_units"][0]
        if any(each["invoice_id"] == unit["invoice_id"] for each in self.books.all("capture")):
            raise Refused(422, "DUPLICATE_INVOICE_ID")
        pending = order["source"].startswith("pending")
        capture = self.books.add(
            "capture",
            at=self.at,
            status="PENDING" if pending else "COMPLETED",
            amount=unit["amount"],
            custom_id=unit["custom_id"],
            invoice_id=unit["invoice_id"],
            payee={"merchant_id": self._account},
            supplementary_data={"related_ids": {"order_id": order["id"]}},
            order=order["id"],
        )
        if pending:
            due_at = self.at + self._settle_seconds
            self.books.store.insert("due", id=capture["id"], at=due_at)
        source = {"paypal": {"email_address": "payer@example.com"}}
        self.books.save(order, status="COMPLETED", payment_source=source)
        if (order["asked"].get("attributes") or {}).get("vault"):
            self._keep(order)
        self.tell(f"PAYMENT.CAPTURE.{capture['status']}", "capture", shown(capture))
        return order

    def _keep(self, order: Thing) -> None:
        """Keep the method, at once or after the answer."""
        if not self._vaults_late:
            return self._vault(order)
        self._say_of_vault(order, status="APPROVED")
        due_at = self.at + self._settle_seconds
        self.books.store.insert("due", id=order["id"], at=due_at)
        return None

    def _vault(self, order: Thing) -> None:
        token = self.books.add("token", at=self.at, later="", gone=False)
        self._say_of_vault(order, id=token["id"], status="VAULTED")
        resource = {"id": token["id"], "metadata": {"order_id": order["id"]}}
        self.tell("VAULT.PAYMENT-TOKEN.CREATED", "payment_token", resource)

    def _say_of_vault(self, order: Thing, **vault: str) -> None:
        source = {"paypal": order["payment_source"]["paypal"] | {"attributes": {"vault": vault}}}
        self.books.save(order, payment_source=source)

    def _method(self, token: Any) -> Thing:
        try:
            method = self.books.get(token, "token")
        except LookupError as error:
            raise Refused(422, "TOKEN_ID_NOT_FOUND") from error
        if method["gone"]:
            raise Refused(422, "TOKEN_ID_NOT_FOUND")
        return method

    def _up(self, capture: Thing) -> Thing:
        return {"href": f"{self._url}/v2/payments/captures/{capture['id']}", "rel": "up"}

    def _refunded(self, capture: Thing) -> Decimal:
        made = [each for each in self.books.all("refund") if each["capture_id"] == capture["id"]]
        kept = [each for each in made if each["status"] != "FAILED"]
        return sum((Decimal(each["amount"]["value"]) for each in kept), Decimal())


def _must_be_money(amount: Thing) -> None:
    """PayPal refuses decimals where it takes none."""
    value = str(amount["value"])
    whole = amount["currency_code"] in {"HUF", "JPY", "TWD"}
    digits = len(value.partition(".")[2])
    if Decimal(value) <= 0 or digits != (0 if whole else 2):
        raise Refused(422, "INVALID_CURRENCY_CODE" if whole else "DECIMAL_PRECISION")
