"""Stripe's amounts and codes, and what they are here."""

from __future__ import annotations

import pytest

from billing.gateways import failures
from billing.gateways.base import GatewayRefused
from billing.gateways.stripe import amounts, declines
from packages.money import Money


@pytest.mark.parametrize(
    ("money", "counted"),
    [
        (Money(49_00, "EUR"), 4900),
        (Money(4900, "JPY"), 4900),
        (Money(4_900, "KWD"), 4900),
        (Money(49, "ISK"), 4900),
        (Money(49, "UGX"), 4900),
        (Money(49_00, "HUF"), 4900),
    ],
)
def test_amounts_are_counted_as_stripe_counts_them(money: Money, counted: int) -> None:
    assert amounts.counted(money) == counted
    assert amounts.money(counted, money.currency.lower()) == money


def test_an_amount_finer_than_stripe_takes_is_refused() -> None:
    with pytest.raises(GatewayRefused):
        amounts.counted(Money(4_905, "KWD") + Money(1, "KWD"))


def test_every_code_of_a_decline_has_its_sentence_and_its_verdict() -> None:
    assert set(declines.CODES.values()) <= set(failures.MESSAGES)
    assert set(failures.MESSAGES) == set(failures.VERDICTS)
    assert declines.code({"code": "card_declined", "decline_code": "of_tomorrow"}) == (
        "card_declined"
    )
    assert declines.code({"code": "of_tomorrow"}) == "payment_failed"
    hopeless = {"decline_code": "do_not_honor", "advice_code": "do_not_try_again"}
    assert declines.code(hopeless) == "card_declined"
    assert declines.code(None) is None
