"""The account's statement: a line for each capture, refund, lost dispute and payout."""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

from .books import Books, Thing

# The usual price of a payment: a part of it, and something for each.
PART, FIXED = Decimal("0.0299"), Decimal("0.39")
STATUSES = {"PENDING": "P", "DECLINED": "D", "FAILED": "D"}


def lines(books: Books) -> list[Thing]:
    """All lines, oldest first."""
    taken_back = [*_refunds(books), *_reversed(books), *_lost(books)]
    found = [*_captures(books), *taken_back, *_payouts(books)]
    return sorted(found, key=lambda each: str(each["transaction_initiation_date"]))


def _captures(books: Books) -> Iterator[Thing]:
    for each in books.all("capture"):
        yield {
            **_line(each, "T0006", each["amount"]),
            "transaction_status": STATUSES.get(each["status"], "S"),
            "fee_amount": _fee(each["amount"]),
            "custom_field": each["custom_id"],
        }


def _refunds(books: Books) -> Iterator[Thing]:
    for each in books.all("refund"):
        line = _line(each, "T1107", _out(each["amount"])) | _of(each["capture_id"])
        yield line | {"transaction_status": STATUSES.get(each["status"], "S")}


def _reversed(books: Books) -> Iterator[Thing]:
    for each in books.all("reversal"):
        yield _line(each, "T1106", _out(each["amount"])) | _of(each["capture_id"])


def _lost(books: Books) -> Iterator[Thing]:
    for each in books.all("dispute"):
        outcome = each.get("dispute_outcome") or {}
        if outcome.get("outcome_code") == "RESOLVED_BUYER_FAVOUR":
            (about,) = each["disputed_transactions"]
            capture = books.get(about["seller_transaction_id"], "capture")
            yield _line(each, "T1201", _out(capture["amount"])) | _of(capture["id"])


def _payouts(books: Books) -> Iterator[Thing]:
    for each in books.all("payout"):
        yield _line(each, "T0400", _out(each["amount"]))


def _line(thing: Thing, code: str, amount: Thing) -> Thing:
    return {
        "transaction_id": thing["id"],
        "transaction_event_code": code,
        "transaction_initiation_date": thing["create_time"],
        "transaction_status": "S",
        "transaction_amount": amount,
    }


def _of(capture_id: str) -> Thing:
    return {"paypal_reference_id": capture_id, "paypal_reference_id_type": "TXN"}


def _out(amount: Thing) -> Thing:
    return amount | {"value": f"-{amount['value']}"}


def _fee(amount: Thing) -> Thing:
    unit = Decimal(1).scaleb(-len(amount["value"].partition(".")[2]))
    fee = (Decimal(amount["value"]) * PART + FIXED).quantize(unit, ROUND_HALF_UP)
    return _out(amount | {"value": str(fee)})
