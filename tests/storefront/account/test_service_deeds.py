"""What a customer may do with a service: another password, a fresh balance."""

from datetime import datetime

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse

from provisioning import vault
from provisioning.models import Account, Job, OneTimeSecret
from tests.storefront.account.people import Person
from tests.storefront.account.test_secret import everything

NEW = "canary-Tanne-27-Wolke"


def send(person: Person, deed: str, **fields: str) -> HttpResponse:
    url = reverse("storefront:service", args=[person.subscription.public_id])
    answer = person.browser().post(url, {"deed": deed, **fields})
    assert isinstance(answer, HttpResponse)
    return answer


def password_jobs(person: Person) -> list[Job]:
    return list(person.account.jobs.filter(kind=Job.Kind.CHANGE_PASSWORD))


def test_a_new_password_becomes_one_job_and_is_shown_nowhere(anna: Person) -> None:
    assert send(anna, "password", password=NEW, again=NEW).status_code == 302
    (job,) = password_jobs(anna)
    sealed = job.details["sealed"].encode()
    assert vault.unseal(sealed, purpose=f"job-password:{job.cause}") == NEW
    assert NEW not in everything()
    url = reverse("storefront:service", args=[anna.subscription.public_id])
    text = anna.browser().get(url).content.decode()
    assert NEW not in text
    assert "Your new password is being set" in text
    Job.objects.filter(pk=job.pk).update(state=Job.State.PARKED)
    text = anna.browser().get(url).content.decode()
    assert "takes less than a minute" not in text
    assert text.count("Your new password is being checked by our staff.") == 2


def test_each_change_has_its_own_cause(anna: Person) -> None:
    for _ in range(2):
        send(anna, "password", password=NEW, again=NEW)
    assert len({job.cause for job in password_jobs(anna)}) == 2


@pytest.mark.parametrize(
    ("password", "again"),
    [
        ("short", "short"),
        ("correct-horse-battery", "correct-horse-batterx"),
        ("with spaces in the middle", "with spaces in the middle"),
        ("Umlaute-sind-schön-2026", "Umlaute-sind-schön-2026"),
        ("x" * 65, "x" * 65),
        ("password12345", "password12345"),
        ("line\nbreak-and-more", "line\nbreak-and-more"),
        ("", ""),
    ],
)
def test_a_bad_password_is_refused_beside_the_field(
    anna: Person, password: str, again: str
) -> None:
    answer = send(anna, "password", password=password, again=again)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert 'class="field__error"' in text
    assert not password or f'value="{password}"' not in text
    assert password_jobs(anna) == []


def test_a_made_password_is_handed_over_once(anna: Person) -> None:
    answer = send(anna, "generate")
    (job,) = password_jobs(anna)
    made = vault.unseal(job.details["sealed"].encode(), purpose=f"job-password:{job.cause}")
    assert len(made) >= 16
    assert made not in everything()
    browser = anna.browser()
    assert made not in browser.get(answer["Location"]).content.decode()
    assert made in browser.post(answer["Location"]).content.decode()
    assert browser.post(answer["Location"]).status_code == 410
    assert OneTimeSecret.objects.get().ciphertext is None


def test_the_balance_is_asked_for_once_a_minute(anna: Person) -> None:
    for _ in range(3):
        assert send(anna, "balance").status_code == 302
    assert anna.account.jobs.filter(kind=Job.Kind.READ_BALANCE).count() <= 2


def test_an_unknown_deed_does_nothing(anna: Person) -> None:
    before = anna.account.jobs.count()
    send(anna, "terminate")
    send(anna, "")
    assert anna.account.jobs.count() == before


def test_a_closed_account_takes_no_password(anna: Person, now: datetime) -> None:
    with transaction.atomic():
        anna.account.move(Account.State.CLOSED, at=now, actor="test", reason="over")
    assert send(anna, "password", password=NEW, again=NEW).status_code == 200
    assert send(anna, "generate").status_code == 200
    assert password_jobs(anna) == []
