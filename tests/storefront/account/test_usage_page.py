"""The customer's and the staff's page of use and credit."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django.test import Client
from django.urls import reverse

from billing.models import User
from packages.money import Money
from provisioning.models import Job, Reading
from tests.storefront.account.people import Person


def _page(person: Person, language: str = "en") -> str:
    address = reverse("storefront:service", args=[person.subscription.public_id])
    answer = person.browser().get(address, headers={"accept-language": language})
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def _read(person: Person, now: datetime) -> None:
    for day, minor in ((4, 20_00), (2, 19_20), (0, 18_20)):
        at = now - timedelta(days=day)
        Reading.objects.create(
            account=person.account,
            slot=at,
            at=at,
            balance_minor=minor,
            units={"voice": 40, "email": 0},
            used={"voice": 260},
            cost_minor=1_80,
        )


def test_without_readings_the_page_is_honest(anna: Person) -> None:
    text = _page(anna)
    assert "there are too few readings" in text
    assert '<svg class="chart__plot"' not in text


def test_chart_table_units_and_forecast_are_on_the_page(anna: Person, now: datetime) -> None:
    _read(anna, now)
    text = _page(anna)
    assert 'class="chart__plot"' in text
    assert "At this rate your credit ends on" in text
    assert "In the last seven days €1.80 was used" in text
    assert "The figures as a table" in text
    assert "40 of 300 left" in text
    assert "meter--bad" in text
    assert "Cost of all campaigns" in text
    assert "style=" not in text.replace("stylesheet", "")
    assert "Bei diesem Verbrauch" in _page(anna, "de")


def test_staff_see_the_same_and_give_credit_once(anna: Person, now: datetime) -> None:
    _read(anna, now)
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
