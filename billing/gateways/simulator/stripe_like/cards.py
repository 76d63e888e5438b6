"""Stripe's test numbers (docs.stripe.com/testing, November 2026): what they do now and later."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Test:
    """A test card or account. `asks`: the bank wants to confirm, `always` or at the first time.

    `code` declines it on the page, `later` when it is charged off session. A `wallet` has it.
    """

    number: str
    brand: str = "visa"
    code: str = ""
    later: str = ""
    asks: str = ""
    kind: str = "card"
    disputes: bool = False
    wallet: str = ""

    @property
    def last4(self) -> str:
        return self.number[-4:]


TESTS = [
    Test("4242424242424242"),
    Test("5555555555554444", brand="mastercard"),
    Test("4000000000000002", code="generic_decline"),
    Test("4000000000009995", code="insufficient_funds"),
    Test("4000000000009987", code="lost_card"),
    Test("4000000000000069", code="expired_card"),
    Test("4000000000000127", code="incorrect_cvc"),
    Test("4000000000000119", code="processing_error"),
    Test("4000000000006975", code="card_velocity_exceeded"),
    Test("4000002500003155", asks="first"),
    Test("4000002760003184", asks="always", later="authentication_required"),
    Test("4000000000000341", later="generic_decline"),
    Test("4000000000000259", disputes=True),
    Test("DE89370400440532013000", kind="sepa_debit", brand=""),
    Test("DE62370400440532013001", kind="sepa_debit", brand="", code="insufficient_funds"),
    Test("BE68539007547034", kind="bancontact", brand=""),
]
WALLETS = {code: Test(TESTS[0].number, wallet=code) for code in ("apple_pay", "google_pay")}
# A bank's own page pays once; what it leads to, and may be charged again, is a debit.
DEBITED_LATER = {"bancontact"}
_BY_NUMBER = {each.number: each for each in TESTS}


def find(number: str) -> Test | None:
    """The test with this number, however it was grouped; None for any other."""
    return _BY_NUMBER.get("".join(c for c in number if c.isalnum()).upper())


def details(method: dict[str, Any]) -> dict[str, Any]:
    """What a charge says of the method that it went to."""
    return {"type": method["type"], method["type"]: method.get(method["type"])}


def in_wallet(code: str) -> dict[str, Any]:
    """The card's own number stays hidden; the device has another."""
    return {"type": code, code: {}, "dynamic_last4": "0005"}
