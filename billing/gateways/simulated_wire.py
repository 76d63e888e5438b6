"""Reading what the simulated gateway writes, strictly: an odd answer is no answer."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, TypeVar, get_args

from billing.gateways import failures, signatures
from billing.gateways.base import (
    BadWebhook,
    IncomingEvent,
    PaymentRequest,
    PaymentSnapshot,
    PaymentStart,
    PaymentState,
    RefundSnapshot,
    RefundState,
    SavedMethod,
    Unavailable,
)
from packages.money import Money

# What reading a wrong answer raises; such an answer says nothing about the outcome.
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError)
T = TypeVar("T")


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
    return _read(
        lambda: PaymentStart(_text(answer["payment"]["id"]), _url(answer["payment"]["url"]))
    )


def payment(answer: Any) -> PaymentSnapshot:
    """The payment in an answer."""
    return _read(lambda: _payment(answer["payment"]))


def payments(answer: Any) -> list[PaymentSnapshot]:
    """The payments of one page of the list."""
    return _read(lambda: [_payment(wire) for wire in answer["payments"]])


def next_page(answer: Any, *, after: int) -> int | None:
    """Where the list goes on, None at its end; a list that does not move on is unreadable."""
    return _read(lambda: None if answer["next"] is None else _above(answer["next"], after))


def refund(answer: Any) -> RefundSnapshot:
    """The refund in an answer."""
    return _read(lambda: _refund(answer["refund"]))


def event(body: bytes) -> IncomingEvent:
    """The event in a verified webhook body. Raises BadWebhook("malformed")."""
    wire = signatures.strict_json(body)
    try:
        return _event(wire, body)
    except UNREADABLE as error:
        raise BadWebhook("malformed") from error


def _read(reader: Callable[[], T]) -> T:
    try:
        return reader()
    except UNREADABLE as error:
        raise Unavailable(f"unreadable answer: {error!r}") from error


def _payment(wire: Any) -> PaymentSnapshot:
    code = failures.known(wire["failure_code"])
    return PaymentSnapshot(
        external_id=_text(wire["id"]),
        key=_text(wire["key"]),
        state=_one_of(wire["state"], get_args(PaymentState)),
        amount=_money(wire["amount"]),
        refunded_minor=_money(wire["refunded"]).minor,
        disputed=wire["disputed"] is True,
        failure_code=code,
        failure_message=failures.message(code),
        succeeded_at=_moment(wire["succeeded"]) if wire["succeeded"] is not None else None,
        method=_method(wire["method"]) if wire["method"] is not None else None,
    )


def _refund(wire: Any) -> RefundSnapshot:
    return RefundSnapshot(
        external_id=_text(wire["id"]),
        key=_text(wire["key"]),
        payment_external_id=_text(wire["payment"]),
        amount=_money(wire["amount"]),
        state=_one_of(wire["state"], get_args(RefundState)),
    )


def _event(wire: dict[str, Any], body: bytes) -> IncomingEvent:
    about = wire["data"].get("payment")
    if not isinstance(wire["livemode"], bool):
        raise TypeError("livemode is no bool")
    return IncomingEvent(
        external_id=_text(wire["id"]),
        kind=_text(wire["type"]),
        payment_external_id=_text(about["id"]) if about is not None else None,
        livemode=wire["livemode"],
        account=_text(wire["account"]),
        created_at=_moment(wire["created"]),
        body=body,
    )


def _method(wire: Any) -> SavedMethod:
    return SavedMethod(
        token=_text(wire["token"]),
        kind=_text(wire["kind"]),
        brand=_text(wire["brand"]),
        last4=_text(wire["last4"]),
        expires_on=date.fromisoformat(wire["expires_on"]) if wire["expires_on"] else None,
    )


def _money(wire: Any) -> Money:
    if wire["minor"] < 0:
        raise ValueError("negative amount")
    return Money(wire["minor"], _text(wire["currency"]))


def _moment(seconds: Any) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def _above(value: int, floor: int) -> int:
    if value <= floor:
        raise ValueError("the list does not move on")
    return value


def _one_of(value: Any, allowed: tuple[Any, ...]) -> Any:
    if value not in allowed:
        raise ValueError(f"unknown value {value!r}")
    return value


def _text(value: Any) -> str:
    # Ids and names end in text columns: PostgreSQL refuses NUL, and 255 is what they hold.
    if not isinstance(value, str) or not 0 < len(value) <= 255 or not value.isprintable():
        raise ValueError("not a short printable text")
    return value


def _url(value: Any) -> str:
    if not _text(value).startswith(("http://", "https://")):
        raise ValueError("not a web address")
    return str(value)
