"""PayPal's own account statement: what each line of the transaction search says.

https://developer.paypal.com/docs/api/transaction-search/v1/ and the reference of its event codes,
https://developer.paypal.com/reports/reference/t-codes (read November 2026).
"""

from datetime import datetime
from typing import Any

from billing.gateways import reading
from billing.gateways.base import MovementKind, MovementSnapshot
from billing.gateways.paypal import amounts, wire
from packages.money import Money

# By the group of the code; a refund is the one of its group that the merchant began.
REFUND = "T1107"
GROUPS: dict[str, MovementKind] = {
    "T00": "payment",
    "T01": "fee",
    "T03": "payout",
    "T04": "payout",
    "T11": "dispute",
    "T12": "dispute",
}
# Done, and done but taken back by a line of its own; the others are pending or were refused.
DONE = {"S", "V"}


def is_done(info: dict[str, Any]) -> bool:
    """Whether the line moved anything."""
    return info.get("transaction_status") in DONE


def is_payment(info: dict[str, Any]) -> bool:
    return str(info.get("transaction_event_code"))[:3] == "T00"


def began_at(info: dict[str, Any]) -> datetime:
    """When the line's transaction began. Raises Unavailable for what is unreadable."""
    return reading.answer(lambda: wire.moment(info["transaction_initiation_date"]))


def original(info: dict[str, Any]) -> str:
    """The id of the transaction that the line takes back, '' where it names none."""
    known = info.get("paypal_reference_id_type") == "TXN"
    return str(info.get("paypal_reference_id") or "") if known else ""


def movement(info: Any, *, key: str) -> MovementSnapshot:
    """The line as ours. Raises Unavailable for what is unreadable."""
    return reading.answer(lambda: _movement(info, key))


def _movement(info: Any, key: str) -> MovementSnapshot:
    amount = amounts.read(info["transaction_amount"])
    taken = info.get("fee_amount")
    return MovementSnapshot(
        external_id=reading.text(info["transaction_id"]),
        kind=_kind(reading.text(info["transaction_event_code"]), amount),
        amount=amount,
        # What it cost us is below zero there.
        fee=-amounts.read(taken) if taken else Money.zero(amount.currency),
        key=key,
        at=began_at(info),
    )


def _kind(code: str, amount: Money) -> MovementKind:
    if code == REFUND:
        return "refund"
    kind = GROUPS.get(code[:3], "other")
    # Money that we sent somebody is no payment of a customer.
    return "other" if kind == "payment" and amount.minor < 0 else kind
