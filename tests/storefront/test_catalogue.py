"""Home, packages, one package: what they show, and what they cost the database and the visitor."""

import re
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import Brand, Customer, TaxRate, User
from packages.models import Package, Price, Rate
from packages.periods import business_day
from storefront import kept
from tests import world
from tests.clock import Clock

READ = ["storefront:home", "storefront:packages"]


def queries(client: Client, address: str) -> int:
    """Count those of a page that was not kept."""
    caches["pages"].clear()
    with CaptureQueriesContext(connection) as caught:
        assert client.get(address).status_code == 200
    return len(caught)


def copies(slug: str, count: int) -> None:
    """Put more packages like this one on sale, each with its prices."""
    for number in range(count):
        prices = list(Price.objects.filter(package__slug=slug))
        package = Package.objects.get(slug=slug)
        package.pk, package.slug = None, f"{slug}-{number}"
        package.save()
        for price in prices:
            price.pk, price.package = None, package
            price.save()


@pytest.mark.parametrize("name", READ)
def test_a_visitor_who_only_reads_gets_no_cookie(client: Client, seeded: Clock, name: str) -> None:
    response = client.get(reverse(name))
    assert response.status_code == 200
    assert not response.cookies


@pytest.mark.parametrize("address", ["/packages/business/", "/cart/"])
def test_a_look_at_a_package_or_the_cart_makes_no_session(
    client: Client, seeded: Clock, address: str
) -> None:
    assert set(client.get(address).cookies) <= {"csrf"}


def test_language_and_theme_are_switched_without_a_token(seeded: Clock) -> None:
    visitor = Client(enforce_csrf_checks=True)
    german = visitor.post(reverse("set_language"), {"language": "de", "next": "/"})
    dark = visitor.post(reverse("storefront:theme"), {"theme": "dark", "next": "/"})
    assert german.cookies["django_language"].value == "de"
    assert dark.cookies["theme"].value == "dark"


def test_nothing_goes_into_the_basket_without_a_token(seeded: Clock) -> None:
    visitor = Client(enforce_csrf_checks=True)
    answer = visitor.post(reverse("storefront:cart_add"), {"price": world.price("business").pk})
    assert answer.status_code == 403
    assert "session" not in answer.cookies


@pytest.mark.parametrize("name", READ)
def test_the_catalogue_costs_the_same_few_queries_at_any_size(
    client: Client, seeded: Clock, name: str
) -> None:
    before = queries(client, reverse(name))
    copies("business", 20)
    assert queries(client, reverse(name)) == before <= 8


@pytest.mark.parametrize("name", READ)
def test_a_kept_page_costs_one_query_and_reads_no_row_that_it_does_not_watch(
    client: Client, seeded: Clock, name: str
) -> None:
    caches["pages"].clear()
    with CaptureQueriesContext(connection) as first:
        fresh = client.get(reverse(name))
    with CaptureQueriesContext(connection) as second:
        again = client.get(reverse(name))
    assert (again.content, len(second)) == (fresh.content, 1)
    read = {table for each in first for table in re.findall(r'(?:FROM|JOIN) "(\w+)"', each["sql"])}
    assert read <= {model._meta.db_table for model in kept.SHOWN}


def test_a_kept_page_follows_every_change_and_every_reader(
    client: Client, seeded: Clock, ada: tuple[User, Customer]
) -> None:
    def text(**headers: str) -> str:
        return client.get("/packages/", headers=headers).content.decode()

    assert "€79.00" in text()
    Price.objects.filter(package__slug="business", cycle="monthly").update(amount_minor=81_00)
    assert "€81.00" in text()
    Brand.objects.update(tagline_en="Heard everywhere")
    assert "Heard everywhere" in text()
    german = text(**{"accept-language": "de"})
    assert "81,00" in german
    assert 'data-theme="dark"' not in german
    client.cookies["theme"] = "dark"
    assert 'data-theme="dark"' in text()
    client.force_login(ada[0])
    assert "Client area" in text()
    client.logout()
    assert "Client area" not in text()


def test_a_package_of_one_price_leaves_nothing_to_choose_and_says_it_is_paid_once(
    client: Client, seeded: Clock
) -> None:
    page = client.get(reverse("storefront:package", args=["flex"])).content.decode()
    assert f'type="hidden" name="price" value="{world.price("flex").pk}"' in page
    assert 'type="radio"' not in page
    assert '<span class="price__unit">once</span>' in page


def test_a_package_page_costs_few_queries(client: Client, seeded: Clock) -> None:
    assert queries(client, reverse("storefront:package", args=["business"])) <= 7


@pytest.mark.parametrize("field", ["visible", "archived"])
def test_a_hidden_package_is_nowhere(client: Client, seeded: Clock, field: str) -> None:
    Package.objects.filter(slug="scale").update(**{field: field == "archived"})
    assert "Scale" not in client.get(reverse("storefront:packages")).content.decode()
    assert client.get(reverse("storefront:package", args=["scale"])).status_code == 404


def test_a_chosen_currency_is_remembered(client: Client, seeded: Clock) -> None:
    first = client.get(reverse("storefront:packages"), {"currency": "USD"})
    assert first.cookies["currency"].value == "USD"
    again = client.get(reverse("storefront:packages"))
    assert "US$" in again.content.decode()
    assert "currency" not in again.cookies


def test_a_currency_that_is_not_sold_changes_nothing(client: Client, seeded: Clock) -> None:
    response = client.get(reverse("storefront:packages"), {"currency": "XYZ"})
    assert "currency" not in response.cookies
    assert "€79.00" in response.content.decode()


def test_a_yearly_cycle_shows_what_it_costs_a_month(client: Client, seeded: Clock) -> None:
    text = client.get(reverse("storefront:packages"), {"cycle": "yearly"}).content.decode()
    assert "€790.00" in text
    assert "€65.83 a month" in text


def test_a_business_sees_prices_without_tax_and_a_private_reader_with(
    client: Client, seeded: Clock
) -> None:
    def text(**query: str) -> str:
        pages = [reverse("storefront:packages"), reverse("storefront:package", args=["business"])]
        return "".join(client.get(page, query).content.decode() for page in pages)

    private = text()
    assert "incl. VAT" in private
    assert "plus VAT" not in private
    assert "An excerpt. Rates include VAT" in private
    business = text(reader="business")
    assert "Unlike the prices on this page, rates include VAT" in business
    assert business.count("€66.39") >= 3
    assert "plus VAT" in business
    assert "incl. VAT" not in business
    assert client.cookies["reader"].value == "business"
    assert "€66.39" in text()
    Brand.objects.update(prices_include_tax=False)
    assert "€79.00" in text()
    assert "An excerpt. Rates are plus VAT" in text()
    private = text(reader="private")
    assert "€94.01" in private
    assert "Unlike the prices on this page, rates are plus VAT" in private


def test_included_units_say_for_how_long_they_are(client: Client, seeded: Clock) -> None:
    def text(cycle: str) -> str:
        page = client.get(reverse("storefront:packages"), {"cycle": cycle})
        return re.sub(r"<[^>]+>|\s+", " ", page.content.decode())

    def said(cycle: str, per: str) -> bool:
        return re.search(rf"2,000 e-mails\s+{per}\b", text(cycle)) is not None

    assert said("monthly", "a month")
    assert said("yearly", "a year")


def test_included_credit_says_for_how_long_it_is(client: Client, seeded: Clock) -> None:
    def text(path: str, **query: str) -> str:
        page = client.get(path, query).content.decode()
        return re.sub(r"(<[^>]+>|\s)+", " ", page)

    packages = reverse("storefront:packages")
    assert text(packages).count("€5.00 credit a month") == 1
    yearly = text(packages, cycle="yearly")
    assert "€60.00 credit a year" in yearly
    assert "Credit €60.00 a year €240.00 a year" in yearly
    assert "300 minutes a year" in yearly
    inside = text(reverse("storefront:package", args=["starter"]))
    assert "€5.00 a month , €15.00 a quarter , €60.00 a year ; fresh each time" in inside
    assert "300 minutes for each billing cycle, however long it is" in inside


def test_a_shop_with_net_prices_is_one_for_businesses_until_told_otherwise(
    client: Client, seeded: Clock
) -> None:
    Brand.objects.update(prices_include_tax=False)
    text = client.get(reverse("storefront:packages")).content.decode()
    assert "plus VAT" in text
    assert "incl. VAT" not in text


def test_a_small_business_has_one_price_for_all(client: Client, seeded: Clock) -> None:
    Brand.objects.update(small_business=True)
    text = client.get(reverse("storefront:packages"), {"reader": "business"}).content.decode()
    assert "€79.00" in text
    assert "no VAT charged" in text
    assert "reader=private" not in text
    assert "reader" not in client.cookies


def test_a_kept_page_follows_a_new_tax_rate_on_its_day(client: Client, seeded: Clock) -> None:
    address, business = reverse("storefront:packages"), {"reader": "business"}
    client.get(address, business)
    today = business_day(seeded.now(), "Europe/Berlin")
    TaxRate.objects.create(country="DE", rate_bp=2000, valid_from=today + timedelta(days=1))
    assert "€66.39" in client.get(address).content.decode()
    seeded.shift(days=1)
    assert "€65.83" in client.get(address).content.decode()


def test_a_german_reader_sees_german_names_and_amounts(client: Client, seeded: Clock) -> None:
    package = world.price("flex").package
    response = client.get(package.get_absolute_url(), headers={"accept-language": "de"})
    assert package.name_de in response.content.decode()
    assert "20,00\N{NO-BREAK SPACE}€" in response.content.decode()
    assert "Deutschland, Festnetz" in response.content.decode()
    Rate.objects.update(destination_de="")
    response = client.get(package.get_absolute_url(), headers={"accept-language": "de"})
    assert "Germany, landline" in response.content.decode()


def test_only_rates_of_services_in_the_package_are_shown(client: Client, seeded: Clock) -> None:
    text = client.get(reverse("storefront:package", args=["fax-office"])).content.decode()
    assert "a page" in text
    assert "a minute" not in text


def test_a_visitor_is_asked_to_sign_in_for_a_top_up(client: Client, seeded: Clock) -> None:
    text = client.get(reverse("storefront:package", args=["credit-25"])).content.decode()
    assert reverse("account_login") in text
    assert "Add to cart" not in text
