"""Tax: the documents of docs/money.md, what holds for every document, and who is taxed how."""

from __future__ import annotations

import random
from datetime import date

import pytest

from billing import tax
from billing.models import Brand, Customer, TaxRate
from packages.money import Money, total
from tests.properties import given, st
from tests.tables import table

ON = date(2026, 3, 2)
LINES = st.lists(
    st.tuples(st.integers(-(10**9), 10**9), st.sampled_from([0, 700, 1900, 2100, 2550])),
    min_size=1,
    max_size=15,
)
Lines = list[tuple[int, int]]


@pytest.mark.parametrize(
    ("mode", "lines", "nets", "net", "tax_", "total_"), table("money.md", "Documents")
)
def test_a_document_adds_up_as_documented(
    mode: str, lines: str, nets: str, net: str, tax_: str, total_: str
) -> None:
    pairs = [tuple(map(int, line.split("@"))) for line in lines.split()]
    sums = summed(mode, [(amount, rate_bp) for amount, rate_bp in pairs])
    assert [each.minor for each in sums.nets] == [int(each) for each in nets.split()]
    assert (sums.net.minor, sums.tax.minor, sums.total.minor) == (int(net), int(tax_), int(total_))


@pytest.mark.parametrize("mode", ["gross", "net"])
@given(lines=LINES)
def test_lines_and_groups_and_totals_add_up_to_the_cent(mode: str, lines: Lines) -> None:
    sums = summed(mode, lines)
    assert total(sums.nets, "EUR") == sums.net
    assert total((group.net for group in sums.groups), "EUR") == sums.net
    assert total((group.tax for group in sums.groups), "EUR") == sums.tax
    assert sums.net + sums.tax == sums.total
    assert len({group.rate_bp for group in sums.groups}) == len(sums.groups)


@given(LINES)
def test_a_promised_gross_price_is_what_is_charged(lines: Lines) -> None:
    assert summed("gross", lines).total.minor == sum(amount for amount, _ in lines)


@given(LINES)
def test_a_line_of_a_gross_document_is_off_by_one_cent_at_most(lines: Lines) -> None:
    sums = summed("gross", lines)
    for (amount, rate_bp), net in zip(lines, sums.nets, strict=True):
        gross = Money(amount, "EUR")
        assert abs((net - gross + gross.included_percent(rate_bp)).minor) <= 1


@pytest.mark.parametrize("mode", ["gross", "net"])
@given(lines=LINES)
def test_a_credit_note_of_everything_is_the_exact_negative(mode: str, lines: Lines) -> None:
    sums = summed(mode, lines)
    back = summed(mode, [(-amount, rate_bp) for amount, rate_bp in lines])
    assert (back.net, back.tax, back.total) == (-sums.net, -sums.tax, -sums.total)
    assert back.nets == tuple(-net for net in sums.nets)


@pytest.mark.parametrize("mode", ["gross", "net"])
@given(lines=LINES, seed=st.integers(0, 1000))
def test_the_order_of_the_lines_does_not_change_the_sums(
    mode: str, lines: Lines, seed: int
) -> None:
    shuffled = random.Random(seed).sample(lines, len(lines))
    one, other = summed(mode, lines), summed(mode, shuffled)
    assert (one.net, one.tax, one.total, one.groups) == (
        other.net,
        other.tax,
        other.total,
        other.groups,
    )


@given(st.lists(st.tuples(st.integers(0, 10**9), st.sampled_from([700, 1900])), min_size=1))
def test_tax_on_what_costs_something_is_never_negative(lines: Lines) -> None:
    for mode in ("gross", "net"):
        assert summed(mode, lines).tax.minor >= 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("country", "vat_id", "business", "rate_bp", "note"),
    [
        ("DE", "", False, 1900, ""),
        ("DE", "DE123456789", True, 1900, ""),
        ("AT", "ATU12345678", True, 0, tax.REVERSE_CHARGE),
        ("AT", "", True, 2000, ""),
        ("AT", "ATU12345678", False, 2000, ""),
        ("FR", "", False, 1900, ""),
        ("CH", "", False, 0, tax.OUTSIDE),
        ("US", "", True, 0, tax.OUTSIDE),
        ("GB", "GB123456789", True, 0, tax.OUTSIDE),
    ],
)
def test_who_and_where_decides_the_rate(
    *, country: str, vat_id: str, business: bool, rate_bp: int, note: str
) -> None:
    rates(DE=1900, AT=2000)
    buyer = Customer(country=country, vat_id=vat_id, is_business=business)
    assert tax.treatment(buyer, Brand(country="DE"), on=ON) == tax.Treatment(rate_bp, 1900, note)


@pytest.mark.django_db
def test_a_rate_holds_from_its_day_until_the_next() -> None:
    TaxRate.objects.create(country="DE", rate_bp=1600, valid_from=date(2020, 7, 1))
    TaxRate.objects.create(country="DE", rate_bp=1900, valid_from=date(2021, 1, 1))
    days = [date(2020, 6, 30), date(2020, 7, 1), date(2020, 12, 31), date(2021, 1, 1)]
    assert [tax.known_rates().of("DE", on=day) for day in days] == [None, 1600, 1600, 1900]


@pytest.mark.django_db
def test_without_a_home_rate_nothing_is_sold() -> None:
    with pytest.raises(tax.NoRate, match="DE"):
        tax.treatment(Customer(country="US"), Brand(country="DE"), on=ON)


def test_an_untaxed_price_is_the_gross_without_the_home_tax() -> None:
    treated = tax.Treatment(0, 1900, tax.OUTSIDE)
    assert tax.untaxed(Money(49_00, "EUR"), treated) == Money(41_18, "EUR")


def summed(mode: str, lines: Lines) -> tax.Sums:
    add_up = {"gross": tax.sums_of_gross, "net": tax.sums_of_net}[mode]
    return add_up([(Money(amount, "EUR"), rate_bp) for amount, rate_bp in lines], "EUR")


def rates(**by_country: int) -> None:
    for country, rate_bp in by_country.items():
        TaxRate.objects.create(country=country, rate_bp=rate_bp, valid_from=date(2021, 1, 1))
