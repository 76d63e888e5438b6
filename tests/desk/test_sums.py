"""Amounts and percentages are typed at the desk as people write them; rows keep whole numbers."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from billing.models import Brand, TaxRate, TopUpTerms, User
from packages.desk.cells import amount
from packages.desk.proposals import SecondPerson
from packages.models import Rate, Tariff
from provisioning.models import Account
from tests.desk import pages

TERMS = {
    **{"currency": "EUR", "min_minor": "10", "max_minor": "1000.50", "balance_minor": "5000"},
    **{"low_minor": "0", "new_days": "30", "new_day_minor": "100", "new_month_minor": "200"},
    **{"new_balance_minor": "200"},
}


def test_limits_of_top_ups_are_typed_in_whole_money(staff: Client) -> None:
    TopUpTerms.objects.all().delete()
    assert staff.post(_add(TopUpTerms), TERMS).status_code == 302
    [terms] = TopUpTerms.objects.all()
    assert (terms.min_minor, terms.max_minor, terms.low_minor) == (10_00, 1000_50, 0)
    html = staff.get(pages.address(terms)).content.decode()
    assert 'value="1000.50"' in html
    # Sent again as it stands, nothing is different.
    assert staff.post(pages.address(terms), TERMS).status_code == 302
    assert TopUpTerms.objects.get().max_minor == 1000_50


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"min_minor": "10.005"}, "finer than the currency"),
        ({"currency": "JPY", "min_minor": "10.5"}, "finer than the currency"),
        ({"max_minor": "9"}, "The smallest top-up is more than nothing"),
        ({"min_minor": "-1"}, "greater than or equal to 0"),
    ],
)
def test_an_amount_that_cannot_be_is_refused(
    staff: Client, change: dict[str, str], said: str
) -> None:
    TopUpTerms.objects.all().delete()
    assert said in staff.post(_add(TopUpTerms), TERMS | change).content.decode()
    assert not TopUpTerms.objects.exists()


def test_whole_yen_have_no_hundredths(staff: Client) -> None:
    assert staff.post(_add(SecondPerson), {"currency": "JPY", "above_minor": "5000"}).status_code
    rule = SecondPerson.objects.get(currency="JPY")
    assert rule.above_minor == 5000
    assert 'value="5000"' in staff.get(pages.address(rule)).content.decode()


def test_rates_are_typed_in_percent_and_in_money_with_the_readers_comma(staff: Client) -> None:
    User.objects.filter(is_staff=True).update(language="de")
    staff.cookies[settings.LANGUAGE_COOKIE_NAME] = "de"
    typed = {"country": "CH", "rate_bp": "7,7", "valid_from": "01.01.2026"}
    assert staff.post(_add(TaxRate), typed).status_code == 302
    rate = TaxRate.objects.get(country="CH")
    assert rate.rate_bp == 770
    assert 'value="7,7"' in staff.get(pages.address(rate)).content.decode()
    assert staff.post(_add(TaxRate), typed | {"country": "LI", "rate_bp": "100"}).status_code == 200
    tariff = Tariff.objects.create(name="New", remote_id="new")
    row = {"service": "voice", "destination": "All", "currency": "EUR", "price_micro": "0,0245"}
    sent = {f"rates-0-{name}": value for name, value in row.items()}
    sent |= {"rates-TOTAL_FORMS": "1", "rates-INITIAL_FORMS": "0", "name": "New"}
    assert staff.post(pages.address(tariff), sent | {"remote_id": "new"}).status_code == 302
    assert Rate.objects.get(tariff=tariff).price_micro == 24_500


def test_the_brands_least_arrears_are_typed_in_euros(staff: Client) -> None:
    html = staff.get(pages.address(Brand.objects.get())).content.decode()
    field = html.split('name="telecom_floor_minor"')[1].split(">")[0]
    assert 'value="100"' in field


def _add(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")


def test_who_may_only_look_sees_what_the_fields_would_show(staff: Client, account: Account) -> None:
    User.objects.filter(is_staff=True).update(is_superuser=False, role=User.Role.READER)
    terms = TopUpTerms.objects.get(currency="EUR")
    words = pages.text(staff.get(pages.address(terms)))
    assert f"Smallest top-up: {amount(terms.smallest)}" in words
    assert "minor units" not in words
    package = pages.text(staff.get(pages.address(account.subscription.package)))
    assert "Voice" in package
    assert "None" not in package
    customer = pages.text(staff.get(pages.address(account.subscription.customer)))
    assert "Country: Germany" in customer
    assert "Language: English" in customer or "Language: German" in customer
    rate = Rate.objects.filter(price_micro__gt=0)[0]
    tariff = pages.text(staff.get(pages.address(rate.tariff)))
    assert str(rate.price_micro) not in tariff
    assert "Price per unit" in tariff
    tax = pages.text(
        staff.get(pages.address(TaxRate.objects.filter(country="DE", rate_bp=1900)[0]))
    )
    assert "Rate in percent: 19 " in tax
