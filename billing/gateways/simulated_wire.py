"""Reading what the simulated gateway writes, strictly: an odd answer is no answer."""

from datetime import date
from typing import Any, get_args

from billing.gateways import failures, reading, signatures
from billing.gateways.base import (
    IncomingEvent,
    PaymentRequest,
    PaymentSnapshot,
    PaymentStart,
    PaymentState,
    RefundSnapshot,
    RefundState,
    SavedMethod,
)
from packages.money import Money


def request(asked: PaymentRequest) -> dict[str, Any]:
    """What is sent to start or charge a payment; the key travels in its header."""
    return {
        "amount": amount(asked.amount),
        "description": asked.description,
        "customer_email": asked.customer_email,
        "language": asked.language,
        "return_url": asked.return_url,
        "save_method": asked.save_method,
    }


def amount(money: Money) -> dict[str, Any]:
    """Money as JSON."""
    return {"minor": money.minor, "currency": money.currency}


def start(answer: Any) -> PaymentStart:
    """The started payment. This and the readers below raise Unavailable for what is unreadable."""
    return reading.answer(lambda: _start(answer["payment"]))


def payment(answer: Any) -> PaymentSnapshot:
    """The payment in an answer."""
    return reading.answer(lambda: _payment(answer["payment"]))


def payments(answer: Any) -> list[PaymentSnapshot]:
    """The payments of one page of the list."""
    return reading.answer(lambda: [_payment(wire) for wire in answer["payments"]])


def next_page(answer: Any, *, after: int) -> int | None:
    """Where the list goes on, None at its end; a list that does not move on is unreadable."""
    return reading.answer(lambda: None if answer["next"] is None else _above(answer["next"], after))


def refund(answer: Any) -> RefundSnapshot:
    """The refund in an answer."""
    return reading.answer(lambda: _refund(answer["refund"]))


def event(body: bytes) -> IncomingEvent:
    """The event in a verified webhook body. Raises BadWebhook("malformed")."""
    wire = signatures.strict_json(body)
    return reading.webhook(lambda: _event(wire, body))


def _start(wire: Any) -> PaymentStart:
    return PaymentStart(reading.text(wire["id"]), reading.url(wire["url"]))


def _payment(wire: Any) -> PaymentSnapshot:
    code = failures.known(wire["failure_code"])
    return PaymentSnapshot(
        external_id=reading.text(wire["id"]),
        key=reading.text(wire["key"]),
        state=reading.one_of(wire["state"], get_args(PaymentState)),
        amount=_money(wire["amount"]),
        refunded_minor=_money(wire["refunded"]).minor,
        dispute="open" if wire["disputed"] is True else "",
        failure_code=code,
        failure_message=failures.message(code),
        succeeded_at=reading.moment(wire["succeeded"]) if wire["succeeded"] is not None else None,
        method=_method(wire["method"]) if wire["method"] is not None else None,
    )


def _refund(wire: Any) -> RefundSnapshot:
    return RefundSnapshot(
        external_id=reading.text(wire["id"]),
        key=reading.text(wire["key"]),
        payment_external_id=reading.text(wire["payment"]),
        amount=_money(wire["amount"]),
        state=reading.one_of(wire["state"], get_args(RefundState)),
    )


def _event(wire: dict[str, Any], body: bytes) -> IncomingEvent:
    about = wire["data"].get("payment")
    return IncomingEvent(
        external_id=reading.text(wire["id"]),
        kind=reading.text(wire["type"]),
        payment_external_id=reading.text(about["id"]) if about is not None else None,
        livemode=reading.flag(wire["livemode"]),
        account=reading.text(wire["account"]),
        created_at=reading.moment(wire["created"]),
        body=body,
    )


def _method(wire: Any) -> SavedMethod:
    return SavedMethod(
        token=reading.text(wire["token"]),
        kind=reading.text(wire["kind"]),
        brand=reading.text(wire["brand"]),
        last4=reading.text(wire["last4"]),
        expires_on=date.fromisoformat(wire["expires_on"]) if wire["expires_on"] else None,
    )


def _money(wire: Any) -> Money:
    if wire["minor"] < 0:
        raise ValueError("negative amount")
    return Money(wire["minor"], reading.text(wire["currency"]))


def _above(value: int, floor: int) -> int:
    if value <= floor:
        raise ValueError("the list does not move on")
    return value
