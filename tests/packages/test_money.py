"""Arithmetic with money: the tables of docs/money.md, and what must hold for every amount."""

from __future__ import annotations

from decimal import Decimal

import pytest

from packages.money import CurrencyMismatch, Money, allocate, exponent, total
from tests.properties import given, st
from tests.tables import table

AMOUNTS = st.integers(-(10**12), 10**12)
RATES = st.integers(0, 10_000)
WEIGHTS = st.lists(st.integers(0, 10**6), min_size=1, max_size=12)


@pytest.mark.parametrize(("amount", "basis_points", "share"), table("money.md", "Rounding"))
def test_a_percentage_is_rounded_as_documented(amount: str, basis_points: str, share: str) -> None:
    assert Money(int(amount), "EUR").percent(int(basis_points)) == Money(int(share), "EUR")


@pytest.mark.parametrize(
    ("gross", "basis_points", "tax", "net"), table("money.md", "Tax inside a price")
)
def test_the_tax_inside_a_price_is_as_documented(
    gross: str, basis_points: str, tax: str, net: str
) -> None:
    price = Money(int(gross), "EUR")
    contained = price.included_percent(int(basis_points))
    assert (contained.minor, (price - contained).minor) == (int(tax), int(net))


@pytest.mark.parametrize(("amount", "weights", "parts"), table("money.md", "Splitting"))
def test_a_split_is_as_documented(amount: str, weights: str, parts: str) -> None:
    shares = Money(int(amount), "EUR").split([int(weight) for weight in weights.split()])
    assert [share.minor for share in shares] == [int(part) for part in parts.split()]


@pytest.mark.parametrize(("text", "currency", "minor"), table("money.md", "Minor units"))
def test_decimals_and_minor_units_are_as_documented(text: str, currency: str, minor: str) -> None:
    amount = Money.of_decimal(Decimal(text), currency)
    assert amount == Money(int(minor), currency)
    assert str(amount.decimal()) == text


@given(AMOUNTS, WEIGHTS)
def test_the_parts_of_a_split_are_the_whole(minor: int, weights: list[int]) -> None:
    parts = Money(minor, "EUR").split(weights)
    assert total(parts, "EUR") == Money(minor, "EUR")


@given(AMOUNTS, WEIGHTS)
def test_a_split_is_never_off_by_a_whole_unit(minor: int, weights: list[int]) -> None:
    even = weights if sum(weights) else [1] * len(weights)
    for share, weight in zip(allocate(minor, weights), even, strict=True):
        assert abs(share * sum(even) - minor * weight) < sum(even)


@given(AMOUNTS, WEIGHTS)
def test_the_split_of_a_credit_note_mirrors_the_invoice(minor: int, weights: list[int]) -> None:
    assert allocate(-minor, weights) == [-share for share in allocate(minor, weights)]


@given(AMOUNTS, RATES)
def test_the_tax_of_a_credit_note_mirrors_the_invoice(minor: int, rate_bp: int) -> None:
    amount = Money(minor, "EUR")
    assert (-amount).percent(rate_bp) == -amount.percent(rate_bp)
    assert (-amount).included_percent(rate_bp) == -amount.included_percent(rate_bp)


@given(AMOUNTS, RATES)
def test_a_percentage_is_the_nearest_unit(minor: int, rate_bp: int) -> None:
    share = Money(minor, "EUR").percent(rate_bp)
    assert abs(share.minor * 10_000 - minor * rate_bp) * 2 <= 10_000


@given(AMOUNTS, RATES)
def test_the_contained_tax_is_that_of_the_net_to_the_cent(minor: int, rate_bp: int) -> None:
    gross = Money(minor, "EUR")
    tax = gross.included_percent(rate_bp)
    assert abs(tax.minor - (gross - tax).percent(rate_bp).minor) <= 1


@given(AMOUNTS, st.integers(1, 366), st.integers(1, 366))
def test_used_and_unused_days_are_the_whole(minor: int, part: int, more: int) -> None:
    whole, amount = part + more, Money(minor, "EUR")
    used, unused = amount.fraction(part, whole), amount.fraction(more, whole)
    assert abs((used + unused - amount).minor) <= 1


@given(AMOUNTS, st.sampled_from(["EUR", "JPY", "KWD"]))
def test_a_decimal_and_back_is_the_same_amount(minor: int, currency: str) -> None:
    amount = Money(minor, currency)
    assert Money.of_decimal(amount.decimal(), currency) == amount
    assert -amount.decimal().as_tuple().exponent == exponent(currency)  # type: ignore[operator]


def test_two_currencies_never_meet() -> None:
    euro, dollar = Money(1_00, "EUR"), Money(1_00, "USD")
    for meeting in (
        lambda: euro + dollar,
        lambda: euro - dollar,
        lambda: euro < dollar,
        lambda: euro <= dollar,
        lambda: min(euro, dollar),
        lambda: total([euro, dollar], "EUR"),
    ):
        with pytest.raises(CurrencyMismatch):
            meeting()
    assert euro != dollar


@pytest.mark.parametrize("minor", [1.0, Decimal(1), True, "1"])
def test_only_whole_numbers_are_money(minor: object) -> None:
    with pytest.raises(TypeError):
        Money(minor, "EUR")  # type: ignore[arg-type]


def test_a_fraction_of_a_cent_is_refused_and_not_dropped() -> None:
    with pytest.raises(ValueError, match="more digits"):
        Money.of_decimal(Decimal("0.005"), "EUR")
    assert Money.rounded(Decimal("0.005"), "EUR") == Money(1, "EUR")
    assert Money.rounded(Decimal("-0.005"), "EUR") == Money(-1, "EUR")


@pytest.mark.parametrize("weights", [[], [1, -1]])
def test_nothing_is_split_by_impossible_weights(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="Weights"):
        allocate(100, weights)
