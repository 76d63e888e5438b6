"""Filters beside the lists name what they filter, and its values, as people write them."""

from __future__ import annotations

from datetime import date

from django.contrib import admin
from django.test import Client
from django.urls import reverse

from billing import demo
from billing.admin.tickets import CustomerForm
from billing.models import Customer, TaxRate, User
from provisioning.models import Job
from tests.desk import pages

CUSTOMERS = "admin:billing_customer_changelist"


def choices(client: Client, address: str) -> list[str]:
    found = client.get(address).context["cl"]
    return [str(each["display"]) for spec in found.filter_specs for each in spec.choices(found)]


def test_no_filter_is_called_by_a_column_without_a_name(staff: Client, refused_credit: Job) -> None:
    for model, _ in admin.site._registry.items():
        meta = model._meta
        address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
        response = staff.get(address, follow=True)
        if not response.context or "cl" not in response.context:
            continue
        for spec in response.context["cl"].filter_specs:
            field = getattr(spec, "field", None)
            if field is None or field.is_relation:
                continue
            named = field._verbose_name or spec.title != field.verbose_name
            assert named, f"{meta.label}: {spec.title}"


def test_countries_and_languages_are_named_with_and_without_counts(
    staff: Client, refused_credit: Job
) -> None:
    address = reverse(CUSTOMERS)
    assert {"Germany", "English"} <= set(choices(staff, address))
    counted = choices(staff, f"{address}?_facets=True")
    assert f"Germany ({Customer.objects.filter(country='DE').count()})" in counted


def test_a_new_customer_begins_in_the_shops_country(staff: Client) -> None:
    form = staff.get(reverse("admin:billing_customer_add")).context["adminform"].form
    assert form["country"].value() == "DE"


def test_german_staff_read_german_where_django_speaks_english(staff: Client) -> None:
    user = User.objects.get(email=demo.STAFF[0])
    user.language = "de"
    user.save()
    staff.cookies["django_language"] = "de"
    said = pages.text(staff.get(reverse("admin:auth_user_password_change", args=[user.pk])))
    assert "Abgeschaltet geht das jetzige Passwort verloren" in said
    assert "disabled" not in said.lower()
    history = staff.get(reverse("admin:billing_user_history", args=[user.pk]))
    assert "Mitarbeiter haben hier nichts geändert." in pages.text(history)


def test_tax_rates_stand_by_the_names_of_their_countries(staff: Client) -> None:
    """The reader's names, not the codes; what was replaced says so."""
    staff.cookies["django_language"] = "de"
    address = reverse("admin:billing_taxrate_changelist")
    rows = [str(each) for each in staff.get(address).context["cl"].result_list]
    named = list(dict.fromkeys(row.split(" ")[0] for row in rows))
    assert named[:4] == ["Belgien", "Bulgarien", "Dänemark", "Deutschland"]
    assert [each for each in choices(staff, address) if each in named] == named
    TaxRate.objects.create(country="BE", rate_bp=2200, valid_from=date(2026, 1, 1))
    assert "Abgelöst am 1. Jan. 2026" in pages.text(staff.get(address))


def test_a_request_is_given_to_a_customer_by_address_or_number(staff: Client) -> None:
    customer = Customer.objects.order_by("pk").first()
    assert customer is not None
    for given in (customer.email.upper(), str(customer.pk)):
        form = CustomerForm({"customer": given})
        assert form.is_valid(), form.errors
        assert form.cleaned_data["customer"] == customer
    assert not CustomerForm({"customer": "nobody@example.com"}).is_valid()
    assert not CustomerForm({"customer": "9" * 30}).is_valid()
