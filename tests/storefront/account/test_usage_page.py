"""The customer's and the staff's page of use and credit."""

from __future__ import annotations

import re
from datetime import datetime

from django.test import Client
from django.urls import reverse

from billing.models import User
from packages.money import Money
from provisioning.models import Job
from tests.storefront.account import people
from tests.storefront.account.people import Person


def _page(person: Person, language: str = "en") -> str:
    address = reverse("storefront:service", args=[person.subscription.public_id])
    answer = person.browser().get(address, headers={"accept-language": language})
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def _overview(person: Person) -> str:
    return person.browser().get(reverse("storefront:dashboard")).content.decode()


def test_without_readings_the_page_is_honest(anna: Person) -> None:
    text = _page(anna)
    assert "there are too few readings" in text
    assert '<svg class="chart__plot"' not in text


def test_chart_table_units_and_forecast_are_on_the_page(anna: Person, now: datetime) -> None:
    people.read(anna, at=now)
    text = _page(anna)
    assert 'class="chart__plot"' in text
    assert "At this rate your credit lasts until the renewal on" in text
    assert "In the last seven days €1.80 was used" in text
    assert "The figures as a table" in text
    assert "40 of 300 left" in text
    assert "meter--bad" in text
    assert "Cost of all campaigns" in text
    assert "style=" not in text.replace("stylesheet", "")
    assert "Bei diesem Verbrauch" in _page(anna, "de")


def test_the_overview_has_the_same_chart_and_its_table(anna: Person, now: datetime) -> None:
    assert 'class="chart__plot"' not in _overview(anna)
    people.read(anna, at=now)
    text = _overview(anna)
    assert text.count('class="chart__plot"') == 1
    assert re.findall(r"€[\d.]+", text[text.index("The figures as a table") :])[:5] == [
        *("€1.00", "€18.20", "€0.80", "€19.20"),
        "€20.00",
    ]


def test_staff_see_the_same_and_give_credit_once(anna: Person, now: datetime) -> None:
    people.read(anna, at=now)
    staff = User.objects.create_superuser("staff@example.com", "correct-horse-battery")
    client = Client()
    client.force_login(staff)
    page = reverse("admin:billing_subscription_change", args=[anna.subscription.pk])
    text = client.get(page).content.decode()
    assert 'class="chart__plot"' in text
    assert "At this rate your credit ends on" in text
    deed = reverse("admin:billing_subscription_deed", args=[anna.subscription.pk, "gift"])
    form = client.get(deed).content.decode()
    cause = re.search(r'name="cause" value="([^"]+)"', form)
    assert cause is not None
    for _ in range(2):
        fields = {"cause": cause.group(1), "sum": "5.00", "expires_on": "", "reason": "sorry"}
        client.post(deed, fields)
    job = Job.objects.get(cause__startswith="gift-")
    assert Money(job.amount_minor or 0, job.currency) == Money(5_00, "EUR")
    assert job.details == {"gift": "", "reason": "sorry"}
