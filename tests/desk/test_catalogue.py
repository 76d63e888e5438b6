"""Packages at the desk: what is missing is said with what to do."""

from __future__ import annotations

from typing import Any

from django.test import Client

from packages.models import Package, PackageGroup, Tariff
from provisioning.simulator.simulator import Simulator
from tests.desk import pages

ADD = "/admin/packages/package/add/"


def package(**changes: Any) -> dict[str, Any]:
    """What the form sends for a complete subscription with one price."""
    price = {"currency": "eur", "cycle": "monthly", "amount_minor": "3900", "setup_minor": "0"}
    return {
        **{"kind": "subscription", "group": PackageGroup.objects.first().pk},  # type: ignore[union-attr]
        **{"name_en": "Voice 20", "slug": "voice-20", "position": "9", "visible": "on"},
        **{"tariff": Tariff.objects.first().pk, "channels": "20"},  # type: ignore[union-attr]
        **{"services": ["voice"], "allowance": "persist", "trial_days": "0", "max_quantity": "1"},
        **dict.fromkeys(("voice_minutes", "fax_pages", "sms_messages", "email_messages"), "0"),
        **{"prices-TOTAL_FORMS": "1", "prices-INITIAL_FORMS": "0"},
        **{f"prices-0-{key}": value for key, value in {**price, "credit_minor": "0"}.items()},
        **changes,
    }


def test_a_complete_package_is_saved_and_reads_in_words(staff: Client, shop: Simulator) -> None:
    response = staff.post(ADD, package(**{"prices-0-credit_minor": "500"}))
    assert response.status_code == 302
    saved = Package.objects.get(slug="voice-20")
    html = staff.get(pages.address(saved)).content.decode()
    assert "€39.00 monthly" in html
    assert "credit €5.00" in html
    assert 'href="/packages/voice-20/"' in html
    assert saved.prices.get().currency == "EUR"
    staff.post(ADD, package(slug="second", name_en="Second"))
    assert Package.objects.filter(slug="second").exists()


def test_an_account_package_without_limits_is_told_what_to_do(
    staff: Client, shop: Simulator
) -> None:
    sent = package(tariff="", channels="0", services=[], trial_days="0")
    told = pages.text(staff.post(ADD, sent))
    assert "choose one, or make it a top-up" in told
    assert "An account needs channels to call: enter 1 or more." in told
    assert "Tick what the account may send" in told
    assert not Package.objects.filter(slug="voice-20").exists()


def test_a_top_up_needs_credit_and_a_single_payment(staff: Client, shop: Simulator) -> None:
    told = pages.text(staff.post(ADD, package(kind="top_up", tariff="", services=[])))
    assert "A top-up sells credit: enter how much." in told
    assert "choose one time" in told


def test_a_subscription_recurs_and_alone_has_a_trial(staff: Client, shop: Simulator) -> None:
    told = pages.text(staff.post(ADD, package(**{"prices-0-cycle": "one_time"})))
    assert "A subscription recurs: choose a cycle like monthly." in told
    told = pages.text(staff.post(ADD, package(kind="pay_as_you_go", trial_days="7")))
    assert "Only a subscription has a trial: enter 0." in told
