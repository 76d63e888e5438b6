"""What is written to PayPal and read from it.

https://developer.paypal.com/docs/api/orders/v2/, /payments/v2/, /customer-disputes/v1/ and
/payment-tokens/v3/ (read November 2026).
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.gateways import failures, reading, signatures
from billing.gateways.base import (
    BadWebhook,
    DisputeState,
    IncomingEvent,
    PaymentRequest,
    PaymentSnapshot,
    PaymentStart,
    PaymentState,
    RefundSnapshot,
    RefundState,
    SavedMethod,
)
from billing.gateways.paypal import amounts
from packages.money import Money, total

LOCALES = {"de": "de-DE", "en": "en-US"}
# Where a customer goes on: newer orders name it the first way.
APPROVE = ("payer-action", "approve")
# What an event may speak of beside an order; `fetch_payment` takes these as well.
CAPTURE, DISPUTE = "capture:", "dispute:"

OPEN_ORDERS: dict[str, PaymentState] = {
    "CREATED": "open",
    "SAVED": "open",
    "PAYER_ACTION_REQUIRED": "open",
    "APPROVED": "approved",
    "VOIDED": "cancelled",
}
CAPTURES: dict[str, PaymentState] = {
    "COMPLETED": "succeeded",
    "PARTIALLY_REFUNDED": "succeeded",
    "REFUNDED": "succeeded",
    "PENDING": "processing",
    "DECLINED": "failed",
    "FAILED": "failed",
}
REFUNDS: dict[str, RefundState] = {
    "COMPLETED": "succeeded",
    "PENDING": "processing",
    "FAILED": "failed",
    "CANCELLED": "failed",
}
LOST_DISPUTES = {"RESOLVED_BUYER_FAVOUR", "RESOLVED_BUYER_FAVOR", "ACCEPTED"}


@dataclass(frozen=True)
class Dispute:
    """The dispute of a payment, and the address at which staff answer it."""

    state: DisputeState = ""
    url: str = ""


def order(asked: PaymentRequest) -> dict[str, Any]:
    """An order that the customer approves on PayPal's page."""
    source: dict[str, Any] = {
        "experience_context": {
            "return_url": asked.return_url,
            "cancel_url": asked.return_url,
            "user_action": "PAY_NOW",
            "shipping_preference": "NO_SHIPPING",
            "payment_method_preference": "IMMEDIATE_PAYMENT_REQUIRED",
            "locale": LOCALES.get(asked.language, "en-US"),
        }
    }
    if asked.save_method:
        vault = {"store_in_vault": "ON_SUCCESS", "usage_type": "MERCHANT"}
        source["attributes"] = {"vault": vault}
    return _order(asked, source)


def charge(asked: PaymentRequest, token: str) -> dict[str, Any]:
    """An order that is paid at once by a saved method, while nobody is there."""
    credential = {
        "payment_initiator": "MERCHANT",
        "usage": "SUBSEQUENT",
        "usage_pattern": "UNSCHEDULED_POSTPAID",
    }
    return _order(asked, {"vault_id": token, "stored_credential": credential})


def refund(amount: Money, key: str) -> dict[str, Any]:
    return {"amount": amounts.written(amount), "custom_id": key}


def start(answer: Any) -> PaymentStart:
    """The opened order. This and the readers below raise Unavailable for what is unreadable."""
    return reading.answer(lambda: PaymentStart(reading.text(answer["id"]), _approve_url(answer)))


def of_order(answer: Any, *, dispute: Dispute, livemode: bool) -> PaymentSnapshot:
    """The payment of an order, by its latest capture where there is one."""
    return reading.answer(lambda: _of_order(answer, dispute, livemode))


def captures(answer: Any) -> list[Any]:
    """The captures of an order, oldest first."""
    return reading.answer(lambda: _payments(answer).get("captures") or [])


def order_of(capture: Any) -> str:
    """The id of the order that a capture belongs to."""
    return reading.answer(lambda: _related_order(capture))


def made_refund(answer: Any, key: str) -> Any:
    """The refund of an order that carries our key; None where there is none."""
    refunds = reading.answer(lambda: _payments(answer).get("refunds") or [])
    return next((each for each in refunds if each.get("custom_id") == key), None)


def of_refund(answer: Any, external_id: str, *, key: str) -> RefundSnapshot:
    """A refund of the payment that we know by this id."""
    return reading.answer(lambda: _of_refund(answer, external_id, key))


def of_dispute(answer: Any, *, page: str) -> Dispute:
    """A dispute with its outcome; who withdraws or loses it leaves the money with us."""
    return reading.answer(lambda: _of_dispute(answer, page))


def disputed_capture(answer: Any) -> str:
    """The capture that a dispute is about."""
    return reading.answer(
        lambda: reading.text(answer["disputed_transactions"][0]["seller_transaction_id"])
    )


def event(body: bytes, *, account: str, livemode: bool) -> IncomingEvent:
    """The event in a verified body. Raises BadWebhook: malformed, account."""
    found = signatures.strict_json(body)
    incoming = reading.webhook(lambda: _event(found, body, account, livemode))
    payee = reading.webhook(lambda: _payee(found["resource"]))
    if payee not in ("", account):
        raise BadWebhook("account")
    return incoming


def listed_event(found: Any, *, account: str, livemode: bool) -> IncomingEvent:
    """An event as the API lists it, for one that was never delivered."""
    body = json.dumps(found).encode()
    return reading.answer(lambda: _event(found, body, account, livemode))


def _order(asked: PaymentRequest, source: dict[str, Any]) -> dict[str, Any]:
    unit = {
        "custom_id": asked.key,
        # PayPal takes a second payment with the same one for an accident, and refuses it.
        "invoice_id": f"{asked.description}-{asked.key[:12]}"[:127],
        "description": asked.description[:127],
        "amount": amounts.written(asked.amount),
    }
    return {
        "intent": "CAPTURE",
        "purchase_units": [unit],
        "payment_source": {"paypal": source},
    }


def _approve_url(answer: Any) -> str:
    links = {link["rel"]: link["href"] for link in answer["links"]}
    return reading.url(next(links[rel] for rel in APPROVE if rel in links))


def _of_order(answer: Any, dispute: Dispute, livemode: bool) -> PaymentSnapshot:
    unit = answer["purchase_units"][0]
    made = _payments(answer).get("captures") or []
    capture = made[-1] if made else None
    state = CAPTURES[capture["status"]] if capture else OPEN_ORDERS[answer["status"]]
    amount = amounts.read((capture or unit)["amount"])
    code = "payment_failed" if state == "failed" else None
    goes_on = state == "open" and any(link["rel"] in APPROVE for link in answer["links"])
    return PaymentSnapshot(
        external_id=reading.text(answer["id"]),
        key=_key(unit),
        state=state,
        amount=amount,
        refunded_minor=_refunded(answer, amount).minor,
        refunds=_refunds(answer),
        dispute=dispute.state,
        dispute_url=dispute.url,
        failure_code=code,
        failure_message=failures.message(code),
        succeeded_at=moment(capture["create_time"]) if capture and state == "succeeded" else None,
        method=_method(answer) if state == "succeeded" else None,
        livemode=livemode,
        redirect_url=_approve_url(answer) if goes_on else None,
    )


def _key(unit: Any) -> str:
    """Our key; what others made at the same account may have none."""
    found = unit.get("custom_id") or ""
    return reading.text(found) if found else ""


def _payments(answer: Any) -> dict[str, Any]:
    found = answer["purchase_units"][0].get("payments") or {}
    return dict(found)


def _refunded(answer: Any, amount: Money) -> Money:
    made = _payments(answer).get("refunds") or []
    counted = [each for each in made if REFUNDS[each["status"]] != "failed"]
    return total((amounts.read(each["amount"]) for each in counted), amount.currency)


def _refunds(answer: Any) -> tuple[RefundSnapshot, ...]:
    made = _payments(answer).get("refunds") or []
    order_id = reading.text(answer["id"])
    return tuple(_of_refund(each, order_id, str(each.get("custom_id") or "")) for each in made)


def _of_refund(made: Any, external_id: str, key: str) -> RefundSnapshot:
    why = (made.get("status_details") or {}).get("reason") or ""
    return RefundSnapshot(
        external_id=reading.text(made["id"]),
        key=key,
        payment_external_id=external_id,
        amount=amounts.read(made["amount"]),
        state=REFUNDS[made["status"]],
        failure=str(why)[:80],
    )


def _method(answer: Any) -> SavedMethod | None:
    """What PayPal keeps for later. It may do so after it has answered; then the id comes later."""
    paypal = (answer.get("payment_source") or {}).get("paypal") or {}
    vault = (paypal.get("attributes") or {}).get("vault") or {}
    if not vault.get("id"):
        return None
    return SavedMethod(
        token=reading.text(vault["id"]), kind="paypal", brand="PayPal", last4="", expires_on=None
    )


def _of_dispute(answer: Any, page: str) -> Dispute:
    url = f"{page}/resolutioncenter/view/{reading.text(answer['dispute_id'])}"
    if answer["status"] != "RESOLVED":
        return Dispute("open", url)
    outcome = (answer.get("dispute_outcome") or {}).get("outcome_code", "")
    return Dispute("lost" if outcome in LOST_DISPUTES else "won", url)


def _event(found: Any, body: bytes, account: str, livemode: bool) -> IncomingEvent:
    kind = reading.text(found["event_type"])
    return IncomingEvent(
        external_id=reading.text(found["id"]),
        kind=kind,
        payment_external_id=_spoken_of(kind, found["resource"]),
        livemode=livemode,
        account=account,
        created_at=moment(found["create_time"]),
        body=body,
    )


def _spoken_of(kind: str, resource: Any) -> str | None:
    """What to fetch for an event; None where it speaks of no payment."""
    if kind.startswith("CHECKOUT.ORDER."):
        return reading.text(resource["id"])
    if kind == "CHECKOUT.PAYMENT-APPROVAL.REVERSED":
        return reading.text(resource["order_id"])
    refunded = kind in {"PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED"}
    if refunded or kind.startswith("PAYMENT.REFUND."):
        # The resource is the refund, whose link upwards names what was refunded, or that itself.
        up = next(link["href"] for link in resource["links"] if link["rel"] == "up")
        above, _, named = up.rpartition("/")
        refund = above.endswith("/captures")
        return CAPTURE + reading.text(named if refund else resource["id"])
    if kind.startswith("PAYMENT.CAPTURE."):
        return CAPTURE + reading.text(resource["id"])
    if kind == "VAULT.PAYMENT-TOKEN.CREATED":
        # Where it names its order; else the hourly comparison sees what was kept.
        order = (resource.get("metadata") or {}).get("order_id")
        return reading.text(order) if order else None
    if kind.startswith("CUSTOMER.DISPUTE."):
        return DISPUTE + reading.text(resource["dispute_id"])
    return None


def _payee(resource: Any) -> str:
    """Whose money an event is about, where it says so."""
    units = resource.get("purchase_units") or [resource]
    payee = units[0].get("payee") or {}
    return str(payee.get("merchant_id") or "")


def _related_order(capture: Any) -> str:
    related = (capture.get("supplementary_data") or {}).get("related_ids") or {}
    return reading.text(related["order_id"])


def moment(text: Any) -> datetime:
    """An instant as PayPal writes it. Raises one of reading.UNREADABLE."""
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if found.tzinfo is None:
        raise ValueError("a time without its zone")
    return found
