"""Filters beside the lists name what they filter, and its values, as people write them."""

from __future__ import annotations

from django.contrib import admin
from django.test import Client
from django.urls import reverse

from billing import demo
from billing.models import Customer, User
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
